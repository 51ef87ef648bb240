"""Whitewashing: come back under a new identity, again and again, to be a newcomer for ever.

The specification (Cohen, The BitTorrent Protocol Specification, BEP 3) draws newcomers as the optimistic one three
times as often as others; whoever is always new buys that bias. Feldman, Papadimitriou, Chuang, Stoica (Free-riding and
whitewashing in peer-to-peer systems, 2004) gave the name: a cheap identity has no past.

    uploads nothing, and has an ordinary number of neighbours
    leaves when it has been there for one optimistic period, the time for which it counts as new
    comes back at once, with the pieces it had, as somebody else

Parameters: `periods` 1, the length of a life in optimistic periods. Left out: another address (bans are of hosts, so
that what is banned stays so), and waiting until a neighbour that serves it has done so.
"""

from dataclasses import replace
from random import Random
from typing import Final

from peer.bittorrent.engine.actions import Leave
from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import ProgressView, Strategy
from peer.bittorrent.strategies.parts.departures import parse_departure
from peer.bittorrent.strategies.parts.free_riding import GivesNothing
from peer.bittorrent.strategies.parts.parameters import number
from peer.bittorrent.strategies.parts.rejoining import LivesOften
from peer.bittorrent.strategies.standard import tit_for_tat


class AfterTime:
    """A life lasts so many seconds; whoever has everything needs no other."""

    def __init__(self, seconds: float) -> None:
        self._seconds: Final = seconds

    def is_due(self, view: ProgressView) -> bool:
        """Whether the time is over."""
        return view.completed_at is None and view.now - view.joined_at >= self._seconds


def whitewash(
    profile: Profile,
    rng: Random,
    *,
    periods: float = 1,
    departure: str = "stay",
    neighbours: int | None = None,
) -> Strategy:
    """Make a free rider whose lives are short."""
    life = AfterTime(number("periods", periods) * profile.optimistic_period)
    leave = Leave("to be somebody else", back_after=0)
    return replace(
        tit_for_tat(profile, rng, neighbours=neighbours),
        name="whitewash",
        choker=GivesNothing(),
        departure=LivesOften(life, parse_departure(departure), leave),
    )
