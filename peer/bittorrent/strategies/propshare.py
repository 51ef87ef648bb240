"""PropShare: divide the upload among neighbours in proportion to what each uploaded to us.

Levin, LaCurts, Spring and Bhattacharjee, "BitTorrent is an auction: analyzing and improving BitTorrent's incentives",
SIGCOMM 2008.

    share     each interested neighbour gets the part of our upload that its upload was of all uploads to us in the
              last round
    reserve   a fifth is kept for newcomers, which have uploaded nothing yet: they are drawn at random, in turns
    bids      uploading just enough to win a slot, as BitTyrant does, gains nothing: there are no slots to win

A part without takers goes to the other: to newcomers while no neighbour uploads to us, to givers if there is no
newcomer. A seed serves as the profile says.

Parameters: `reserve` 0.2; `slots`, the number of equal splits of the capacity for newcomers, by default that of the
profile. Left out: shares too small for one block in a rate window. They go to the larger ones, as a block sent at such
a rate would hold up its piece at the receiver.
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
    """Divides the capacity. Without a known one there is nothing to divide, so it acts as the standard client."""

    def __init__(self, profile: Profile, rng: Random, *, reserve: float) -> None:
        super().__init__(profile, rng)
        self._reserve = reserve
        self._least_rate = profile.block_length / profile.rate_window
        self._received: dict[int, int] = {}
        self._gifts: dict[int, int] = {}
        """Bytes that each neighbour uploaded to us in the last round; those that uploaded nothing are missing."""

    def allocate(self, view: ChokingView) -> Allocation:
        """In a round, count what arrived in it and divide anew; between rounds, divide among those interested now."""
        capacity = view.capacity
        if view.is_seed or capacity is None:
            return super().allocate(view)
        if view.trigger is Trigger.ROUND:
            self._count_gifts(view.candidates)
        wanting = [candidate for candidate in view.candidates if candidate.is_interested]
        givers = [candidate for candidate in wanting if candidate.key in self._gifts]
        others = [candidate for candidate in wanting if candidate.key not in self._gifts]
        reserve = (self._reserve if givers else 1.0) * capacity
        count = max(round(reserve * self._profile.slots(capacity) / capacity), 1) if reserve > 0 else 0
        self._optimistic_until = self._next_optimistic(others, count, view)
        kept = reserve if self._optimistic_until else 0.0
        grants = {key: Grant(NEWCOMER, reserve / len(self._optimistic_until)) for key in self._optimistic_until}
        grants |= {key: Grant(SHARE, rate) for key, rate in self._shares(givers, capacity - kept).items()}
        grants |= {each.key: Grant(READY, self._least_rate) for each in view.candidates if self._is_resting(each)}
        return refuse_others(view, grants, lambda each: GAVE_TOO_LITTLE if each.key in self._gifts else WAITING)

    def _count_gifts(self, candidates: Sequence[Candidate]) -> None:
        gifts = {each.key: each.received - self._received.get(each.key, 0) for each in candidates}
        self._gifts = {key: gift for key, gift in gifts.items() if gift > 0}
        self._received = {each.key: each.received for each in candidates}

    def _shares(self, givers: Sequence[Candidate], capacity: float) -> Mapping[int, float]:
        """Divide in proportion, leaving out those whose share would be too small."""
        gifts = sorted((self._gifts[each.key], each.key) for each in givers)
        total = sum(gift for gift, _ in gifts)
        while len(gifts) > 1 and capacity * gifts[0][0] < self._least_rate * total:
            total -= gifts.pop(0)[0]
        return {key: capacity * gift / total for gift, key in gifts}

    def _is_resting(self, candidate: Candidate) -> bool:
        """Whether it uploads to us but is uninterested: it need not wait for a round when it is interested again."""
        gives = candidate.key in self._gifts and not candidate.is_seed
        return gives and not candidate.is_interested and self._profile.readies_givers


def propshare(
    profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None, reserve: float = 0.2
) -> Strategy:
    """Make a PropShare client; `slots` is the number of equal splits of the capacity, for newcomers."""
    standard = tit_for_tat(profile, rng, departure=departure, slots=slots)
    if number("reserve", reserve, above=-1) < 0 or reserve > 1:
        raise ValueError(f"reserve: expected a part from 0 to 1, found {reserve}")
    own = with_slots(profile, slots)
    return replace(standard, name="propshare", choker=PropShare(own, rng, reserve=reserve))
