"""Seeds only: take from those who ask for nothing in return.

Liogkas, Nelson, Kohler, Zhang: Exploiting BitTorrent for Fun (But Not Profit). IPTPS 2006; the first of its exploits.

    shows interest in seeds alone, and asks them alone
    uploads nothing: a seed does not look at what one gives
    looks for as many neighbours as it can get, since any of them may be a seed

Parameters: `connections` 500; `gives` false: whether to serve leeches as an ordinary client does, though nothing
comes of it. Left out: how the paper's client finds seeds; here those are neighbours that say they have everything,
and whoever comes between two rounds is looked at in the next.
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
from peer.bittorrent.strategies.parts.free_riding import MANY, GivesNothing, LargeView
from peer.bittorrent.strategies.parts.parameters import yes_or_no
from peer.bittorrent.strategies.standard import tit_for_tat


class AsksSeeds:
    """Wishes what another peer policy wants, and asks nobody but seeds."""

    def __init__(self, peer_policy: PeerPolicy) -> None:
        self._peer_policy: Final = peer_policy

    def targets(self, view: ProgressView, candidates: Sequence[Candidate]) -> PeerTargets:
        """Choose the seeds."""
        seeds = frozenset(candidate.key for candidate in candidates if candidate.is_seed)
        return replace(self._peer_policy.targets(view, candidates), sources=seeds)


def seeds_only(
    profile: Profile, rng: Random, *, connections: int = MANY, gives: bool = False, departure: str = "stay"
) -> Strategy:
    """Make a client that takes from seeds alone."""
    standard = tit_for_tat(profile, rng, departure=departure)
    return replace(
        standard,
        name="seeds-only",
        choker=standard.choker if yes_or_no("gives", gives) else GivesNothing(),
        peer_policy=AsksSeeds(LargeView(profile, connections)),
    )
