"""BitTyrant: buy most download for least upload, from each neighbour at its own price.

Piatek, Isdal, Anderson, Krishnamurthy and Venkataramani, "Do incentives build robustness in BitTorrent?", NSDI 2007.

    rank     each round, serve by d_p/u_p, the best first, until the u_p come to the capacity; each gets its u_p
    haggle   served and does not unchoke us: u_p x 1.2; has unchoked us for 3 rounds in which it was served: u_p x 0.9
    guess    d_p is measured while p unchokes us; before that it is guessed from the pieces that p announces

Nobody is served optimistically; with everything, it serves as a seed of the profile does. `prices` keeps the beliefs.

Parameters: `rise` 0.2, `fall` 0.1, `patience` 3, the paper's; `excess`, what no price asks for, `donated` or
`withheld`; `first_price`, without it what is common in the swarm; `neighbours` 500, `numwant` 200: all that can be had.
Left out: first prices and guesses from bandwidths measured on the Internet, and the weighing of several torrents.
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
from peer.bittorrent.strategies.parts.peer_policies import Plain
from peer.bittorrent.strategies.parts.prices import Prices, Terms
from peer.bittorrent.strategies.parts.seed_chokers import refuse_others
from peer.bittorrent.strategies.standard import tit_for_tat, with_slots

WORTH_IT: Final = "worth it"
DONATED: Final = "donated"
DEARER: Final = "dearer"
GIVES_NOTHING_BACK: Final = "gives nothing back"

ROUNDING: Final = 1e-9


class BitTyrant(TitForTat):
    """Serves by price. Who does not know its capacity has nothing to divide, and does as the standard client does."""

    def __init__(self, profile: Profile, rng: Random, terms: Terms, *, donates: bool) -> None:
        super().__init__(profile, rng)
        self._donates = donates
        self._prices = Prices(profile, rng, terms)
        self._paid: list[int] = []

    def allot(self, view: ChokingView) -> Allocation:
        """In a round, learn and rank anew; in between, keep whom we serve, and fill what becomes free."""
        capacity = view.capacity
        if view.is_seed or capacity is None:
            return super().allot(view)
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
        return self._prices.account(candidate.key, capacity).price

    def _ranked(self, view: ChokingView, capacity: float) -> list[Candidate]:
        """Sort those that want something; between rounds, those that are served stand first."""

        def order(candidate: Candidate) -> tuple[bool, float, float]:
            account = self._prices.account(candidate.key, capacity)
            is_kept = view.trigger is Trigger.CHANGE and candidate.is_unchoked
            return not is_kept, -account.worth, account.lot

        return sorted((each for each in view.candidates if each.is_interested), key=order)

    def _affordable(self, ranked: Sequence[Candidate], capacity: float) -> list[Candidate]:
        """Take the first of these, as long as their prices come to no more than the capacity."""
        paid, left = list[Candidate](), capacity * (1 + ROUNDING)
        for candidate in ranked:
            account = self._prices.account(candidate.key, capacity)
            left -= account.price
            if left < 0 or account.expected <= 0:
                break
            paid.append(candidate)
        return paid

    def _donations(self, paid: Sequence[Candidate], others: Sequence[Candidate], capacity: float) -> dict[int, Grant]:
        """Give what is left to as many others as it is equal splits; if there are none, to those that are paid.

        To others, what is paid and not taken is left too. Donations have rates: links are shared equally, and without
        one they would take from those that are worth it.
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
        """Return how fast it takes what it is given, if that can be told yet."""
        if candidate.unchoked_for >= self._profile.rate_window:
            return candidate.sent_rate
        is_early = candidate.unchoked_for < self._profile.rechoke_period / 2
        return inf if is_early else candidate.sent_since_unchoked / candidate.unchoked_for

    def _is_resting(self, candidate: Candidate) -> bool:
        """Tell whether it gives and wants nothing now: it need not wait for a round when it wants something again."""
        gives = candidate.unchokes_us and candidate.received_rate > 0 and not candidate.is_seed
        return gives and not candidate.is_interested and self._profile.readies_givers

    def _why_not(self, candidate: Candidate, capacity: float) -> str:
        return DEARER if self._prices.account(candidate.key, capacity).expected > 0 else GIVES_NOTHING_BACK


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
    """Make a BitTyrant; `slots` is of how many equal splits the capacity is taken to be, `first_price` in bytes/s."""
    standard = tit_for_tat(profile, rng, departure=departure, slots=slots)
    terms = Terms(
        first_price=None if first_price is None else number("first_price", first_price),
        rise=number("rise", rise),
        fall=number("fall", fall),
        patience=whole_number("patience", patience),
    )
    if terms.fall >= 1:
        raise ValueError(f"fall: expected a part below 1, found {fall}")
    donates = one_of("excess", excess, ["donated", "withheld"]) == "donated"
    own = with_slots(profile, slots)
    most, numwant = whole_number("neighbours", neighbours), whole_number("numwant", numwant)
    wide = replace(own, most_neighbours=most, dials_up_to=most, numwant=numwant)
    choker = BitTyrant(own, rng, terms, donates=donates)
    return replace(standard, name="bittyrant", choker=choker, peer_policy=Plain(wide))
