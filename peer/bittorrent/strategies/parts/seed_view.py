"""What the neighbours of a seed have and know of, for a seed that does not announce all of its pieces at once."""

from collections import Counter
from collections.abc import Collection, Iterator

from peer.bittorrent.wire.bitfield import Bitfield


class SeedView:
    """The neighbours that are present, the pieces of each, and how many copies of each piece they have."""

    def __init__(self) -> None:
        self.copies = Counter[int]()
        self._has: dict[int, Bitfield] = {}
        self._knows: dict[int, Bitfield] = {}
        """The pieces that each neighbour has or knows that we have: announcing them again is useless."""

    def __len__(self) -> int:
        return len(self._has)

    def __iter__(self) -> Iterator[int]:
        return iter(self._has)

    def add(self, key: int, size: int) -> None:
        """Add a neighbour that has announced nothing yet, in a torrent of `size` pieces."""
        self._has[key] = Bitfield(size)
        self._knows[key] = Bitfield(size)

    def record_have(self, key: int, index: int) -> None:
        """Record that a neighbour has a piece."""
        if key in self._has and self._has[key].add(index):
            self._knows[key].add(index)
            self.copies[index] += 1

    def record_announced(self, key: int, index: int) -> None:
        """Record that we announce a piece to a neighbour."""
        self._knows[key].add(index)

    def retain(self, present: Collection[int]) -> list[int]:
        """Forget all neighbours but those present; return the ones that left."""
        gone = [key for key in self._has if key not in present]
        for key in gone:
            self.copies.subtract(self._has.pop(key))
            del self._knows[key]
        return gone

    def has(self, key: int, index: int) -> bool:
        return index in self._has[key]

    def unannounced(self, key: int) -> Iterator[int]:
        """Yield the pieces that could still be announced to a neighbour, in order."""
        return self._knows[key].missing()
