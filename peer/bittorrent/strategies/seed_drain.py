"""Seed drain: take what a seed can give, so that others get less; a bandwidth attack on seeds.

Adamsky, Khayam, Jäger, Rajarajan: Stealing Bandwidth from BitTorrent Seeders. Computers & Security, 2014.

    asks seeds alone, as fast as its link allows; announces nothing and uploads nothing
    forgets each piece as soon as it is here, so that it lacks everything for ever
    so it never leaves a seed's choice, and a seed that prefers who takes fastest keeps it there

Parameters: `connections` 500. Left out: the exploit by which the paper's attackers come in again sooner than others,
which its abstract does not describe. This one only takes, and its gain lies in how the seed chooses.
"""

from dataclasses import replace
from random import Random

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.parts.free_riding import MANY, LargeView
from peer.bittorrent.strategies.parts.lies import ClaimsNothing
from peer.bittorrent.strategies.seeds_only import AsksSeeds, seeds_only


def seed_drain(profile: Profile, rng: Random, *, connections: int = MANY, departure: str = "stay") -> Strategy:
    """Make a client that never has enough."""
    return replace(
        seeds_only(profile, rng, departure=departure),
        name="seed-drain",
        advertiser=ClaimsNothing(),
        peer_policy=AsksSeeds(LargeView(profile, connections)),
        keeps=False,
    )
