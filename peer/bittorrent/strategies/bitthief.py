"""BitThief: uploads nothing, and makes up for it by knowing everybody.

Locher, Moor, Schmid, Wattenhofer: Free Riding in BitTorrent is Cheap. HotNets 2006.

    never unchokes anybody, announces no piece, takes whatever piece there is (no rarest-first)
    connects to as many peers as it can get, up to 500, and asks the tracker often, for 200 at a time
    so it lives on optimistic unchokes and on seeds, both of which grow with the number of neighbours

Parameters: `connections` 500 (the paper: 80 to 500); `pretends`, to tell the tracker of uploads that never were, for
sharing communities that ban who gives little; `garbage`, to claim half of what it lacks, and to answer every request
with random bytes. Left out: how it finds peers other than by tracker and peer exchange, its own interval between
announcements (here: one optimistic period of the profile), and its treatment of neighbours that never unchoke it.
"""

from random import Random
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Choker, Garbage, Strategy
from peer.bittorrent.strategies.parts.chokers import TitForTat
from peer.bittorrent.strategies.parts.departures import parse_departure
from peer.bittorrent.strategies.parts.free_riding import MANY, GivesNothing, LargeView
from peer.bittorrent.strategies.parts.lies import (
    Boasts,
    ClaimsMore,
    ClaimsNothing,
    ServesGarbage,
)
from peer.bittorrent.strategies.parts.parameters import yes_or_no
from peer.bittorrent.strategies.parts.pickers import RandomOrder

CLAIMED_SHARE: Final = 0.5
"""Of all that it lacks: who claims everything is a seed, and other seeds hang up."""


def bitthief(
    profile: Profile,
    rng: Random,
    *,
    connections: int = MANY,
    pretends: bool = False,
    garbage: bool = False,
    departure: str = "stay",
) -> Strategy:
    """Make a client that gives nothing, or nothing that is of use."""
    gives_garbage = yes_or_no("garbage", garbage)
    advertiser = ClaimsMore(CLAIMED_SHARE, rng) if gives_garbage else ClaimsNothing()
    choker: Choker = ServesGarbage(TitForTat(profile, rng), Garbage.ALWAYS) if gives_garbage else GivesNothing()
    return Strategy(
        name="bitthief",
        choker=choker,
        picker=RandomOrder(),
        advertiser=Boasts(advertiser) if yes_or_no("pretends", pretends) else advertiser,
        peer_policy=LargeView(profile, connections),
        departure=parse_departure(departure),
    )
