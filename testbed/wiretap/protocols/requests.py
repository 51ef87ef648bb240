"""The blocks that were asked for and have not come, oldest first, as far as memory allows."""

from collections.abc import Iterable
from itertools import takewhile
from typing import Final, TypeAlias

from testbed.wiretap.protocols.reader import Allowance

Block: TypeAlias = tuple[int, int, int]
"""Index, begin, length."""

_MOST: Final = 4096
_BYTES: Final = 250
"""What one costs, about."""


class Requests:
    """The requests of one direction."""

    __slots__ = ("_allowance", "_blocks")

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._blocks: dict[Block, None] = {}

    def __contains__(self, block: Block) -> bool:
        return block in self._blocks

    def add(self, block: Block) -> None:
        """Take one more; the oldest gives way if there are too many."""
        if len(self._blocks) >= _MOST:
            self.remove(next(iter(self._blocks)))
        if block not in self._blocks and self._allowance.take(_BYTES):
            self._blocks[block] = None

    def remove(self, block: Block) -> None:
        """Forget one, if it is there."""
        if block in self._blocks:
            del self._blocks[block]
            self._allowance.give_back(_BYTES)

    def remove_before(self, block: Block) -> list[Block]:
        """Remove and return those that are older than this one: they will not be answered any more."""
        older = list(takewhile(lambda each: each != block, self._blocks))
        self.remove_all(older)
        return older

    def remove_all(self, blocks: Iterable[Block]) -> None:
        """Forget these."""
        for block in list(blocks):
            self.remove(block)

    def move_to(self, other: "Requests") -> None:
        """Give all to another."""
        blocks = list(self._blocks)
        self.remove_all(blocks)
        for block in blocks:
            other.add(block)

    def clear(self) -> None:
        """Forget all."""
        self.remove_all(self._blocks)
