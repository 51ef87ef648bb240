"""Fastest only: trade with the fastest neighbours, and ignore the others.

Liogkas, Nelson, Kohler, Zhang: Exploiting BitTorrent for Fun (But Not Profit). IPTPS 2006; the second of its exploits.

    the speed of a neighbour is its upload rate to us or the rate at which it announces pieces, whichever is higher
    of the leeches, only the fastest are shown interest, sent requests and served; seeds are always sent requests
    while too few neighbours announce pieces, the remaining places are random

Parameters: `fastest`, by default the number of slots of the profile; all of these are served, so there is no optimistic
unchoke. Left out: how the paper's client averages over time; here the last round counts for half of a speed.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import (
    Allocation,
    Candidate,
    Choker,
    ChokingView,
    PeerTargets,
    ProgressView,
    Strategy,
)
from peer.bittorrent.strategies.parts.parameters import whole_number
from peer.bittorrent.strategies.parts.peer_policies import FollowsProfile
from peer.bittorrent.strategies.standard import tit_for_tat

NEWEST: Final = 0.5
"""The weight of the last round in a speed."""


class Favourites:
    """The neighbours to trade with, chosen in each round as a peer policy, and the only ones served as a choker."""

    def __init__(self, profile: Profile, rng: Random, choker: Choker, fastest: int | None) -> None:
        self._profile: Final = profile
        self._rng: Final = rng
        self._choker: Final = choker
        self._count: Final = fastest
        self._defaults: Final = FollowsProfile(profile)
        self._speeds: dict[int, float] = {}
        self._keys: frozenset[int] = frozenset()
        self._capacity: float | None = None

    def targets(self, view: ProgressView, candidates: Sequence[Candidate]) -> PeerTargets:
        piece_length = view.length / view.piece_count if view.piece_count else 0
        self._speeds = {each.key: self._averaged(each, piece_length) for each in candidates}
        leeches = [each for each in candidates if not each.is_seed]
        self._rng.shuffle(leeches)
        leeches.sort(key=lambda candidate: -self._speeds[candidate.key])
        self._keys = frozenset(candidate.key for candidate in leeches[: self._most()])
        seeds = frozenset(candidate.key for candidate in candidates if candidate.is_seed)
        return replace(self._defaults.targets(view, candidates), sources=self._keys | seeds)

    def allocate(self, view: ChokingView) -> Allocation:
        """Serve the favourites only; as a seed, serve like any other."""
        self._capacity = view.capacity
        if view.is_seed:
            return self._choker.allocate(view)
        favourites = [candidate for candidate in view.candidates if candidate.key in self._keys]
        return self._choker.allocate(replace(view, candidates=favourites))

    def _averaged(self, candidate: Candidate, piece_length: float) -> float:
        speed = max(candidate.received_rate, candidate.have_rate * piece_length)
        before = self._speeds.get(candidate.key, speed)
        return NEWEST * speed + (1 - NEWEST) * before

    def _most(self) -> int:
        return self._profile.slots(self._capacity) if self._count is None else self._count


def fastest_only(profile: Profile, rng: Random, *, fastest: int | None = None, departure: str = "stay") -> Strategy:
    count = None if fastest is None else whole_number("fastest", fastest)
    standard = tit_for_tat(profile, rng, departure=departure, slots=count)
    favourites = Favourites(profile, rng, standard.choker, count)
    return replace(standard, name="fastest-only", choker=favourites, peer_policy=favourites)
