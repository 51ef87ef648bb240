"""What each neighbour must be given to give back, and what it then gives: the beliefs of BitTyrant, kept up each round.

    price     u_p: rises while p is paid and does not unchoke us, falls when it has for some rounds
    expected  d_p: measured over rounds in which p unchoked us; before that, guessed from the pieces that it announces

A stranger is believed to be like the others: it asks for the equal split that is common here, and gives as much. That
is the median of what neighbours were seen to give, or an equal split of our own upload until enough of them were.
"""

from collections.abc import Collection
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Candidate, ChokingView

ENOUGH: Final = 3
"""Of how many neighbours it must be known what they give, before their median says what is common."""


@dataclass(slots=True)
class Account:
    """What is believed of a neighbour; rates in bytes/s."""

    price: float
    expected: float
    lot: float
    """Decides among equals."""
    is_tried: bool = False
    """Whether it was paid for a round: until then its price is the one that is common."""
    is_measured: bool = False
    guesses: int = 0
    guessed: float = 0.0
    """The sum of all guesses from announcements."""
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
    """Bytes/s; None is the equal split that is common."""
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
        self._common: float | None = None
        self._round_at: float | None = None

    def account(self, key: int, capacity: float) -> Account:
        """Return what is believed of a neighbour."""
        if key not in self._accounts:
            first = self._first(capacity)
            self._accounts[key] = Account(first, first, self._rng.random())
        return self._accounts[key]

    def _first(self, capacity: float) -> float:
        """Return the price of a stranger, which is also what it is expected to give."""
        first = self._terms.first_price or self._common or capacity / self._profile.slots(capacity)
        return min(max(first, self.least), capacity)

    def learn(self, view: ChokingView, capacity: float, paid: Collection[int]) -> None:
        """Look back on the round that ends; `paid` are those that were to get their price in it."""
        elapsed = self._profile.rechoke_period if self._round_at is None else view.now - self._round_at
        self._round_at = view.now
        self._accounts = {each.key: self.account(each.key, capacity) for each in view.candidates}
        for candidate in view.candidates:
            account = self._accounts[candidate.key]
            rate = (candidate.received - account.received) / max(elapsed, 1e-3)
            self._measure(candidate, account, rate)
            account.received, account.unchoked_us = candidate.received, candidate.unchokes_us
        leeches = (self._accounts[each.key] for each in view.candidates if not each.is_seed)
        given = [account.expected for account in leeches if account.is_measured and account.expected]
        self._common = median(given) if len(given) >= ENOUGH else self._common
        for candidate in view.candidates:
            account = self._accounts[candidate.key]
            if not account.is_tried:
                account.price = self._first(capacity)
            if not account.is_measured:
                self._guess(candidate, account, view.piece_length, capacity)
            self._haggle(candidate, account, capacity, was_paid=candidate.key in paid)

    @staticmethod
    def _measure(candidate: Candidate, account: Account, rate: float) -> None:
        """Take for what it gives what came in a whole round."""
        if account.unchoked_us and candidate.unchokes_us and candidate.interests_us:
            account.expected, account.is_measured = rate, True
        elif not candidate.unchokes_us and account.expected == 0:
            account.is_measured = False

    def _guess(self, candidate: Candidate, account: Account, piece_length: int, capacity: float) -> None:
        """Take it for one of the others at first; who downloads so fast can upload so fast, in as many slots as we."""
        if candidate.known_for > self._profile.rechoke_period:
            its_capacity = candidate.have_rate * piece_length
            account.guesses += 1
            account.guessed += its_capacity / self._profile.slots(its_capacity)
        account.expected = (self._first(capacity) + account.guessed) / (1 + account.guesses)

    def _haggle(self, candidate: Candidate, account: Account, capacity: float, *, was_paid: bool) -> None:
        """Change the price of one that was paid for the round; who has nothing for us is not asked to give back."""
        was_paid = was_paid and candidate.unchoked_for >= self._profile.rechoke_period / 2
        account.is_tried = account.is_tried or was_paid
        account.faithful = account.faithful + 1 if was_paid and candidate.unchokes_us else 0
        if account.faithful >= self._terms.patience:
            account.price = max(account.price * (1 - self._terms.fall), min(self.least, account.price))
        elif was_paid and candidate.interests_us and not candidate.unchokes_us:
            account.price = min(account.price * (1 + self._terms.rise), capacity)
