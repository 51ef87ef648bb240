"""BitTyrant's estimates of each neighbour: the upload that makes it reciprocate, and what it uploads in return.

    price     u_p: rises while we pay p and it does not unchoke us, falls after it has unchoked us for some rounds
    expected  d_p: measured over rounds in which p unchoked us; before that, guessed from the pieces that it announces

A new neighbour is assumed to be like the others: its price, and what it uploads, is the equal split that is common in
the swarm. That is the median of what neighbours upload to us, or an equal split of our own upload at first.
"""

from collections.abc import Collection
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Candidate, ChokingView

ENOUGH: Final = 3
"""How many neighbours must have a measured rate before their median counts as common."""


@dataclass(slots=True)
class Estimate:
    """The estimates of one neighbour; rates in bytes/s."""

    price: float
    expected: float
    tie_breaker: float
    """A random number that decides between equals."""
    is_tried: bool = False
    """Whether we paid it for a round; until then its price is the common one."""
    is_measured: bool = False
    guesses: int = 0
    guessed: float = 0.0
    """The sum of all guesses from its announcements."""
    received: int = 0
    """Bytes received until the last round."""
    unchoked_us: bool = False
    """Whether it did at the last round."""
    rounds_reciprocated: int = 0
    """For how many consecutive rounds we paid it and it unchoked us."""

    @property
    def worth(self) -> float:
        """Bytes expected for each byte paid."""
        return self.expected / self.price


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRules:
    """How prices start and change."""

    first_price: float | None
    """In bytes/s; None means the common equal split."""
    rise: float
    fall: float
    patience: int
    """How many consecutive rounds a neighbour must reciprocate before its price falls."""


class Prices:
    """The estimates of all neighbours."""

    def __init__(self, profile: Profile, rng: Random, rules: PriceRules) -> None:
        self._profile = profile
        self._rng = rng
        self._rules = rules
        self.least = profile.block_length / profile.rate_window
        """Prices do not fall below this rate: with less, some rate windows would pass without a block."""
        self._estimates: dict[int, Estimate] = {}
        self._common: float | None = None
        self._round_at: float | None = None

    def estimate(self, key: int, capacity: float) -> Estimate:
        if key not in self._estimates:
            first = self._first_price(capacity)
            self._estimates[key] = Estimate(first, first, self._rng.random())
        return self._estimates[key]

    def _first_price(self, capacity: float) -> float:
        """Return the price of a new neighbour, which is also what we expect it to upload."""
        first = self._rules.first_price or self._common or capacity / self._profile.slots(capacity)
        return min(max(first, self.least), capacity)

    def learn(self, view: ChokingView, capacity: float, paid: Collection[int]) -> None:
        """Update all estimates after a round; `paid` are the neighbours that were offered their price in it."""
        elapsed = self._profile.rechoke_period if self._round_at is None else view.now - self._round_at
        self._round_at = view.now
        self._estimates = {each.key: self.estimate(each.key, capacity) for each in view.candidates}
        for candidate in view.candidates:
            estimate = self._estimates[candidate.key]
            rate = (candidate.received - estimate.received) / max(elapsed, 1e-3)
            self._measure(candidate, estimate, rate)
            estimate.received, estimate.unchoked_us = candidate.received, candidate.unchokes_us
        leeches = (self._estimates[each.key] for each in view.candidates if not each.is_seed)
        given = [estimate.expected for estimate in leeches if estimate.is_measured and estimate.expected]
        self._common = median(given) if len(given) >= ENOUGH else self._common
        for candidate in view.candidates:
            estimate = self._estimates[candidate.key]
            if not estimate.is_tried:
                estimate.price = self._first_price(capacity)
            if not estimate.is_measured:
                self._guess(candidate, estimate, view.piece_length, capacity)
            self._adjust_price(candidate, estimate, capacity, was_paid=candidate.key in paid)

    @staticmethod
    def _measure(candidate: Candidate, estimate: Estimate, rate: float) -> None:
        """Take the rate of a round in which it unchoked us throughout as what it uploads."""
        if estimate.unchoked_us and candidate.unchokes_us and candidate.interests_us:
            estimate.expected, estimate.is_measured = rate, True
        elif not candidate.unchokes_us and estimate.expected == 0:
            estimate.is_measured = False

    def _guess(self, candidate: Candidate, estimate: Estimate, piece_length: int, capacity: float) -> None:
        """Average the common rate with guesses: it uploads as fast as it downloads, in as many slots as we would."""
        if candidate.known_for > self._profile.rechoke_period:
            its_capacity = candidate.have_rate * piece_length
            estimate.guesses += 1
            estimate.guessed += its_capacity / self._profile.slots(its_capacity)
        estimate.expected = (self._first_price(capacity) + estimate.guessed) / (1 + estimate.guesses)

    def _adjust_price(self, candidate: Candidate, estimate: Estimate, capacity: float, *, was_paid: bool) -> None:
        """Change the price of a neighbour paid for the round; one without pieces for us need not reciprocate."""
        was_paid = was_paid and candidate.unchoked_for >= self._profile.rechoke_period / 2
        estimate.is_tried = estimate.is_tried or was_paid
        estimate.rounds_reciprocated = estimate.rounds_reciprocated + 1 if was_paid and candidate.unchokes_us else 0
        if estimate.rounds_reciprocated >= self._rules.patience:
            estimate.price = max(estimate.price * (1 - self._rules.fall), min(self.least, estimate.price))
        elif was_paid and candidate.interests_us and not candidate.unchokes_us:
            estimate.price = min(estimate.price * (1 + self._rules.rise), capacity)
