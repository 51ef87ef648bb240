"""BitThief: uploads nothing, and makes up for it with as many neighbours as it can get.

Locher, Moor, Schmid, Wattenhofer: Free Riding in BitTorrent is Cheap. HotNets 2006.

    never unchokes a neighbour, announces no piece, downloads pieces in any order (not rarest first)
    connects to as many peers as it can, up to 500, and announces to the tracker often, for 200 peers each time
    so it lives on optimistic unchokes and on seeds, and gets more of both with more neighbours

Parameters: `connections` 500 (the paper: 80 to 500); `pretends`, to report uploads to the tracker that never happened,
for sharing communities that ban peers with a low ratio; `garbage`, to claim half of the pieces that it lacks and answer
all requests with random bytes. Left out: ways to find peers other than the tracker and peer exchange, its own announce
interval (here: one optimistic period of the profile), and its treatment of neighbours that never unchoke it.
"""

from random import Random
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Choker, Garbage, Strategy
from peer.bittorrent.strategies.parts.advertisers import ClaimsMore, ClaimsNothing, ExaggeratesUploads
from peer.bittorrent.strategies.parts.chokers import NeverUnchokes, ServesGarbage, TitForTat
from peer.bittorrent.strategies.parts.departures import parse_departure
from peer.bittorrent.strategies.parts.parameters import yes_or_no
from peer.bittorrent.strategies.parts.peer_policies import MANY, LargeView
from peer.bittorrent.strategies.parts.pickers import RandomOrder

CLAIMED_SHARE: Final = 0.5
"""The share of missing pieces that it claims: a client that claims all looks like a seed, and seeds disconnect."""


def bitthief(
    profile: Profile,
    rng: Random,
    *,
    connections: int = MANY,
    pretends: bool = False,
    garbage: bool = False,
    departure: str = "stay",
) -> Strategy:
    gives_garbage = yes_or_no("garbage", garbage)
    advertiser = ClaimsMore(CLAIMED_SHARE, rng) if gives_garbage else ClaimsNothing()
    choker: Choker = ServesGarbage(TitForTat(profile, rng), Garbage.ALWAYS) if gives_garbage else NeverUnchokes()
    return Strategy(
        name="bitthief",
        choker=choker,
        picker=RandomOrder(),
        advertiser=ExaggeratesUploads(advertiser) if yes_or_no("pretends", pretends) else advertiser,
        peer_policy=LargeView(profile, connections),
        departure=parse_departure(departure),
    )
