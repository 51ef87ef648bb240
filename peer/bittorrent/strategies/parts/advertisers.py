"""What to say that we have, and have moved."""

from collections.abc import Iterable

from peer.bittorrent.engine.strategy import Tally
from peer.bittorrent.wire.bitfield import Bitfield


class Honest:
    """Says what is so, to everybody, at once."""

    def first_words(self, neighbour: int, have: Bitfield) -> Bitfield:  # noqa: ARG002
        """Claim what we have."""
        return have

    def completed(self, index: int, neighbours: Iterable[int]) -> Iterable[int]:  # noqa: ARG002
        """Tell all."""
        return neighbours

    def later(self, now: float) -> Iterable[tuple[int, int]]:  # noqa: ARG002
        """Keep nothing for later."""
        return ()

    def heard(self, neighbour: int, index: int) -> Iterable[tuple[int, int]]:  # noqa: ARG002
        """Say no more than before."""
        return ()

    def tally(self, true: Tally) -> Tally:
        """Tell what is so."""
        return true
