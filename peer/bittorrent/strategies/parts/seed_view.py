"""What the neighbours of a seed have and were told, for a seed that does not say at once that it has everything."""

from collections import Counter
from collections.abc import Collection, Iterator

from peer.bittorrent.wire.bitfield import Bitfield


class Audience:
    """Who is there, and how many copies of each piece they have."""

    def __init__(self) -> None:
        self.copies = Counter[int]()
        self._has: dict[int, Bitfield] = {}
        self._knows: dict[int, Bitfield] = {}
        """What each has or was told of: there is no use in telling it."""

    def __len__(self) -> int:
        return len(self._has)

    def __iter__(self) -> Iterator[int]:
        return iter(self._has)

    def came(self, key: int, size: int) -> None:
        """Take in a neighbour, of which nothing is known yet."""
        self._has[key] = Bitfield(size)
        self._knows[key] = Bitfield(size)

    def heard(self, key: int, index: int) -> None:
        """Take in that a neighbour has a piece."""
        if key in self._has and self._has[key].add(index):
            self._knows[key].add(index)
            self.copies[index] += 1

    def told(self, key: int, index: int) -> None:
        """Take note that a neighbour is told of a piece."""
        self._knows[key].add(index)

    def keep(self, present: Collection[int]) -> list[int]:
        """Forget all but those who are present; returns who has gone."""
        gone = [key for key in self._has if key not in present]
        for key in gone:
            self.copies.subtract(self._has.pop(key))
            del self._knows[key]
        return gone

    def has(self, key: int, index: int) -> bool:
        """Tell whether a neighbour has a piece."""
        return index in self._has[key]

    def untold(self, key: int) -> Iterator[int]:
        """Yield the pieces that a neighbour could be told of, in order."""
        return self._knows[key].missing()
