"""Which bytes of a piece have come, and when a host had all pieces, by the blocks that it received."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Blocks:
    """The bytes of one piece that have come, as stretches without a gap."""

    size: int
    count: int = 0
    """How many bytes have come, each counted once."""
    _stretches: list[tuple[int, int]] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether all have come."""
        return self.count >= self.size

    def add(self, begin: int, length: int) -> int:
        """Add a block, as far as it lies within the piece; returns how many of its bytes are new."""
        first, last = max(begin, 0), min(begin + length, self.size)
        if first >= last:
            return 0
        kept: list[tuple[int, int]] = []
        for start, stop in self._stretches:
            if stop < first or start > last:
                kept.append((start, stop))
            else:
                first, last = min(first, start), max(last, stop)
        kept.append((first, last))
        before, self._stretches = self.count, kept
        self.count = sum(stop - start for start, stop in kept)
        return self.count - before


@dataclass(slots=True)
class Download:
    """The blocks that one host has received."""

    length: int
    piece_length: int
    needed: int = 0
    """Bytes that had not come before."""
    wasted: int = 0
    """Bytes that had."""
    completed: int | None = None
    """When the last missing byte came, in the unit of the times given."""
    times: dict[int, int] = field(default_factory=dict)
    """When each piece was whole."""
    _pieces: dict[int, Blocks] = field(default_factory=dict)

    @property
    def piece_count(self) -> int:
        """How many pieces the torrent has."""
        return -(-self.length // self.piece_length)

    def add(self, index: int, begin: int, length: int, time: int) -> None:
        """Add a block that has come; one that lies in no piece of the torrent is wasted."""
        blocks = self._blocks(index)
        new = 0 if blocks is None else blocks.add(begin, length)
        self.needed += new
        self.wasted += length - new
        if new and blocks is not None and blocks.is_full:
            self.times[index] = time
            if self.completed is None and len(self.times) == self.piece_count:
                self.completed = time

    def _blocks(self, index: int) -> Blocks | None:
        if not 0 <= index < self.piece_count:
            return None
        if index not in self._pieces:
            size = min(self.piece_length, self.length - index * self.piece_length)
            self._pieces[index] = Blocks(size)
        return self._pieces[index]

    @property
    def progress(self) -> Mapping[int, int]:
        """How many bytes of each piece have come."""
        return {index: blocks.count for index, blocks in self._pieces.items()}
