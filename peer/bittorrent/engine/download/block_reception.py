"""Blocks whose header has come and whose last byte has not: who is sending which, and whose bytes go where.

At most one neighbour writes into the place of a block, and nobody does once the block has arrived. In endgame, or after
a request ended without its block, a second neighbour may be sending the same one: its bytes are put aside.
"""

from typing import TypeAlias

from peer.bittorrent.engine.download.placement import Placement

Spot: TypeAlias = tuple[int, int, int]
"""Piece, first byte, and length."""


class Incoming:
    """Each neighbour sends one block at a time. Those that are dropped as they come are not in here."""

    __slots__ = ("_spots", "_writers")

    def __init__(self) -> None:
        self._spots: dict[int, Spot] = {}
        self._writers: dict[Spot, int] = {}

    def begin(self, key: int, spot: Spot) -> Placement:
        """Say where the bytes belong that begin to come."""
        self._spots[key] = spot
        return Placement.IN_PLACE if self._writers.setdefault(spot, key) == key else Placement.ASIDE

    def end(self, key: int, spot: Spot) -> bool:
        """Take note that a block is whole; tells whether its bytes were kept."""
        if self._spots.get(key) != spot:
            return False
        self.stop(key)
        return True

    def stop(self, key: int) -> None:
        """Forget what this neighbour was sending, if anything."""
        spot = self._spots.pop(key, None)
        if spot is not None and self._writers.get(spot) == key:
            del self._writers[spot]

    def overtake(self, spot: Spot) -> int | None:
        """Take the place of a block from whoever is still writing there, and tell who that was."""
        writer = self._writers.pop(spot, None)
        if writer is not None:
            del self._spots[writer]
        return writer
