"""Large view: an ordinary client that knows everybody, and uploads nothing.

Sirivianos, Park, Chen, Yang: Free-riding in BitTorrent Networks with the Large View Exploit. IPTPS 2007.

    asks the tracker for peers again and again, and believes what neighbours tell of others
    connects to all of them, where others stop at a few dozen
    never unchokes anybody; announces pieces and picks the rarest like any other client

Parameters: `connections` 500, above the view of 250 of the paper (among 300 leeches, the others capped at 50). Left
out: the paper's own interval between announcements (here: one optimistic period of the profile).
"""

from dataclasses import replace
from random import Random

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.parts.free_riding import MANY, GivesNothing, LargeView
from peer.bittorrent.strategies.standard import tit_for_tat


def large_view(profile: Profile, rng: Random, *, connections: int = MANY, departure: str = "stay") -> Strategy:
    """Make the standard client without an upload, and with everybody for a neighbour."""
    return replace(
        tit_for_tat(profile, rng, departure=departure),
        name="large-view",
        choker=GivesNothing(),
        peer_policy=LargeView(profile, connections),
    )
