"""What a picker sees of one neighbour: the pieces that it has, that we lack, and that are not active.

At 10,000 pieces nothing here may look at all of them each time. So a piece is first drawn blindly, a few times: that
succeeds at once where the neighbour has most pieces. Where it has few, its own list is the shorter one to walk. Either
way each piece that qualifies is as likely as the others.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from random import Random
from typing import Final

from peer.bittorrent.engine.download.rarity import Rarity
from peer.bittorrent.wire.bitfield import Bitfield

TRIES: Final = 8
WALK_SHARE: Final = 10
"""How much more it costs, for each piece, to walk through the order than to list a neighbour's pieces."""


class CandidatePieces:
    """A `PieceView`. It is made for one decision; `among` narrows it to certain pieces."""

    __slots__ = ("_among", "_have", "_rarity", "_rng", "_theirs", "neighbour")

    def __init__(
        self,
        neighbour: int,
        theirs: Bitfield,
        have: Bitfield,
        rarity: Rarity,
        rng: Random,
        *,
        among: AbstractSet[int] | None = None,
    ) -> None:
        self.neighbour: Final = neighbour
        self._theirs = theirs
        self._have = have
        self._rarity = rarity
        self._rng = rng
        self._among = among

    @property
    def have_count(self) -> int:
        return self._have.count

    def copies(self, index: int) -> int:
        return self._rarity.copies(index)

    def __contains__(self, index: int) -> bool:
        return index in self._rarity and index in self._theirs and (self._among is None or index in self._among)

    def __iter__(self) -> Iterator[int]:
        if self._among is not None:
            return (index for index in sorted(self._among) if index in self)
        return (index for index in self._have.missing_in(self._theirs) if index in self._rarity)

    def first(self) -> int | None:
        return next(iter(self), None)

    def random(self) -> int | None:
        """Return any piece, drawn evenly."""
        found = self._draw(range(len(self._rarity)))
        return self._one_of(list(self)) if found is None else found

    def rarest(self) -> int | None:
        """Return one of those with the fewest copies, drawn evenly."""
        budget = 0 if self._among is not None else self._have.size // WALK_SHARE
        for level in self._rarity.levels(lowest=0 if self._theirs.is_full else 1):
            found = self._draw(level)
            if found is not None:
                return found
            budget -= len(level)
            if budget < 0:
                break
            if at_level := self._listed(level):
                return self._one_of(at_level)
        return self._rarest_of(list(self))

    def _draw(self, positions: range) -> int | None:
        """Try a few positions; None does not mean that there is no piece."""
        for _ in range(TRIES if positions and self._among is None else 0):
            index = self._rarity.at(positions[int(self._rng.random() * len(positions))])
            if index in self._theirs:
                return index
        return None

    def _listed(self, level: range) -> list[int]:
        return [index for index in map(self._rarity.at, level) if index in self._theirs]

    def _rarest_of(self, pieces: list[int]) -> int | None:
        fewest = min(map(self._rarity.copies, pieces), default=0)
        return self._one_of([index for index in pieces if self._rarity.copies(index) == fewest])

    def _one_of(self, pieces: list[int]) -> int | None:
        return self._rng.choice(pieces) if pieces else None
