"""How many neighbours have each piece, and the inactive missing pieces in that order.

    order     | 7 2 9 | 4 | | 0 8 1 3 |     pieces, those with 0 copies first, then those with 1, ...
    ends           3    4  4          8     where each level ends: ends[2] == ends[1], no piece has 2 copies
    at        where in `order` a piece is; -1 if it is not there

A piece that gains a copy swaps places with the last of its level, and the level ends one earlier: O(1) for each have.
Pieces come into the order and go from it in O(levels), which happens once per piece and not once per have.

Copies of seeds do not change the order: neighbours that have all pieces when they come are only counted (`seeds`).
"""

from collections.abc import Iterable, Iterator

from peer.bittorrent.wire.bitfield import Bitfield


class Rarity:
    """Invariant: ends[n] is the number of pieces in `order` with at most n listed copies; ends[-1] == len(order).

    There are as many levels above 0 as there are neighbours whose pieces are listed, so no piece can outgrow them.
    """

    __slots__ = ("_at", "_copies", "_ends", "_order", "seeds")

    def __init__(self, size: int, fresh: Iterable[int]) -> None:
        self._order = list(fresh)
        self._at = [-1] * size
        for at, index in enumerate(self._order):
            self._at[index] = at
        self._copies = [0] * size
        self._ends = [len(self._order)]
        self.seeds = 0
        """Neighbours that had all pieces when they came."""

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, index: int) -> bool:
        return 0 <= index < len(self._at) and self._at[index] >= 0

    def copies(self, index: int) -> int:
        """Return how many neighbours have a piece."""
        return self._copies[index] + self.seeds

    def neighbour_joined(self, bitfield: Bitfield) -> bool:
        """Count a neighbour's pieces; returns whether it counts as a seed, which `neighbour_left` needs to know."""
        if bitfield.is_full:
            self.seeds += 1
            return True
        self._ends.append(self._ends[-1])
        for index in bitfield:
            self.gained(index)
        return False

    def neighbour_left(self, bitfield: Bitfield, *, is_seed: bool) -> None:
        """Stop counting a neighbour's pieces."""
        if is_seed:
            self.seeds -= 1
            return
        for index in bitfield:
            self._lost(index)
        self._ends.pop()

    def gained(self, index: int) -> bool:
        """Count one more copy, of a neighbour that is no seed; returns whether the piece is in the order."""
        level = self._copies[index]
        self._copies[index] = level + 1
        at = self._at[index]
        if at < 0:
            return False
        self._ends[level] -= 1
        self._swap(index, at, self._ends[level])
        return True

    def take(self, index: int) -> None:
        """Take a piece out of the order: it is active."""
        hole = self._at[index]
        self._at[index] = -1
        for level in range(self._copies[index], len(self._ends)):
            self._ends[level] -= 1
            hole = self._fill(hole, self._ends[level])
        self._order.pop()

    def put_back(self, index: int) -> None:
        """Put a piece into the order again: it is not active any more."""
        hole = len(self._order)
        self._order.append(index)
        for level in range(len(self._ends) - 1, self._copies[index], -1):
            self._ends[level] += 1
            hole = self._fill(hole, self._ends[level - 1])
        self._ends[self._copies[index]] += 1
        self._order[hole] = index
        self._at[index] = hole

    def levels(self, lowest: int = 0) -> Iterator[range]:
        """Yield where in the order the pieces of each level are, from the rarest; empty levels are left out."""
        start = self._ends[lowest - 1] if lowest else 0
        for end in self._ends[lowest:]:
            if end > start:
                yield range(start, end)
            start = end

    def at(self, position: int) -> int:
        """Return the piece at a position of the order."""
        return self._order[position]

    def _lost(self, index: int) -> None:
        level = self._copies[index] - 1
        self._copies[index] = level
        at = self._at[index]
        if at >= 0:
            self._swap(index, at, self._ends[level])
            self._ends[level] += 1

    def _fill(self, hole: int, source: int) -> int:
        """Move a piece into the hole; returns where the hole is then."""
        if source != hole:
            moved = self._order[source]
            self._order[hole] = moved
            self._at[moved] = hole
        return source

    def _swap(self, index: int, at: int, to: int) -> None:
        other = self._order[to]
        self._order[at] = other
        self._at[other] = at
        self._order[to] = index
        self._at[index] = to
