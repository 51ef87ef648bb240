"""Chokers: tit-for-tat, no upload at all, and garbage instead of data.

Tit-for-tat serves the neighbours that serve us, and tries out the others one at a time:

    slots   [ reciprocating | reciprocating | reciprocating | reciprocating | optimistic ]
              the fastest to us, chosen anew in each round                      random, for 30 s

A reciprocating slot that no neighbour earns, because too few upload to us or those that did now snub us, becomes one
more optimistic slot: its holder is drawn at random and keeps it until its time is over or another neighbour earns the
slot. So the start of a swarm, when no peer has sent anything yet, needs no rule of its own.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from random import Random
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import (
    Allocation,
    Candidate,
    Choker,
    ChokingView,
    Garbage,
    Grant,
    Trigger,
)
from peer.bittorrent.strategies.parts.seed_chokers import (
    FREE_SLOT,
    SEED_CHOKERS,
    SLOWER,
    refuse_others,
)

RECIPROCATES: Final = "reciprocates"
OPTIMISTIC: Final = "optimistic"
READY: Final = "ready"
SNUBBED: Final = "snubbed"
GIVES_NOTHING: Final = "gives nothing"


class TitForTat:
    """The standard choker, with the constants of a profile; as a seed it uses the seed choker of the profile.

    Between rounds, served neighbours keep their slots and free slots are filled at once: an empty slot wastes upload,
    and a choke before the round is over leaves the rate unmeasured. The one exception is a ready neighbour (see
    `_ready`) that becomes interested: it gets a slot. If there is none left, the last neighbour drawn into a slot
    beyond the optimistic ones loses it, or else the slowest one does.
    """

    def __init__(self, profile: Profile, rng: Random) -> None:
        self._profile = profile
        self._rng = rng
        self._as_seed: Choker = SEED_CHOKERS[profile.seed_choker](profile, rng)
        self._optimistic_until: dict[int, float] = {}
        """The neighbours with optimistic slots, the oldest first, and until when each keeps its slot at least."""

    def allocate(self, view: ChokingView) -> Allocation:
        """In a round, reassign all slots except the unexpired optimistic ones; between rounds, fill free slots."""
        if view.is_seed:
            return self._as_seed.allocate(view)
        slots = self._slots(view)
        interested = [candidate for candidate in view.candidates if candidate.is_interested]
        choose = self._best if view.trigger is Trigger.ROUND else self._kept_and_filled
        reciprocating = choose(interested, slots)
        chosen = {candidate.key for candidate in reciprocating}
        others = [candidate for candidate in interested if candidate.key not in chosen]
        self._optimistic_until = self._next_optimistic(others, slots - len(reciprocating), view)
        ready = self._ready(view, reciprocating, slots)
        return self._with_reasons(view, reciprocating, ready, is_contested=len(others) > len(self._optimistic_until))

    def _slots(self, view: ChokingView) -> int:
        return self._profile.slots(view.capacity)

    def _best(self, interested: Sequence[Candidate], slots: int) -> list[Candidate]:
        return self._paying(interested)[: slots - self._optimistic_slots(slots)]

    def _kept_and_filled(self, interested: Sequence[Candidate], slots: int) -> list[Candidate]:
        """Keep the neighbours served now, and give free reciprocating slots to the fastest of the others."""
        optimistic_slots = self._optimistic_slots(slots)
        optimistic = sum(candidate.key in self._optimistic_until for candidate in interested)
        served = [each for each in interested if each.is_unchoked and each.key not in self._optimistic_until]
        served.sort(key=lambda candidate: -candidate.received_rate)
        kept = served[: slots - min(optimistic, optimistic_slots)]
        free = min(slots - optimistic_slots - len(kept), slots - len(kept) - optimistic)
        choked = [each for each in interested if not each.is_unchoked and each.key not in self._optimistic_until]
        return kept + self._paying(choked)[: max(free, 0)]

    def _paying(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return those that upload to us, the fastest first and equally fast ones in random order."""
        paying = [each for each in candidates if each.received_rate > 0 and not each.is_snubbed]
        self._rng.shuffle(paying)
        return sorted(paying, key=lambda candidate: -candidate.received_rate)

    def _next_optimistic(self, others: Sequence[Candidate], count: int, view: ChokingView) -> dict[int, float]:
        """Keep unexpired holders, draw new ones for the free slots, and extend expired ones where none is waiting."""
        present = {candidate.key for candidate in others}
        held = {key: end for key, end in self._optimistic_until.items() if key in present}
        expired = {key: end for key, end in held.items() if self._is_expired(end, view)}
        unexpired = [item for item in held.items() if item[0] not in expired][:count]
        waiting = [candidate for candidate in others if candidate.key not in held]
        end = view.now + self._profile.optimistic_period
        drawn = [(each.key, end) for each in self._draw(waiting, count - len(unexpired))]
        extended = list(expired.items())[: count - len(unexpired) - len(drawn)]
        return dict(extended + unexpired + drawn)

    def _is_expired(self, end: float, view: ChokingView) -> bool:
        """Whether a slot expires in this round, the one nearest to its end: rounds start slightly late."""
        return view.trigger is Trigger.ROUND and end <= view.now + self._profile.rechoke_period / 2

    def _draw(self, waiting: Sequence[Candidate], count: int) -> list[Candidate]:
        pool, drawn = list(waiting), list[Candidate]()
        while pool and len(drawn) < count:
            weights = [self._weight(candidate) for candidate in pool]
            (index,) = self._rng.choices(range(len(pool)), weights)
            drawn.append(pool.pop(index))
        return drawn

    def _weight(self, candidate: Candidate) -> int:
        is_newcomer = candidate.known_for < self._profile.optimistic_period
        return self._profile.newcomer_weight if is_newcomer else 1

    def _ready(self, view: ChokingView, reciprocating: Sequence[Candidate], slots: int) -> list[Candidate]:
        """Return the uninterested neighbours that upload to us faster than the slowest one served.

        They get no slot, but need not wait for a round when they become interested again. Among leeches, interest
        comes and goes within seconds, and a good neighbour should not lose ten seconds each time. Between rounds,
        those already unchoked stay unchoked: a rate alone is no reason to choke.
        """
        if not self._profile.readies_givers:
            return []
        leeches = [each for each in view.candidates if not each.is_interested and not each.is_seed]
        givers = [each for each in leeches if each.received_rate > 0 and not each.is_snubbed]
        if view.trigger is Trigger.CHANGE:
            return [each for each in givers if each.is_unchoked]
        has_room = len(reciprocating) < slots - self._optimistic_slots(slots)
        slowest = 0 if has_room else min((each.received_rate for each in reciprocating), default=inf)
        return [each for each in givers if each.received_rate > slowest]

    def _optimistic_slots(self, slots: int) -> int:
        return min(self._profile.optimistic_slots, slots)

    def _with_reasons(
        self, view: ChokingView, reciprocating: Sequence[Candidate], ready: Sequence[Candidate], *, is_contested: bool
    ) -> Allocation:
        grants = {candidate.key: Grant(RECIPROCATES) for candidate in reciprocating}
        grants |= {key: Grant(OPTIMISTIC if is_contested else FREE_SLOT) for key in self._optimistic_until}
        grants |= {candidate.key: Grant(READY) for candidate in ready}
        return refuse_others(view, grants, _why_not)


class NeverUnchokes:
    """Serves no neighbour, not even as a seed."""

    def allocate(self, view: ChokingView) -> Allocation:  # noqa: ARG002
        return Allocation()


class ServesGarbage:
    """Serves the neighbours that another choker chooses, but with random bytes."""

    def __init__(self, choker: Choker, garbage: Garbage) -> None:
        self._choker: Final = choker
        self._garbage: Final = garbage

    def allocate(self, view: ChokingView) -> Allocation:
        honest = self._choker.allocate(view)
        grants = {key: replace(grant, garbage=self._garbage) for key, grant in honest.grants.items()}
        return Allocation(grants, honest.refusals)


def _why_not(candidate: Candidate) -> str:
    if candidate.is_snubbed:
        return SNUBBED
    return SLOWER if candidate.received_rate > 0 else GIVES_NOTHING
