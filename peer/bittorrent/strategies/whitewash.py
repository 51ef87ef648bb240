"""Whitewashing: return under a new identity again and again, to be a newcomer for ever.

The specification (Cohen, The BitTorrent Protocol Specification, BEP 3) makes newcomers three times as likely to be
drawn for the optimistic unchoke; a client that is always new exploits that bias. The name is from Feldman,
Papadimitriou, Chuang, Stoica (Free-riding and whitewashing in peer-to-peer systems, 2004): a cheap identity has no
past.

    uploads nothing, and has an ordinary number of neighbours
    leaves after one optimistic period, the time for which it counts as a newcomer
    returns at once under a new peer id, with the pieces it had

Parameters: `periods` 1, how many optimistic periods an identity lasts. Left out: a new address (bans are by host, so a
banned client stays banned), and waiting until a neighbour that serves it has finished.
"""

from dataclasses import replace
from random import Random
from typing import Final

from peer.bittorrent.engine.actions import Leave
from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Departure, ProgressView, Strategy
from peer.bittorrent.strategies.parts.chokers import NeverUnchokes
from peer.bittorrent.strategies.parts.departures import parse_departure
from peer.bittorrent.strategies.parts.parameters import number
from peer.bittorrent.strategies.standard import tit_for_tat


class RejoinsWhileIncomplete:
    """Returns under a new identity every `seconds` until complete; another departure decides when to leave.

    That other departure sees a single client: the time counts from the first join.
    """

    def __init__(self, seconds: float, departure: Departure) -> None:
        self._seconds: Final = seconds
        self._departure: Final = departure
        self._first_joined_at: float | None = None

    def decide(self, view: ProgressView) -> Leave | None:
        if self._first_joined_at is None:
            self._first_joined_at = view.joined_at
        for_good = self._departure.decide(replace(view, joined_at=self._first_joined_at))
        if for_good is not None:
            return for_good
        is_due = view.completed_at is None and view.now - view.joined_at >= self._seconds
        return Leave("to be somebody else", back_after=0) if is_due else None


def whitewash(
    profile: Profile,
    rng: Random,
    *,
    periods: float = 1,
    departure: str = "stay",
    neighbours: int | None = None,
) -> Strategy:
    identity_lasts = number("periods", periods) * profile.optimistic_period
    return replace(
        tit_for_tat(profile, rng, neighbours=neighbours),
        name="whitewash",
        choker=NeverUnchokes(),
        departure=RejoinsWhileIncomplete(identity_lasts, parse_departure(departure)),
    )
