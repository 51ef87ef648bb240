"""Chokers of seeds, which get nothing back: serve each neighbour in turn, or those that download fastest."""

from collections.abc import Callable, Collection, Mapping, Sequence
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

FREE_SLOT: Final = "free slot"
NOT_INTERESTED: Final = "not interested"
SLOWER: Final = "slower"
WAITING: Final = "waiting"
SEED_TURN: Final = "seed turn"
TURN_OVER: Final = "turn over"
ON_TRIAL: Final = "on trial"
FASTEST: Final = "fastest"


class ServiceQueue:
    """All neighbours in the order in which to serve them; those served move to the back.

    A neighbour that loses interest for a moment keeps its place.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._keys: list[int] = []

    def in_order(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return the candidates in their order; new ones join at the back, in random order."""
        present = {candidate.key: candidate for candidate in candidates}
        known = set(self._keys)
        new = [key for key in present if key not in known]
        self._rng.shuffle(new)
        self._keys = [key for key in self._keys if key in present] + new
        return [present[key] for key in self._keys]

    def move_to_back(self, keys: Collection[int]) -> None:
        """Move these to the back, otherwise keeping the order."""
        self._keys.sort(key=lambda key: key in keys)


class RoundRobin:
    """Serves all neighbours for equally long: when a turn ends, those that waited longest are next.

    A turn ends after a time *and* a number of pieces, so that a slow neighbour gets some pieces too. It also ends when
    nothing was downloaded for a whole rate window; otherwise an idle neighbour would hold its slot for ever.
    """

    def __init__(self, profile: Profile, rng: Random) -> None:
        self._profile = profile
        self._queue = ServiceQueue(rng)

    def allocate(self, view: ChokingView) -> Allocation:
        """In a round, replace those whose turn is over, as far as others wait; between rounds, fill free slots."""
        slots = self._profile.slots(view.capacity)
        served, waiting = _served_and_waiting(self._queue.in_order(view.candidates))
        over = [each for each in served if view.trigger is Trigger.ROUND and self._is_over(each, view)]
        over.sort(key=lambda candidate: candidate.unchoked_for)
        ended = {candidate.key for candidate in over}
        chosen = [each for each in served if each.key not in ended][:slots]
        chosen += waiting[: slots - len(chosen)]
        chosen += over[: slots - len(chosen)]
        self._queue.move_to_back({candidate.key for candidate in chosen})
        return _allocation(view, chosen, lambda _: SEED_TURN, TURN_OVER)

    def _is_over(self, candidate: Candidate, view: ChokingView) -> bool:
        """Rounds start slightly late, so a turn that would end within half a period ends in this round."""
        profile = self._profile
        if candidate.sent_rate == 0 and candidate.unchoked_for >= profile.rate_window:
            return True
        has_had_time = candidate.unchoked_for + profile.rechoke_period / 2 >= profile.seed_turn
        return has_had_time and candidate.sent_since_unchoked >= profile.seed_turn_pieces * view.piece_length


class Fastest:
    """Serves those that download fastest, and gives the others trials.

    A third of the slots is for trials, which go to those that waited longest. A trial lasts one optimistic period, in
    which its neighbour is not choked for being slow, so that its rate can be measured.
    """

    def __init__(self, profile: Profile, rng: Random) -> None:
        self._profile = profile
        self._queue = ServiceQueue(rng)

    def allocate(self, view: ChokingView) -> Allocation:
        """In a round, keep those on trial and the fastest, and start new trials; between rounds, fill free slots."""
        slots = self._profile.slots(view.capacity)
        served, waiting = _served_and_waiting(self._queue.in_order(view.candidates))
        served.sort(key=lambda candidate: (not self._is_on_trial(candidate), -candidate.sent_rate))
        trials = (slots + 2) // 3 - sum(map(self._is_on_trial, served)) if view.trigger is Trigger.ROUND else 0
        chosen = served[: slots - min(max(trials, 0), len(waiting))]
        chosen += waiting[: slots - len(chosen)]
        self._queue.move_to_back({candidate.key for candidate in chosen})
        return _allocation(view, chosen, self._reason, SLOWER)

    def _is_on_trial(self, candidate: Candidate) -> bool:
        """Rounds start slightly late, so a trial that would end within half a period ends in this round."""
        return candidate.unchoked_for + self._profile.rechoke_period / 2 < self._profile.optimistic_period

    def _reason(self, candidate: Candidate) -> str:
        is_on_trial = not candidate.is_unchoked or self._is_on_trial(candidate)
        return ON_TRIAL if is_on_trial else FASTEST


SEED_CHOKERS: Final[dict[str, Callable[[Profile, Random], Choker]]] = {"fastest": Fastest, "round-robin": RoundRobin}


def _served_and_waiting(queue: Sequence[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    interested = [candidate for candidate in queue if candidate.is_interested]
    served = [candidate for candidate in interested if candidate.is_unchoked]
    return served, [candidate for candidate in interested if not candidate.is_unchoked]


def _allocation(
    view: ChokingView, chosen: Sequence[Candidate], why: Callable[[Candidate], str], why_not: str
) -> Allocation:
    """Combine the choices with their reasons; without competition, the reason is `free slot`."""
    keys = {candidate.key for candidate in chosen}
    is_contested = any(candidate.is_interested and candidate.key not in keys for candidate in view.candidates)
    grants = {candidate.key: Grant(why(candidate) if is_contested else FREE_SLOT) for candidate in chosen}
    return refuse_others(view, grants, lambda candidate: why_not if candidate.is_unchoked else WAITING)


def refuse_others(view: ChokingView, grants: Mapping[int, Grant], why_not: Callable[[Candidate], str]) -> Allocation:
    """Complete an allocation: `why_not` gives the reason for each interested neighbour that gets no slot."""
    others = [candidate for candidate in view.candidates if candidate.key not in grants]
    reasons = {each.key: why_not(each) if each.is_interested else NOT_INTERESTED for each in others}
    return Allocation(grants, reasons)
