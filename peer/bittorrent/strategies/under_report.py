"""Under-reporting: announce pieces one by one, just enough to stay interesting.

Levin, LaCurts, Spring, Bhattacharjee: BitTorrent is an Auction: Analyzing and Improving BitTorrent's Incentives.
SIGCOMM 2008.

    tells each neighbour of so few pieces that it lacks a few of those it was told of, and no more
    when it lacks fewer than that, tells it of one more that it lacks: the one most others have
    so a neighbour stays interested longer, and what is rare stays rare, and worth something

Parameters: `ahead` 1, how many pieces that it lacks a neighbour may know of. With everything here there is nothing to
be gained, and everybody is told everything. Left out: telling some neighbours more than others.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.parts.advertisers import Honest
from peer.bittorrent.strategies.parts.parameters import whole_number
from peer.bittorrent.strategies.standard import tit_for_tat
from peer.bittorrent.wire.bitfield import Bitfield


@dataclass(slots=True)
class _Listener:
    """One neighbour: what we have told it that it lacks, and what else it could be told."""

    theirs: set[int] = field(default_factory=set)
    wanted: set[int] = field(default_factory=set)
    """We told it of these, and it lacks them."""
    hidden: set[int] = field(default_factory=set)
    """We have these, it lacks them, and it does not know."""


class UnderReports(Honest):
    """Keeps `ahead` pieces before each neighbour's eyes."""

    def __init__(self, ahead: int, rng: Random) -> None:
        self._ahead: Final = ahead
        self._rng: Final = rng
        self._have = Bitfield(0)
        self._listeners: dict[int, _Listener] = {}
        self._copies = Counter[int]()

    def first_words(self, neighbour: int, have: Bitfield) -> Bitfield:
        """Claim a few pieces: what the neighbour has is not known yet."""
        self._have = have
        if have.is_full:
            return have
        listener = self._listeners[neighbour] = _Listener(hidden=set(have))
        claimed = Bitfield(have.size)
        for index in self._revealed(listener):
            claimed.add(index)
        return claimed

    def completed(self, index: int, neighbours: Iterable[int]) -> Iterable[int]:
        """Tell those that have too little before their eyes and lack the piece."""
        present = {key: self._listeners[key] for key in neighbours if key in self._listeners}
        self._listeners = present
        for key, listener in present.items():
            if index in listener.theirs:
                continue
            if len(listener.wanted) < self._ahead:
                listener.wanted.add(index)
                yield key
            else:
                listener.hidden.add(index)

    def heard(self, neighbour: int, index: int) -> Iterable[tuple[int, int]]:
        """Count the copy, and put another piece before the neighbour's eyes if it has this one from us."""
        self._copies[index] += 1
        listener = self._listeners.get(neighbour)
        if listener is None:
            return
        listener.theirs.add(index)
        listener.wanted.discard(index)
        listener.hidden.discard(index)
        for told in self._revealed(listener):
            yield neighbour, told

    def later(self, now: float) -> Iterable[tuple[int, int]]:  # noqa: ARG002
        """Tell everything once everything is here."""
        if not self._have.is_full:
            return
        for key, listener in self._listeners.items():
            yield from ((key, index) for index in sorted(listener.hidden))
        self._listeners = {}

    def _revealed(self, listener: _Listener) -> Iterator[int]:
        """Bring out hidden pieces until there are enough: the most common ones, among equals by chance."""
        while listener.hidden and len(listener.wanted) < self._ahead:
            index = max(listener.hidden, key=lambda piece: (self._copies[piece], self._rng.random()))
            listener.hidden.discard(index)
            listener.wanted.add(index)
            yield index


def under_report(
    profile: Profile, rng: Random, *, ahead: int = 1, departure: str = "stay", slots: int | None = None
) -> Strategy:
    """Make the standard client with a advertiser that keeps things back."""
    return replace(
        tit_for_tat(profile, rng, departure=departure, slots=slots),
        name="under-report",
        advertiser=UnderReports(whole_number("ahead", ahead), rng),
    )
