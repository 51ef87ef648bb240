"""Tit-for-tat, the standard client, and two variants that differ only in the order of pieces.

Cohen: Incentives Build Robustness in BitTorrent. P2PEcon 2003.

    serve    every 10 s, the interested neighbours that uploaded most to us in the last 20 s, unless they snub us
    try      one more, drawn at random for 30 s: the optimistic unchoke; slots that none earns are optimistic too
    request  the rarest piece, after some random ones; announce each piece to all neighbours

Numbers and times are those of the profile, as real clients differ in them; so is the way a seed serves. Parameters:
`slots`, including the optimistic ones, `neighbours`, and `per_host`, the connections that one host keeps when no place
is left: by default those of the profile; `departure` `stay`. Left out: several torrents, which share the slots of a
real client.
"""

from dataclasses import replace
from random import Random

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.parts.advertisers import Honest
from peer.bittorrent.strategies.parts.chokers import TitForTat
from peer.bittorrent.strategies.parts.departures import parse_departure
from peer.bittorrent.strategies.parts.parameters import whole_number
from peer.bittorrent.strategies.parts.peer_policies import FollowsProfile
from peer.bittorrent.strategies.parts.pickers import RandomOrder, RarestFirst, Sequential


def tit_for_tat(
    profile: Profile,
    rng: Random,
    *,
    departure: str = "stay",
    slots: int | None = None,
    neighbours: int | None = None,
    per_host: int | None = None,
) -> Strategy:
    """Make BitTorrent's own strategy: tit-for-tat, rarest first, all pieces announced.

    `slots`, including the optimistic ones, replaces the profile's choice by upload capacity. `neighbours` is how many
    to accept; dialling stops at half of them. `per_host` is for swarms in which one host is many peers.
    """
    profile = with_slots(profile, slots)
    if neighbours is not None:
        most = whole_number("neighbours", neighbours)
        profile = replace(profile, most_neighbours=most, dials_up_to=(most + 1) // 2)
    if per_host is not None:
        profile = replace(profile, most_per_host=whole_number("per_host", per_host))
    return Strategy(
        name="tit-for-tat",
        choker=TitForTat(profile, rng),
        picker=RarestFirst(profile.random_first_pieces),
        advertiser=Honest(),
        peer_policy=FollowsProfile(profile),
        departure=parse_departure(departure),
    )


def with_slots(profile: Profile, slots: int | None) -> Profile:
    """Set how many neighbours a profile unchokes, including the optimistic ones; None leaves it as it is."""
    return profile if slots is None else replace(profile, all_slots=whole_number("slots", slots))


def sequential(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    return replace(tit_for_tat(profile, rng, departure=departure, slots=slots), name="sequential", picker=Sequential())


def random_order(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    return replace(
        tit_for_tat(profile, rng, departure=departure, slots=slots), name="random-order", picker=RandomOrder()
    )
