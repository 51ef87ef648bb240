"""What strategies share that go away to come back at once as somebody else."""

from dataclasses import replace
from typing import Final, Protocol

from peer.bittorrent.engine.actions import Leave
from peer.bittorrent.engine.strategy import Departure, ProgressView


class Rebirth(Protocol):
    """Says when a life has lasted long enough."""

    def is_due(self, view: ProgressView) -> bool:
        """Whether to begin another life now; the view is of this life."""


class LivesOften:
    """Begins a new life whenever that is due, and goes for good when another departure says so.

    The other departure sees one client that came once: the time of its first life counts.
    """

    def __init__(self, rebirth: Rebirth, departure: Departure, leave: Leave) -> None:
        self._rebirth: Final = rebirth
        self._departure: Final = departure
        self._leave: Final = leave
        self._first_joined_at: float | None = None

    def decide(self, view: ProgressView) -> Leave | None:
        """Go for good, or to come back, or stay."""
        if self._first_joined_at is None:
            self._first_joined_at = view.joined_at
        for_good = self._departure.decide(replace(view, joined_at=self._first_joined_at))
        if for_good is not None:
            return for_good
        return self._leave if self._rebirth.is_due(view) else None
