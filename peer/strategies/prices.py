"""What each neighbour must be given to give back, and what it then gives: the beliefs of BitTyrant, kept up each round.

    price     u_p: rises while p is paid and does not unchoke us, falls when it has for some rounds
    expected  d_p: measured over rounds in which p unchoked us; before that, guessed from the pieces that it announces

A stranger is believed to be like us: it asks for an equal split of our upload, and gives as much.
"""

from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from peer.strategies.seam import Candidate, ChokingView
from peer.swarm.profile import Profile


@dataclass(slots=True)
class Account:
    """What is believed of a neighbour; rates in bytes/s."""

    price: float
    expected: float
    lot: float
    """Decides among equals."""
    is_measured: bool = False
    guesses: int = 1
    """How many the expectation is the mean of, the first one being that it is like us."""
    received: int = 0
    """Bytes until the last round."""
    unchoked_us: bool = False
    """At the last round."""
    faithful: int = 0
    """For how many rounds in a row it was paid and unchoked us."""

    @property
    def worth(self) -> float:
        """What a byte brings."""
        return self.expected / self.price


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How prices begin and change."""

    first_price: float | None
    """Bytes/s; None is an equal split of the capacity."""
    rise: float
    fall: float
    patience: int
    """Rounds in a row that a neighbour must have reciprocated before its price falls."""


class Prices:
    """The accounts of all neighbours."""

    def __init__(self, profile: Profile, rng: Random, terms: Terms) -> None:
        self._profile = profile
        self._rng = rng
        self._terms = terms
        self.least = profile.block_length / profile.rate_window
        """Whoever is given less finds now and then that nothing came: prices do not fall below."""
        self._accounts: dict[int, Account] = {}
        self._round_at: float | None = None

    def account(self, key: int, capacity: float) -> Account:
        """Return what is believed of a neighbour."""
        if key not in self._accounts:
            split = capacity / self._profile.slots(capacity)
            first = self._terms.first_price or split
            self._accounts[key] = Account(min(first, capacity), min(first, capacity), self._rng.random())
        return self._accounts[key]

    def learn(self, view: ChokingView, capacity: float, paid: Collection[int]) -> None:
        """Look back on the round that ends; `paid` are those that were to get their price in it."""
        elapsed = self._profile.rechoke_period if self._round_at is None else view.now - self._round_at
        self._round_at = view.now
        self._accounts = {each.key: self.account(each.key, capacity) for each in view.candidates}
        for candidate in view.candidates:
            account = self._accounts[candidate.key]
            rate = (candidate.received - account.received) / max(elapsed, 1e-3)
            self._expect(candidate, account, rate, view.piece_length)
            self._haggle(candidate, account, capacity, was_paid=candidate.key in paid)
            account.received, account.unchoked_us = candidate.received, candidate.unchokes_us

    def _expect(self, candidate: Candidate, account: Account, rate: float, piece_length: int) -> None:
        """Measure over a whole round; else guess: who downloads so fast can upload so fast, in so many slots as we."""
        if account.unchoked_us and candidate.unchokes_us and candidate.interests_us:
            account.expected, account.is_measured = rate, True
        elif not candidate.unchokes_us and account.expected == 0:
            account.is_measured = False
        if not account.is_measured and candidate.known_for > self._profile.rechoke_period:
            capacity = candidate.have_rate * piece_length
            guess = capacity / self._profile.slots(capacity)
            account.guesses += 1
            account.expected += (guess - account.expected) / account.guesses

    def _haggle(self, candidate: Candidate, account: Account, capacity: float, *, was_paid: bool) -> None:
        """Change the price of one that was paid for the round; who has nothing for us is not asked to give back."""
        was_paid = was_paid and candidate.unchoked_for >= self._profile.rechoke_period / 2
        account.faithful = account.faithful + 1 if was_paid and candidate.unchokes_us else 0
        if account.faithful >= self._terms.patience:
            account.price = max(account.price * (1 - self._terms.fall), min(self.least, account.price))
        elif was_paid and candidate.interests_us and not candidate.unchokes_us:
            account.price = min(account.price * (1 + self._terms.rise), capacity)
