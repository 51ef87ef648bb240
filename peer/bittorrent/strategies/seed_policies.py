"""Seeds' policies by name: the standard client, which as a seed serves as one says here and not as its profile does.

    seed-round-robin   everybody in turn, for 60 s and 20 pieces (libtorrent's round robin)
    seed-fastest       those that take the most, and others on trial (BEP 3, mainline)
    anti-leech         those that have least and those that have most of the file, the middle last (libtorrent)

The anti-leech rule is libtorrent's `anti_leech` seed choker; S is the length of the file, and of those with the
same score the one goes first that waited longest:

    score of a neighbour   |have - S/2| x 2000/S      have: what it announced, or what we sent it if that is more

So newcomers get something to trade with and those near the end become seeds sooner, and who takes from seeds all the
way waits in the middle. Parameters: none but the standard ones; turns and trials are the profile's. Left out: that
libtorrent lets peers on its own network go first.
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
from peer.bittorrent.strategies.parts.seed_chokers import FREE_SLOT, WaitingLine, refuse_others
from peer.bittorrent.strategies.standard import tit_for_tat, with_slots

AT_AN_END: Final = "at an end"
IN_THE_MIDDLE: Final = "in the middle"
HAS_LEAST: Final = "has least"
HAS_MORE: Final = "has more"
FULL_SCORE: Final = 1000
"""Of one who has nothing, or everything; the score in the middle is 0."""


class AsSeed:
    """One choker as long as pieces are missing, another one from then on."""

    def __init__(self, before: Choker, after: Choker) -> None:
        self._before: Final = before
        self._after: Final = after

    def allot(self, view: ChokingView) -> Allocation:
        """Ask the one whose time it is."""
        return self._after.allot(view) if view.is_seed else self._before.allot(view)


class LeastFirst:
    """Serves those that have the fewest pieces: in a flash crowd nobody should be the last by much."""

    def __init__(self, slots: int) -> None:
        self._slots: Final = slots

    def allot(self, view: ChokingView) -> Allocation:
        """In a round, choose anew; in between, fill free slots."""
        wanting = sorted((each for each in view.candidates if each.is_interested), key=lambda each: each.have_count)
        if view.trigger is Trigger.CHANGE:
            wanting.sort(key=lambda candidate: not candidate.is_unchoked)
        chosen = wanting[: self._slots]
        reason = HAS_LEAST if len(chosen) < len(wanting) else FREE_SLOT
        return refuse_others(view, {candidate.key: Grant(reason) for candidate in chosen}, lambda _: HAS_MORE)


class AntiLeech:
    """Serves those at the two ends of a download; between rounds it fills free slots only."""

    def __init__(self, profile: Profile, rng: Random) -> None:
        self._profile: Final = profile
        self._line: Final = WaitingLine(rng)

    def allot(self, view: ChokingView) -> Allocation:
        """Serve those with the highest scores."""
        wanting = [candidate for candidate in self._line.sort(view.candidates) if candidate.is_interested]
        wanting.sort(key=lambda candidate: -anti_leech_score(candidate, view))
        if view.trigger is Trigger.CHANGE:
            wanting.sort(key=lambda candidate: not candidate.is_unchoked)
        chosen = wanting[: self._profile.slots(view.capacity)]
        self._line.served({candidate.key for candidate in chosen})
        reason = AT_AN_END if len(chosen) < len(wanting) else FREE_SLOT
        return _allocation(view, chosen, reason)


def anti_leech_score(candidate: Candidate, view: ChokingView) -> int:
    """Return 1000 for one who has nothing or everything, 0 for one who has half."""
    length = view.piece_count * view.piece_length
    have = max(candidate.sent, candidate.have_count * view.piece_length)
    return round(abs(2 * have / length - 1) * FULL_SCORE) if length else 0


def _allocation(view: ChokingView, chosen: Sequence[Candidate], reason: str) -> Allocation:
    return refuse_others(view, {candidate.key: Grant(reason) for candidate in chosen}, lambda _: IN_THE_MIDDLE)


def seed_round_robin(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    """Make the standard client, whose seed serves everybody in turn."""
    changed = replace(profile, seed_choker="round-robin")
    return replace(tit_for_tat(changed, rng, departure=departure, slots=slots), name="seed-round-robin")


def seed_fastest(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    """Make the standard client, whose seed serves those that take the most."""
    changed = replace(profile, seed_choker="fastest")
    return replace(tit_for_tat(changed, rng, departure=departure, slots=slots), name="seed-fastest")


def anti_leech(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    """Make the standard client, whose seed serves those that have least and those that have most."""
    standard = tit_for_tat(profile, rng, departure=departure, slots=slots)
    as_seed = AntiLeech(with_slots(profile, slots), rng)
    return replace(standard, name="anti-leech", choker=AsSeed(standard.choker, as_seed))
