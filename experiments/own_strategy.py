"""A strategy of one's own, as experiments/own-strategy.yaml names it: everybody gets an equal share of our upload."""

from dataclasses import replace
from random import Random

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import (
    Allocation,
    ChokingView,
    Grant,
    Strategy,
)
from peer.bittorrent.strategies.standard import tit_for_tat


class EqualShares:
    """Serves whoever wants something, all at the same rate, whatever they give."""

    def __init__(self, most: int) -> None:
        self._most = most

    def allot(self, view: ChokingView) -> Allocation:
        """Share our upload among the first that want something."""
        wanting = [candidate for candidate in view.candidates if candidate.is_interested][: self._most]
        rate = view.capacity / len(wanting) if wanting and view.capacity else None
        return Allocation({candidate.key: Grant("equal share", rate) for candidate in wanting})


def equal_shares(profile: Profile, rng: Random, *, most: int = 20, departure: str = "stay") -> Strategy:
    """Make the standard client with another choker."""
    return replace(tit_for_tat(profile, rng, departure=departure), name="equal-shares", choker=EqualShares(most))
