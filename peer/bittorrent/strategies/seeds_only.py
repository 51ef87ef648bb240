"""Seeds only: download from peers that want nothing in return.

Liogkas, Nelson, Kohler, Zhang: Exploiting BitTorrent for Fun (But Not Profit). IPTPS 2006; the first of its exploits.

    is interested in seeds only, and requests blocks from seeds only
    uploads nothing: seeds do not consider what a neighbour uploads
    connects to as many peers as it can, since any of them may be a seed

Parameters: `connections` 500; `gives` false: whether to serve leeches like a standard client, though nothing comes of
it. Left out: how the client of the paper finds seeds. Here they are the neighbours that announce all pieces; one that
connects between two rounds is considered in the next.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import (
    Candidate,
    PeerPolicy,
    PeerTargets,
    ProgressView,
    Strategy,
)
from peer.bittorrent.strategies.parts.chokers import NeverUnchokes
from peer.bittorrent.strategies.parts.parameters import yes_or_no
from peer.bittorrent.strategies.parts.peer_policies import MANY, LargeView
from peer.bittorrent.strategies.standard import tit_for_tat


class DownloadsFromSeeds:
    """The targets of another peer policy, but downloading from seeds only."""

    def __init__(self, peer_policy: PeerPolicy) -> None:
        self._peer_policy: Final = peer_policy

    def targets(self, view: ProgressView, candidates: Sequence[Candidate]) -> PeerTargets:
        seeds = frozenset(candidate.key for candidate in candidates if candidate.is_seed)
        return replace(self._peer_policy.targets(view, candidates), sources=seeds)


def seeds_only(
    profile: Profile, rng: Random, *, connections: int = MANY, gives: bool = False, departure: str = "stay"
) -> Strategy:
    standard = tit_for_tat(profile, rng, departure=departure)
    return replace(
        standard,
        name="seeds-only",
        choker=standard.choker if yes_or_no("gives", gives) else NeverUnchokes(),
        peer_policy=DownloadsFromSeeds(LargeView(profile, connections)),
    )
