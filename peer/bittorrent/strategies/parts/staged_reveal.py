"""The seed of `swift`: it gives the pieces one after the other, each once, and then helps those that have least.

    At first it unchokes everybody and claims to have nothing. Then it tells one neighbour of one piece, the next
    neighbour of the next piece, and so on, with only as many under way as keep its uplink busy. A neighbour that has
    its piece goes to the end of the line.
    When every piece has been told of once, it tells everybody of everything, and serves a few neighbours at a time:
    those with the fewest pieces.

What is under way shares the uplink. Two pieces side by side take twice the time of one, and nobody can pass on the
half of a piece: so the fewer at a time, the sooner other uplinks have something to send.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from math import ceil
from random import Random
from typing import Final

from peer.bittorrent.engine.strategy import (
    Allocation,
    ChokingView,
    Grant,
    Trigger,
)
from peer.bittorrent.strategies.parts.advertisers import Honest
from peer.bittorrent.strategies.parts.seed_view import Audience
from peer.bittorrent.strategies.seed_policies import LeastFirst
from peer.bittorrent.wire.bitfield import Bitfield

ONE_BY_ONE: Final = "one by one"
LEAD: Final = 0.1
"""Seconds of our upload that are under way besides the piece that is being sent, so that asking costs nothing."""
AT_FIRST: Final = 2
"""Pieces under way before we know our capacity."""
NO_LIMIT: Final = 10
"""Pieces under way where nobody told us our capacity."""
STALL: Final = 1.0


class Unveiling(Honest):
    """The advertiser of a client, and its choker as a seed; who does not begin with everything hides nothing."""

    def __init__(self, afterwards: LeastFirst, rng: Random) -> None:
        self._afterwards: Final = afterwards
        self._rng: Final = rng
        self._audience: Final = Audience()
        self._line: deque[int] = deque()
        """Neighbours that wait for a piece; some may have gone."""
        self._to_give: list[int] | None = None
        """Pieces that nobody was told of, the next one last; None before anybody came."""
        self._under_way: dict[int, int] = {}
        """For each neighbour that fetches a piece, which."""
        self._most_under_way = AT_FIRST
        self._patience = STALL
        self._moved_at = 0.0
        self._has_moved = False
        self.is_open = False
        """Whether everybody was told of everything, now or from the beginning."""

    def allot(self, view: ChokingView) -> Allocation:
        """Unchoke everybody: what they may have now is not decided here, but by what they are told of."""
        for key in self._audience.keep({candidate.key for candidate in view.candidates}):
            self._take_back(key)
        if self.is_open:
            return self._finishing(view, self._afterwards.allot(view))
        self._set_pace(view)
        return Allocation({candidate.key: Grant(ONE_BY_ONE) for candidate in view.candidates})

    def first_words(self, neighbour: int, have: Bitfield) -> Bitfield:
        """Claim one piece if it is time for another one, else nothing."""
        if self._to_give is None:
            self._to_give = list(have)
            self._rng.shuffle(self._to_give)
            self.is_open = not have.is_full
        if self.is_open:
            return have
        self._audience.came(neighbour, have.size)
        self._line.append(neighbour)
        claimed = Bitfield(have.size)
        for _, index in self._tell(self._most_under_way):
            claimed.add(index)
        return claimed

    def heard(self, neighbour: int, index: int) -> Iterable[tuple[int, int]]:
        """Go on with the next piece when one has arrived."""
        self._audience.heard(neighbour, index)
        if self._under_way.get(neighbour) != index:
            return ()
        del self._under_way[neighbour]
        if self.is_open:
            return ()
        self._line.append(neighbour)
        self._has_moved = True
        return self._tell(self._most_under_way) or self._open()

    def later(self, now: float) -> Iterable[tuple[int, int]]:
        """Put one more piece under way when none has arrived for long: a neighbour may be slow, or gone."""
        if self.is_open or not self._audience:
            return ()
        if self._has_moved:
            self._has_moved, self._moved_at = False, now
        most = self._most_under_way
        if now - self._moved_at >= self._patience:
            self._moved_at = now
            most = max(most, len(self._under_way) + 1)
        return self._tell(most) or self._open()

    def _finishing(self, view: ChokingView, allocation: Allocation) -> Allocation:
        """Let those finish, until the next round, that fetch a piece told to them alone: half of one is of no use."""
        if view.trigger is Trigger.ROUND:
            self._under_way.clear()
        grants = dict.fromkeys(self._under_way, Grant(ONE_BY_ONE)) | dict(allocation.grants)
        return Allocation(grants, {key: why for key, why in allocation.refusals.items() if key not in grants})

    def _set_pace(self, view: ChokingView) -> None:
        if view.capacity is None:
            self._most_under_way, self._patience = NO_LIMIT, STALL
            return
        pieces_a_second = view.capacity / max(view.piece_length, 1)
        self._most_under_way = 1 + ceil(LEAD * pieces_a_second)
        self._patience = max(STALL, 4 * self._most_under_way / pieces_a_second)

    def _tell(self, most: int) -> list[tuple[int, int]]:
        """Tell those who waited longest of the next pieces, until so many are under way."""
        told = []
        while len(self._under_way) < most and self._line and (index := self._next_piece()) is not None:
            key = self._line.popleft()
            self._under_way[key] = index
            self._audience.told(key, index)
            told.append((key, index))
        return told

    def _next_piece(self) -> int | None:
        """Return a piece of which there is no copy yet."""
        while self._to_give:
            index = self._to_give.pop()
            if not self._audience.copies[index]:
                return index
        return None

    def _open(self) -> Iterator[tuple[int, int]]:
        """Tell everybody of everything, once nothing is left to give."""
        if not self._to_give:
            self.is_open = True
            for key in self._audience:
                yield from ((key, index) for index in self._audience.untold(key))

    def _take_back(self, key: int) -> None:
        """Give to another what one who has gone did not fetch."""
        index = self._under_way.pop(key, None)
        if index is not None and self._to_give is not None:
            self._to_give.append(index)
        if key in self._line:
            self._line.remove(key)
