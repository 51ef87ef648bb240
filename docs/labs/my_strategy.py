"""The strategy of assignment 2, to be changed: so far it decides as tit-for-tat does."""

from dataclasses import replace
from random import Random

from peer.bittorrent.strategies.api import Allocation, ChokingView, Grant, Profile, Strategy, tit_for_tat


class MyChoker:
    """Serves the four neighbours that upload most to us, and one that is drawn."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def allocate(self, view: ChokingView) -> Allocation:
        """Say which neighbours to serve; a `Grant` with a rate (bytes/s) serves at this rate at most."""
        wanting = [candidate for candidate in view.candidates if candidate.is_interested]
        self._rng.shuffle(wanting)
        wanting.sort(key=lambda candidate: candidate.received_rate, reverse=True)
        best, others = wanting[:4], wanting[4:]
        return Allocation({candidate.key: Grant("mine") for candidate in [*best, *others[:1]]})


def mine(profile: Profile, rng: Random, *, departure: str = "stay") -> Strategy:
    """Make the strategy: the standard client with another choker."""
    return replace(tit_for_tat(profile, rng, departure=departure), name="mine", choker=MyChoker(rng))
