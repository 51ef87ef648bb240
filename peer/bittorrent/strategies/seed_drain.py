"""Seed drain: use up the upload of seeds, so that others get less; a bandwidth attack on seeds.

Adamsky, Khayam, Jäger, Rajarajan: Stealing Bandwidth from BitTorrent Seeders. Computers & Security, 2014.

    downloads from seeds only, as fast as its link allows; announces nothing and uploads nothing
    forgets each piece on arrival, so that it lacks all pieces for ever
    so seeds can always choose it, and a seed that prefers fast downloaders keeps serving it

Parameters: `connections` 500. Left out: the exploit by which the attackers of the paper are served again sooner than
others, which the abstract does not describe. This client only downloads; its gain depends on how the seed chooses.
"""

from dataclasses import replace
from random import Random

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.parts.advertisers import ClaimsNothing
from peer.bittorrent.strategies.parts.peer_policies import MANY, LargeView
from peer.bittorrent.strategies.seeds_only import DownloadsFromSeeds, seeds_only


def seed_drain(profile: Profile, rng: Random, *, connections: int = MANY, departure: str = "stay") -> Strategy:
    return replace(
        seeds_only(profile, rng, departure=departure),
        name="seed-drain",
        advertiser=ClaimsNothing(),
        peer_policy=DownloadsFromSeeds(LargeView(profile, connections)),
        keeps_pieces=False,
    )
