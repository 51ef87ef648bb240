"""Which bytes of a piece have come, and when a host had all pieces, by the blocks that it received."""

from collections.abc import Iterable
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
    """The pieces of one host, by the blocks that it received and asked for.

    A piece is there when all its bytes have come. Bytes on the wire can be wrong, which its receiver alone finds out:
    then it asks for the piece again. So a piece of which all bytes come again, after they were asked for again, counts
    from then on. A duplicate that was asked for before is not counted.
    """

    length: int
    piece_length: int
    needed: int = 0
    """Bytes that had not come before, or had to come again."""
    wasted: int = 0
    """All others."""
    times: dict[int, int] = field(default_factory=dict)
    """When each piece was whole, in the unit of the times given."""
    _pieces: dict[int, Blocks] = field(default_factory=dict)
    _again: dict[int, Blocks] = field(default_factory=dict)
    """What came again of pieces that had been whole."""
    _asked_again: set[tuple[int, int]] = field(default_factory=set)
    """Piece and first byte of the blocks that were asked for when their piece was whole."""

    @property
    def piece_count(self) -> int:
        """How many pieces the torrent has."""
        return -(-self.length // self.piece_length)

    @property
    def completed(self) -> int | None:
        """When the last piece was whole; None while one is not."""
        return max(self.times.values()) if len(self.times) == self.piece_count else None

    def had(self, indices: Iterable[int], time: int) -> None:
        """Note pieces that were there before."""
        for index in indices:
            if index not in self.times and 0 <= index < self.piece_count:
                self.times[index] = time

    def asked(self, index: int, begin: int) -> None:
        """Note that the host asks for a block."""
        if index in self.times:
            self._asked_again.add((index, begin))

    def received(self, index: int, begin: int, length: int, time: int) -> None:
        """Add a block that has come; one that lies in no piece of the torrent is wasted."""
        blocks = self._blocks(index, self._pieces)
        if blocks is not None and blocks.is_full and (index, begin) in self._asked_again:
            self._asked_again.discard((index, begin))
            blocks = self._blocks(index, self._again)
        new = 0 if blocks is None else blocks.add(begin, length)
        self.needed += new
        self.wasted += length - new
        if new and blocks is not None and blocks.is_full:
            self.times[index] = time
            self._again.pop(index, None)

    def _blocks(self, index: int, pieces: dict[int, Blocks]) -> Blocks | None:
        if not 0 <= index < self.piece_count:
            return None
        if index not in pieces:
            pieces[index] = Blocks(min(self.piece_length, self.length - index * self.piece_length))
        return pieces[index]
