"""Sybil: several clients in the swarm, on one access link.

Named after Douceur: The Sybil Attack. IPTPS 2002; for BitTorrent, one of the attacks in Levin, LaCurts, Spring,
Bhattacharjee: BitTorrent is an Auction. SIGCOMM 2008.

    is in the swarm with k peer ids, each with its own port, connections and tracker announcements
    pieces received by any identity are shared by all, and no block is requested twice
    uploads nothing: each identity waits for its optimistic unchokes, and for seeds

Parameters: `identities` 8. Left out: an address for each identity. All are on one host, so clients that accept one
connection per host are safe from it, and a ban affects all of them.
"""

from dataclasses import replace
from random import Random

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.parts.chokers import NeverUnchokes
from peer.bittorrent.strategies.parts.parameters import whole_number
from peer.bittorrent.strategies.standard import tit_for_tat


def sybil(profile: Profile, rng: Random, *, identities: int = 8, departure: str = "stay") -> Strategy:
    return replace(
        tit_for_tat(profile, rng, departure=departure),
        name="sybil",
        choker=NeverUnchokes(),
        identities=whole_number("identities", identities),
    )
