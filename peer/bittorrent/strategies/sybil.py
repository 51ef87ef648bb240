"""Sybil: one access link, several clients as far as anybody else can tell.

Named for Douceur: The Sybil Attack. IPTPS 2002; on BitTorrent among the attacks of Levin, LaCurts, Spring,
Bhattacharjee: BitTorrent is an Auction. SIGCOMM 2008.

    is in the swarm under k peer ids, each on a port of its own, with connections and trackers of its own
    what comes through any of them goes into the same pieces, and no block is asked for twice
    uploads nothing: each identity waits for its turns of optimistic unchoking, and of a seed

Parameters: `identities` 8. Left out: addresses of its own for each identity. All are on one host, so that clients which
accept one connection from a host are safe from it, and a ban hits all of them.
"""

from dataclasses import replace
from random import Random

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.parts.free_riding import GivesNothing
from peer.bittorrent.strategies.parts.parameters import whole_number
from peer.bittorrent.strategies.standard import tit_for_tat


def sybil(profile: Profile, rng: Random, *, identities: int = 8, departure: str = "stay") -> Strategy:
    """Make a standard client without an upload, as so many."""
    return replace(
        tit_for_tat(profile, rng, departure=departure),
        name="sybil",
        choker=GivesNothing(),
        identities=whole_number("identities", identities),
    )
