"""Under-reporting: announce pieces one by one, just enough to keep neighbours interested.

Levin, LaCurts, Spring, Bhattacharjee: BitTorrent is an Auction: Analyzing and Improving BitTorrent's Incentives.
SIGCOMM 2008.

    announces to each neighbour only as many pieces as keep a few new to it
    when fewer are new to it, announces one more that it lacks: the one that most others have
    so a neighbour stays interested longer, and rare pieces stay rare and valuable

Parameters: `ahead` 1, how many pieces a neighbour may know of and lack. As a seed it gains nothing by this, so it
announces all pieces to all neighbours. Left out: announcing more to some neighbours than to others.
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
class _Neighbour:
    """What one neighbour has, which of our pieces it knows of and lacks, and which others could be announced to it."""

    theirs: set[int] = field(default_factory=set)
    wanted: set[int] = field(default_factory=set)
    """Announced to it; it lacks them."""
    hidden: set[int] = field(default_factory=set)
    """Not announced to it; it lacks them and we have them."""


class UnderReports(Honest):
    """Keeps each neighbour aware of `ahead` of our pieces that it lacks."""

    def __init__(self, ahead: int, rng: Random) -> None:
        self._ahead: Final = ahead
        self._rng: Final = rng
        self._have = Bitfield(0)
        self._neighbours: dict[int, _Neighbour] = {}
        self._copies = Counter[int]()

    def initial_bitfield(self, neighbour: int, have: Bitfield) -> Bitfield:
        """Claim a few pieces; which pieces the neighbour has is not known yet."""
        self._have = have
        if have.is_full:
            return have
        known = self._neighbours[neighbour] = _Neighbour(hidden=set(have))
        claimed = Bitfield(have.size)
        for index in self._revealed(known):
            claimed.add(index)
        return claimed

    def announce_to(self, index: int, neighbours: Iterable[int]) -> Iterable[int]:
        """Announce the piece to neighbours that lack it and know of too few others."""
        present = {key: self._neighbours[key] for key in neighbours if key in self._neighbours}
        self._neighbours = present
        for key, known in present.items():
            if index in known.theirs:
                continue
            if len(known.wanted) < self._ahead:
                known.wanted.add(index)
                yield key
            else:
                known.hidden.add(index)

    def answer_have(self, neighbour: int, index: int) -> Iterable[tuple[int, int]]:
        """Count the copy, and announce another piece to the neighbour if it now knows of too few."""
        self._copies[index] += 1
        known = self._neighbours.get(neighbour)
        if known is None:
            return
        known.theirs.add(index)
        known.wanted.discard(index)
        known.hidden.discard(index)
        for piece in self._revealed(known):
            yield neighbour, piece

    def due_haves(self, now: float) -> Iterable[tuple[int, int]]:  # noqa: ARG002
        """Announce all pieces once we have all."""
        if not self._have.is_full:
            return
        for key, known in self._neighbours.items():
            yield from ((key, index) for index in sorted(known.hidden))
        self._neighbours = {}

    def _revealed(self, known: _Neighbour) -> Iterator[int]:
        """Pick hidden pieces until enough are known: the most common ones, with ties broken at random."""
        while known.hidden and len(known.wanted) < self._ahead:
            index = max(known.hidden, key=lambda piece: (self._copies[piece], self._rng.random()))
            known.hidden.discard(index)
            known.wanted.add(index)
            yield index


def under_report(
    profile: Profile, rng: Random, *, ahead: int = 1, departure: str = "stay", slots: int | None = None
) -> Strategy:
    return replace(
        tit_for_tat(profile, rng, departure=departure, slots=slots),
        name="under-report",
        advertiser=UnderReports(whole_number("ahead", ahead), rng),
    )
