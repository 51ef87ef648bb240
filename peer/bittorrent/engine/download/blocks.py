"""How a torrent is cut into pieces, and pieces into blocks; only the last of each may be shorter."""

from dataclasses import dataclass
from typing import NamedTuple


class Block(NamedTuple):
    """What one request asks for. It is equal to the plain tuple of its numbers, and hashes alike."""

    index: int  # type: ignore[assignment]  # hides a method of tuples that no block needs
    begin: int
    length: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Lengths in bytes."""

    length: int
    piece_length: int
    block_length: int

    def piece_size(self, index: int) -> int:
        """Return the size of a piece; it is 0 beyond the end."""
        return max(0, min(self.piece_length, self.length - index * self.piece_length))

    def block_count(self, index: int) -> int:
        return -(-self.piece_size(index) // self.block_length)

    def is_block(self, index: int, begin: int, length: int) -> bool:
        """Whether this is one of our blocks: we never request anything else."""
        expected = min(self.block_length, self.piece_size(index) - begin)
        return begin % self.block_length == 0 and length == expected > 0
