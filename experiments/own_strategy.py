"""The strategy of experiments/own-strategy.yaml: all interested neighbours get an equal share of our upload."""

from dataclasses import replace
from random import Random

from peer.bittorrent.strategies.api import Allocation, ChokingView, Grant, Profile, Strategy, tit_for_tat


class EqualShares:
    """Serves the interested neighbours, all at the same rate, whatever they upload to us."""

    def __init__(self, most: int) -> None:
        self._most = most

    def allocate(self, view: ChokingView) -> Allocation:
        """Share our upload among the first `most` interested neighbours."""
        wanting = [candidate for candidate in view.candidates if candidate.is_interested][: self._most]
        rate = view.capacity / len(wanting) if wanting and view.capacity else None
        return Allocation({candidate.key: Grant("equal share", rate) for candidate in wanting})


def equal_shares(profile: Profile, rng: Random, *, most: int = 20, departure: str = "stay") -> Strategy:
    """Make the standard client with another choker."""
    return replace(tit_for_tat(profile, rng, departure=departure), name="equal-shares", choker=EqualShares(most))
