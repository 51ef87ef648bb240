"""Fastest only: trade with the fastest neighbours, and leave the others alone.

Liogkas, Nelson, Kohler, Zhang: Exploiting BitTorrent for Fun (But Not Profit). IPTPS 2006; the second of its exploits.

    a neighbour's speed: the rate at which it gives to us, or that at which it announces pieces, whichever is more
    shows interest in the fastest leeches alone, asks them alone, serves them alone; and asks seeds, which cost nothing
    who announces nothing yet is tried by chance while there are too few that do

Parameters: `fastest`, by default as many as the profile has slots; of them all are served, so that there is no
optimistic one. Left out: how the paper's client averages over time; here half of a speed is the last round's.
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
from peer.bittorrent.strategies.parts.peer_policies import Plain
from peer.bittorrent.strategies.standard import tit_for_tat

NEWEST: Final = 0.5
"""What the last round counts for in a speed."""


class Favourites:
    """The neighbours to trade with: chosen in each round as an peer_policy, and held to as a choker."""

    def __init__(self, profile: Profile, rng: Random, choker: Choker, fastest: int | None) -> None:
        self._profile: Final = profile
        self._rng: Final = rng
        self._choker: Final = choker
        self._count: Final = fastest
        self._plain: Final = Plain(profile)
        self._speeds: dict[int, float] = {}
        self._keys: frozenset[int] = frozenset()
        self._capacity: float | None = None

    def targets(self, view: ProgressView, candidates: Sequence[Candidate]) -> PeerTargets:
        """Choose the fastest, and ask them and seeds."""
        piece_length = view.length / view.piece_count if view.piece_count else 0
        self._speeds = {each.key: self._averaged(each, piece_length) for each in candidates}
        leeches = [each for each in candidates if not each.is_seed]
        self._rng.shuffle(leeches)
        leeches.sort(key=lambda candidate: -self._speeds[candidate.key])
        self._keys = frozenset(candidate.key for candidate in leeches[: self._most()])
        seeds = frozenset(candidate.key for candidate in candidates if candidate.is_seed)
        return replace(self._plain.targets(view, candidates), sources=self._keys | seeds)

    def allot(self, view: ChokingView) -> Allocation:
        """Serve the favourites, and nobody else; with everything here, serve as any seed does."""
        self._capacity = view.capacity
        if view.is_seed:
            return self._choker.allot(view)
        favourites = [candidate for candidate in view.candidates if candidate.key in self._keys]
        return self._choker.allot(replace(view, candidates=favourites))

    def _averaged(self, candidate: Candidate, piece_length: float) -> float:
        speed = max(candidate.received_rate, candidate.have_rate * piece_length)
        before = self._speeds.get(candidate.key, speed)
        return NEWEST * speed + (1 - NEWEST) * before

    def _most(self) -> int:
        return self._profile.slots(self._capacity) if self._count is None else self._count


def fastest_only(profile: Profile, rng: Random, *, fastest: int | None = None, departure: str = "stay") -> Strategy:
    """Make the standard client for which only the fastest neighbours exist."""
    count = None if fastest is None else whole_number("fastest", fastest)
    standard = tit_for_tat(profile, rng, departure=departure, slots=count)
    favourites = Favourites(profile, rng, standard.choker, count)
    return replace(standard, name="fastest-only", choker=favourites, peer_policy=favourites)
