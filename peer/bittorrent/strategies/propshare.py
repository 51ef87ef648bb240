"""PropShare: give back to each neighbour in proportion to what it gave.

Levin, LaCurts, Spring and Bhattacharjee, "BitTorrent is an auction: analyzing and improving BitTorrent's incentives",
SIGCOMM 2008.

    share     of those that want something, each gets the part of our upload that its gift was of all gifts in the
              last round
    reserve   a fifth is kept for newcomers, who have given nothing yet: they are drawn by chance, in turns
    bids      nothing is gained by giving just enough to win a slot, as BitTyrant does: there are no slots to win

A part that nobody wants goes to the other: to newcomers while nobody gives, to givers if there is no newcomer.
Who has everything serves as a seed of the profile does.

Parameters: `reserve` 0.2; `slots`, of how many equal splits the capacity is taken to be for newcomers, without it as
the profile has it. Left out: shares that would not carry one block in a rate window. They go to the larger ones, as a
block that is begun at such a rate holds up its piece at the other end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import (
    Allocation,
    Candidate,
    ChokingView,
    Grant,
    Strategy,
    Trigger,
)
from peer.bittorrent.strategies.parts.chokers import READY, TitForTat
from peer.bittorrent.strategies.parts.parameters import number
from peer.bittorrent.strategies.parts.seed_chokers import WAITING, refuse_others
from peer.bittorrent.strategies.standard import tit_for_tat, with_slots

SHARE: Final = "share"
NEWCOMER: Final = "newcomer"
GAVE_TOO_LITTLE: Final = "gave too little"


class PropShare(TitForTat):
    """Divides the capacity. Who does not know it has nothing to divide, and does as the standard client does."""

    def __init__(self, profile: Profile, rng: Random, *, reserve: float) -> None:
        super().__init__(profile, rng)
        self._reserve = reserve
        self._least_rate = profile.block_length / profile.rate_window
        self._received: dict[int, int] = {}
        self._gifts: dict[int, int] = {}
        """Bytes that each neighbour gave in the last round, of those that gave any."""

    def allot(self, view: ChokingView) -> Allocation:
        """In a round, look what came in it, and divide anew; in between, divide among those that want something."""
        capacity = view.capacity
        if view.is_seed or capacity is None:
            return super().allot(view)
        if view.trigger is Trigger.ROUND:
            self._count_gifts(view.candidates)
        wanting = [candidate for candidate in view.candidates if candidate.is_interested]
        givers = [candidate for candidate in wanting if candidate.key in self._gifts]
        others = [candidate for candidate in wanting if candidate.key not in self._gifts]
        reserve = (self._reserve if givers else 1.0) * capacity
        places = max(round(reserve * self._profile.slots(capacity) / capacity), 1) if reserve > 0 else 0
        self._turns = self._next_turns(others, places, view)
        kept = reserve if self._turns else 0.0
        grants = {key: Grant(NEWCOMER, reserve / len(self._turns)) for key in self._turns}
        grants |= {key: Grant(SHARE, rate) for key, rate in self._shares(givers, capacity - kept).items()}
        grants |= {each.key: Grant(READY, self._least_rate) for each in view.candidates if self._is_resting(each)}
        return refuse_others(view, grants, lambda each: GAVE_TOO_LITTLE if each.key in self._gifts else WAITING)

    def _count_gifts(self, candidates: Sequence[Candidate]) -> None:
        gifts = {each.key: each.received - self._received.get(each.key, 0) for each in candidates}
        self._gifts = {key: gift for key, gift in gifts.items() if gift > 0}
        self._received = {each.key: each.received for each in candidates}

    def _shares(self, givers: Sequence[Candidate], capacity: float) -> Mapping[int, float]:
        """Divide in proportion, without those whose share would be too small."""
        gifts = sorted((self._gifts[each.key], each.key) for each in givers)
        total = sum(gift for gift, _ in gifts)
        while len(gifts) > 1 and capacity * gifts[0][0] < self._least_rate * total:
            total -= gifts.pop(0)[0]
        return {key: capacity * gift / total for gift, key in gifts}

    def _is_resting(self, candidate: Candidate) -> bool:
        """Tell whether it gives and wants nothing now: it need not wait for a round when it wants something again."""
        gives = candidate.key in self._gifts and not candidate.is_seed
        return gives and not candidate.is_interested and self._profile.readies_givers


def propshare(
    profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None, reserve: float = 0.2
) -> Strategy:
    """Make a PropShare client; `slots` is of how many equal splits the capacity is taken to be, for newcomers."""
    standard = tit_for_tat(profile, rng, departure=departure, slots=slots)
    if number("reserve", reserve, above=-1) < 0 or reserve > 1:
        raise ValueError(f"reserve: expected a part from 0 to 1, found {reserve}")
    own = with_slots(profile, slots)
    return replace(standard, name="propshare", choker=PropShare(own, rng, reserve=reserve))
