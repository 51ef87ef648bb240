"""The blocks that were asked for and have not come, oldest first, as far as memory allows.

Requests belong to a run as long as none can have been missed between them. Only what is of one run is complete, and
tells which blocks must come next from a peer that answers in the order of the requests.
"""

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

    __slots__ = ("_allowance", "_blocks", "_run")

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._blocks: dict[Block, int] = {}
        """Each with the number of its run."""
        self._run = 0

    def __contains__(self, block: Block) -> bool:
        return block in self._blocks

    def add(self, block: Block) -> None:
        """Take one more; the oldest gives way if there are too many. What is asked for again is the newest again."""
        self._remove(block)
        if len(self._blocks) >= _MOST:
            self._remove(next(iter(self._blocks)))
        if self._allowance.take(_BYTES):
            self._blocks[block] = self._run
        else:
            self.break_run()

    def break_run(self) -> None:
        """Some may be missing here."""
        self._run += 1

    def answer(self, block: Block) -> None:
        """Forget one that has come. If others should have come before it, they are forgotten too."""
        if block not in self._blocks or self.pop_older(block):
            self.break_run()
        self._remove(block)

    def pop_older(self, block: Block) -> list[Block]:
        """Remove and return those that are older than this one."""
        older = list(takewhile(lambda each: each != block, self._blocks))
        self._remove_all(older)
        return older

    def are_of_one_run(self, block: Block) -> bool:
        """Return whether none can be missing from the oldest up to this one."""
        return self._blocks.get(block, -1) == next(iter(self._blocks.values()), -2)

    def move_to(self, other: "Requests") -> None:
        """Give all to another."""
        blocks, latest = list(self._blocks.items()), 0
        self.clear()
        for block, run in [*blocks, (None, self._run)]:
            if run != latest:
                other.break_run()
            if block is not None:
                other.add(block)
            latest = run

    def clear(self) -> None:
        """Forget all."""
        self._remove_all(self._blocks)

    def _remove(self, block: Block) -> None:
        if self._blocks.pop(block, None) is not None:
            self._allowance.give_back(_BYTES)

    def _remove_all(self, blocks: Iterable[Block]) -> None:
        for block in list(blocks):
            self._remove(block)
