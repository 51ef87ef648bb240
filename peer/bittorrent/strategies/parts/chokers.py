"""Tit-for-tat: serve those that serve us, and try others out, one at a time.

    slots   [ reciprocating | reciprocating | reciprocating | reciprocating | optimistic ]
              by the rate at which we receive from them, anew in each round    by chance, for 30 s

A reciprocating slot that nobody earns, because too few send us anything or those who did have snubbed us, is one more
optimistic slot: it is drawn by chance, and held until its time is over or somebody earns it. So the first moments of a
swarm, when nobody has sent anything, need no rule of their own.
"""

from collections.abc import Sequence
from math import inf
from random import Random
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import (
    Allocation,
    Candidate,
    Choker,
    ChokingView,
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
    """The standard choker, with the numbers of a profile; as a seed it does what the profile says of seeds.

    Between rounds, nobody who is served loses the slot and free slots are filled at once: an empty slot is upload that
    is lost, and a choke before the round is a rate that was never measured. The one exception is a ready neighbour
    (see `_ready`) that comes to want something: it is served by right, and if that is one too many, the last one that
    was drawn into a slot beyond the optimistic ones goes, or else the slowest.
    """

    def __init__(self, profile: Profile, rng: Random) -> None:
        self._profile = profile
        self._rng = rng
        self._as_seed: Choker = SEED_CHOKERS[profile.seed_choker](profile, rng)
        self._turns: dict[int, float] = {}
        """Who is served optimistically, and until when at least; those who came in first stand first."""

    def allot(self, view: ChokingView) -> Allocation:
        """In a round, decide everything anew but the optimistic turns that last; in between, fill free slots."""
        if view.is_seed:
            return self._as_seed.allot(view)
        slots = self._slots(view)
        interested = [candidate for candidate in view.candidates if candidate.is_interested]
        choose = self._best if view.trigger is Trigger.ROUND else self._kept_and_added
        reciprocating = choose(interested, slots)
        chosen = {candidate.key for candidate in reciprocating}
        others = [candidate for candidate in interested if candidate.key not in chosen]
        self._turns = self._next_turns(others, slots - len(reciprocating), view)
        ready = self._ready(view, reciprocating, slots)
        return self._explained(view, reciprocating, ready, is_contested=len(others) > len(self._turns))

    def _slots(self, view: ChokingView) -> int:
        return self._profile.slots(view.capacity)

    def _best(self, interested: Sequence[Candidate], slots: int) -> list[Candidate]:
        return self._paying(interested)[: slots - self._optimistic_slots(slots)]

    def _kept_and_added(self, interested: Sequence[Candidate], slots: int) -> list[Candidate]:
        """Keep who is served, and give free reciprocating slots to the fastest of the others."""
        optimistic_slots = self._optimistic_slots(slots)
        on_turn = sum(candidate.key in self._turns for candidate in interested)
        served = [each for each in interested if each.is_unchoked and each.key not in self._turns]
        served.sort(key=lambda candidate: -candidate.received_rate)
        kept = served[: slots - min(on_turn, optimistic_slots)]
        free = min(slots - optimistic_slots - len(kept), slots - len(kept) - on_turn)
        choked = [each for each in interested if not each.is_unchoked and each.key not in self._turns]
        return kept + self._paying(choked)[: max(free, 0)]

    def _paying(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return those that send us something, the fastest first; among equals chance decides."""
        paying = [each for each in candidates if each.received_rate > 0 and not each.is_snubbed]
        self._rng.shuffle(paying)
        return sorted(paying, key=lambda candidate: -candidate.received_rate)

    def _next_turns(self, others: Sequence[Candidate], places: int, view: ChokingView) -> dict[int, float]:
        """Let the turns go on that are not over, draw for the free places, and prolong old turns where nobody waits."""
        present = {candidate.key for candidate in others}
        turns = {key: end for key, end in self._turns.items() if key in present}
        over = {key: end for key, end in turns.items() if self._is_over(end, view)}
        lasting = [item for item in turns.items() if item[0] not in over][:places]
        waiting = [candidate for candidate in others if candidate.key not in turns]
        end = view.now + self._profile.optimistic_period
        drawn = [(each.key, end) for each in self._draw(waiting, places - len(lasting))]
        prolonged = list(over.items())[: places - len(lasting) - len(drawn)]
        return dict(prolonged + lasting + drawn)

    def _is_over(self, end: float, view: ChokingView) -> bool:
        """Turns end in rounds, in the one that is nearest to their time: rounds come late by a little."""
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
        """Return those that want nothing now and give more than the slowest that is served.

        They get no slot, but need not wait for a round when they want something again. Among leeches of one swarm
        interest comes and goes within seconds, and a good neighbour should not lose ten seconds each time. Between
        rounds, those that are unchoked stay so: rates alone are no reason to choke.
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

    def _explained(
        self, view: ChokingView, reciprocating: Sequence[Candidate], ready: Sequence[Candidate], *, is_contested: bool
    ) -> Allocation:
        grants = {candidate.key: Grant(RECIPROCATES) for candidate in reciprocating}
        grants |= {key: Grant(OPTIMISTIC if is_contested else FREE_SLOT) for key in self._turns}
        grants |= {candidate.key: Grant(READY) for candidate in ready}
        return refuse_others(view, grants, _why_not)


def _why_not(candidate: Candidate) -> str:
    if candidate.is_snubbed:
        return SNUBBED
    return SLOWER if candidate.received_rate > 0 else GIVES_NOTHING
