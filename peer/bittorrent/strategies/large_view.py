"""Large view: a standard client that connects to all peers, and uploads nothing.

Sirivianos, Park, Chen, Yang: Free-riding in BitTorrent Networks with the Large View Exploit. IPTPS 2007.

    asks the tracker for peers again and again, and uses all addresses that neighbours send
    connects to all of them, where other clients stop at a few dozen
    never unchokes a neighbour; announces pieces and picks the rarest first like any other client

Parameters: `connections` 500, more than the view of 250 in the paper (300 leeches, the others limited to 50). Left out:
the paper's own announce interval (here: one optimistic period of the profile).
"""

from dataclasses import replace
from random import Random

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.parts.chokers import NeverUnchokes
from peer.bittorrent.strategies.parts.peer_policies import MANY, LargeView
from peer.bittorrent.strategies.standard import tit_for_tat


def large_view(profile: Profile, rng: Random, *, connections: int = MANY, departure: str = "stay") -> Strategy:
    return replace(
        tit_for_tat(profile, rng, departure=departure),
        name="large-view",
        choker=NeverUnchokes(),
        peer_policy=LargeView(profile, connections),
    )
