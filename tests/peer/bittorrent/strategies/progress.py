"""Progress views for tests."""

from dataclasses import replace

from peer.bittorrent.engine.strategy import ProgressView

NEW = ProgressView(
    now=100,
    joined_at=100,
    completed_at=None,
    have_count=0,
    piece_count=10,
    length=1_000,
    received=0,
    sent=0,
    neighbour_count=0,
)


def progress(**fields: object) -> ProgressView:
    """Return the view of a client that has just joined, with these fields changed."""
    return replace(NEW, **fields)  # type: ignore[arg-type]
