"""Policies of seeds: the standard client, with a seed choker named here instead of the one of its profile.

    seed-round-robin   all neighbours in turn, for 60 s and 20 pieces each (libtorrent's round robin)
    seed-fastest       those that download fastest, and others on trial (BEP 3, mainline)
    anti-leech         those that have the fewest and the most pieces, those in the middle last (libtorrent)

The anti-leech rule is libtorrent's `anti_leech` seed choker. S is the length of the file; among neighbours with equal
scores, the one that waited longest is first:

    score of a neighbour   |have - S/2| x 2000/S      have: what it announced, or what we sent it if that is more

So newcomers get pieces to trade with, those near the end become seeds sooner, and a client that downloads only from
seeds waits in the middle. Parameters: only the standard ones; turns and trials are those of the profile. Left out:
libtorrent's preference for peers on its own network.
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
    Grant,
    Strategy,
    Trigger,
)
from peer.bittorrent.strategies.parts.seed_chokers import FREE_SLOT, ServiceQueue, refuse_others
from peer.bittorrent.strategies.standard import tit_for_tat, with_slots

AT_AN_END: Final = "at an end"
IN_THE_MIDDLE: Final = "in the middle"
HAS_LEAST: Final = "has least"
HAS_MORE: Final = "has more"
FULL_SCORE: Final = 1000
"""The score of a neighbour with no pieces or all pieces; with half of them it is 0."""


class AsSeed:
    """One choker while pieces are missing, and another one as a seed."""

    def __init__(self, before: Choker, after: Choker) -> None:
        self._before: Final = before
        self._after: Final = after

    def allocate(self, view: ChokingView) -> Allocation:
        return self._after.allocate(view) if view.is_seed else self._before.allocate(view)


class LeastFirst:
    """Serves those with the fewest pieces, so that in a flash crowd no peer completes much later than the others."""

    def __init__(self, slots: int) -> None:
        self._slots: Final = slots

    def allocate(self, view: ChokingView) -> Allocation:
        """In a round, choose anew; between rounds, fill free slots."""
        wanting = sorted((each for each in view.candidates if each.is_interested), key=lambda each: each.have_count)
        if view.trigger is Trigger.CHANGE:
            wanting.sort(key=lambda candidate: not candidate.is_unchoked)
        chosen = wanting[: self._slots]
        reason = HAS_LEAST if len(chosen) < len(wanting) else FREE_SLOT
        return refuse_others(view, {candidate.key: Grant(reason) for candidate in chosen}, lambda _: HAS_MORE)


class AntiLeech:
    """Serves those near either end of their download; between rounds it only fills free slots."""

    def __init__(self, profile: Profile, rng: Random) -> None:
        self._profile: Final = profile
        self._queue: Final = ServiceQueue(rng)

    def allocate(self, view: ChokingView) -> Allocation:
        wanting = [candidate for candidate in self._queue.in_order(view.candidates) if candidate.is_interested]
        wanting.sort(key=lambda candidate: -anti_leech_score(candidate, view))
        if view.trigger is Trigger.CHANGE:
            wanting.sort(key=lambda candidate: not candidate.is_unchoked)
        chosen = wanting[: self._profile.slots(view.capacity)]
        self._queue.move_to_back({candidate.key for candidate in chosen})
        reason = AT_AN_END if len(chosen) < len(wanting) else FREE_SLOT
        return _allocation(view, chosen, reason)


def anti_leech_score(candidate: Candidate, view: ChokingView) -> int:
    """Return 1000 for a neighbour with no pieces or all pieces, 0 for one with half of them."""
    length = view.piece_count * view.piece_length
    have = max(candidate.sent, candidate.have_count * view.piece_length)
    return round(abs(2 * have / length - 1) * FULL_SCORE) if length else 0


def _allocation(view: ChokingView, chosen: Sequence[Candidate], reason: str) -> Allocation:
    return refuse_others(view, {candidate.key: Grant(reason) for candidate in chosen}, lambda _: IN_THE_MIDDLE)


def seed_round_robin(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    changed = replace(profile, seed_choker="round-robin")
    return replace(tit_for_tat(changed, rng, departure=departure, slots=slots), name="seed-round-robin")


def seed_fastest(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    changed = replace(profile, seed_choker="fastest")
    return replace(tit_for_tat(changed, rng, departure=departure, slots=slots), name="seed-fastest")


def anti_leech(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    standard = tit_for_tat(profile, rng, departure=departure, slots=slots)
    as_seed = AntiLeech(with_slots(profile, slots), rng)
    return replace(standard, name="anti-leech", choker=AsSeed(standard.choker, as_seed))
