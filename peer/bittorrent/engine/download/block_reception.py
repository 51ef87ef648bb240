"""Blocks whose header has come and whose last byte has not: who sends which, and where the bytes belong.

At most one neighbour writes into the place of a block, and none does once the block has been received. In endgame, or
after a request ended without its block, a second neighbour may send the same one: its bytes are put aside.
"""

from enum import Enum, auto
from typing import TypeAlias

Span: TypeAlias = tuple[int, int, int]
"""Piece, first byte, and length."""


class Placement(Enum):
    """Where the bytes of a block belong; decided when the 13 bytes before it have come."""

    IN_PLACE = auto()
    """Directly into its place in the torrent: no other neighbour is writing there."""
    ASIDE = auto()
    """Into a buffer, as another neighbour is writing the same block; copied if this one is complete first."""
    NOWHERE = auto()
    """It is not needed, and dropped."""


class BlockReception:
    """Each neighbour sends one block at a time. Blocks that are dropped as they come are not in here."""

    __slots__ = ("_spans", "_writers")

    def __init__(self) -> None:
        self._spans: dict[int, Span] = {}
        self._writers: dict[Span, int] = {}

    def block_began(self, key: int, span: Span) -> Placement:
        self._spans[key] = span
        return Placement.IN_PLACE if self._writers.setdefault(span, key) == key else Placement.ASIDE

    def block_received(self, key: int, span: Span) -> bool:
        """Take a complete block; returns whether its bytes were kept."""
        if self._spans.get(key) != span:
            return False
        self.stop(key)
        return True

    def stop(self, key: int) -> None:
        """Forget what this neighbour was sending, if anything."""
        span = self._spans.pop(key, None)
        if span is not None and self._writers.get(span) == key:
            del self._writers[span]

    def take_over(self, span: Span) -> int | None:
        """End the writing of another neighbour into the place of this block; returns who that was."""
        writer = self._writers.pop(span, None)
        if writer is not None:
            del self._spans[writer]
        return writer
