"""BitTyrant: buy the most download for the least upload, paying each neighbour its own price.

Piatek, Isdal, Anderson, Krishnamurthy and Venkataramani, "Do incentives build robustness in BitTorrent?", NSDI 2007.

    rank     each round, serve neighbours by d_p/u_p, best first, until their u_p add up to the capacity; each gets u_p
    adjust   served, but does not unchoke us: u_p x 1.2; has unchoked us for 3 rounds in which we served it: u_p x 0.9
    guess    d_p is measured while p unchokes us; before that it is guessed from the pieces that p announces

There are no optimistic unchokes; a seed serves as the profile says. The estimates of d_p and u_p are in `parts.prices`.

Parameters: `rise` 0.2, `fall` 0.1, `patience` 3, as in the paper; `excess`, what becomes of capacity that no price
uses: `donated` or `withheld`; `first_price`, by default the common one; `neighbours` 500 and `numwant` 200, so that it
meets all peers. Left out: first prices and guesses from bandwidths measured on the Internet, and several torrents.
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
    ChokingView,
    Grant,
    Strategy,
    Trigger,
)
from peer.bittorrent.strategies.parts.chokers import READY, TitForTat
from peer.bittorrent.strategies.parts.parameters import number, one_of, whole_number
from peer.bittorrent.strategies.parts.peer_policies import FollowsProfile
from peer.bittorrent.strategies.parts.prices import PriceRules, Prices
from peer.bittorrent.strategies.parts.seed_chokers import refuse_others
from peer.bittorrent.strategies.standard import tit_for_tat, with_slots

WORTH_IT: Final = "worth it"
DONATED: Final = "donated"
DEARER: Final = "dearer"
GIVES_NOTHING_BACK: Final = "gives nothing back"

ROUNDING: Final = 1e-9


class BitTyrant(TitForTat):
    """Serves by price. Without a known capacity there is nothing to divide, so it acts as the standard client."""

    def __init__(self, profile: Profile, rng: Random, rules: PriceRules, *, donates: bool) -> None:
        super().__init__(profile, rng)
        self._donates = donates
        self._prices = Prices(profile, rng, rules)
        self._paid: list[int] = []

    def allocate(self, view: ChokingView) -> Allocation:
        """In a round, update the estimates and rank anew; between rounds, keep those served and use what is free."""
        capacity = view.capacity
        if view.is_seed or capacity is None:
            return super().allocate(view)
        if view.trigger is Trigger.ROUND:
            self._prices.learn(view, capacity, self._paid)
        ranked = self._ranked(view, capacity)
        paid = self._affordable(ranked, capacity)
        self._paid = [each.key for each in paid]
        grants = {each.key: Grant(WORTH_IT, self._price(each, capacity)) for each in paid}
        if self._donates:
            grants |= self._donations(paid, ranked[len(paid) :], capacity)
        resting = [each for each in view.candidates if self._is_resting(each)]
        grants |= {each.key: Grant(READY, self._price(each, capacity)) for each in resting}
        return refuse_others(view, grants, lambda each: self._why_not(each, capacity))

    def _price(self, candidate: Candidate, capacity: float) -> float:
        return self._prices.estimate(candidate.key, capacity).price

    def _ranked(self, view: ChokingView, capacity: float) -> list[Candidate]:
        """Sort the interested neighbours; between rounds, those served now come first."""

        def order(candidate: Candidate) -> tuple[bool, float, float]:
            estimate = self._prices.estimate(candidate.key, capacity)
            is_kept = view.trigger is Trigger.CHANGE and candidate.is_unchoked
            return not is_kept, -estimate.worth, estimate.tie_breaker

        return sorted((each for each in view.candidates if each.is_interested), key=order)

    def _affordable(self, ranked: Sequence[Candidate], capacity: float) -> list[Candidate]:
        """Take neighbours in order while the sum of their prices fits the capacity."""
        paid, left = list[Candidate](), capacity * (1 + ROUNDING)
        for candidate in ranked:
            estimate = self._prices.estimate(candidate.key, capacity)
            left -= estimate.price
            if left < 0 or estimate.expected <= 0:
                break
            paid.append(candidate)
        return paid

    def _donations(self, paid: Sequence[Candidate], others: Sequence[Candidate], capacity: float) -> dict[int, Grant]:
        """Give the rest of the capacity to as many others as it has equal splits; without others, to those paid.

        Others also get what is offered to those paid but not used by them. Donations are limited in rate: links are
        shared equally, so unlimited ones would take from the neighbours that are worth paying.
        """
        prices = {each.key: self._price(each, capacity) for each in paid}
        if not others:
            more = max(capacity - sum(prices.values()), 0) / max(len(paid), 1)
            return {key: Grant(WORTH_IT, price + more) for key, price in prices.items()}
        excess = capacity - sum(min(prices[each.key], self._taken(each)) for each in paid)
        if excess < self._prices.least:
            return {}
        chosen = others[: max(round(excess * self._profile.slots(capacity) / capacity), 1)]
        return {each.key: Grant(DONATED, excess / len(chosen)) for each in chosen}

    def _taken(self, candidate: Candidate) -> float:
        """Return how fast it downloads from us; infinite while it is too early to measure."""
        if candidate.unchoked_for >= self._profile.rate_window:
            return candidate.sent_rate
        is_early = candidate.unchoked_for < self._profile.rechoke_period / 2
        return inf if is_early else candidate.sent_since_unchoked / candidate.unchoked_for

    def _is_resting(self, candidate: Candidate) -> bool:
        """Whether it uploads to us but is uninterested: it need not wait for a round when it is interested again."""
        gives = candidate.unchokes_us and candidate.received_rate > 0 and not candidate.is_seed
        return gives and not candidate.is_interested and self._profile.readies_givers

    def _why_not(self, candidate: Candidate, capacity: float) -> str:
        return DEARER if self._prices.estimate(candidate.key, capacity).expected > 0 else GIVES_NOTHING_BACK


def bittyrant(
    profile: Profile,
    rng: Random,
    *,
    departure: str = "stay",
    slots: int | None = None,
    excess: str = "donated",
    first_price: float | None = None,
    rise: float = 0.2,
    fall: float = 0.1,
    patience: int = 3,
    neighbours: int = 500,
    numwant: int = 200,
) -> Strategy:
    """Make a BitTyrant client; `slots` is the number of equal splits of the capacity, `first_price` is in bytes/s."""
    standard = tit_for_tat(profile, rng, departure=departure, slots=slots)
    rules = PriceRules(
        first_price=None if first_price is None else number("first_price", first_price),
        rise=number("rise", rise),
        fall=number("fall", fall),
        patience=whole_number("patience", patience),
    )
    if rules.fall >= 1:
        raise ValueError(f"fall: expected a part below 1, found {fall}")
    donates = one_of("excess", excess, ["donated", "withheld"]) == "donated"
    own = with_slots(profile, slots)
    most, numwant = whole_number("neighbours", neighbours), whole_number("numwant", numwant)
    wide = replace(own, most_neighbours=most, dials_up_to=most, numwant=numwant)
    choker = BitTyrant(own, rng, rules, donates=donates)
    return replace(standard, name="bittyrant", choker=choker, peer_policy=FollowsProfile(wide))
