"""Polluter: upload a lot, all of it wrong.

Liang, Kumar, Xi, Ross: Pollution in P2P file sharing systems. INFOCOM 2005; in BitTorrent, the piece attack of Dhungel,
Wu, Schonhorst, Ross: A Measurement Study of Attacks on BitTorrent Leechers. IPTPS 2008.

    claims all pieces (or only those it has), and serves as many neighbours as a standard client, at random if none
    uploads to it
    each block that it sends is random bytes, so the pieces that contain one fail their hash check
    downloads nothing (or like a standard client, to be less conspicuous)

Parameters: `claims` `all` or `own`; with `own` it downloads like the standard client. Left out: sending some correct
blocks to be detected later, and returning from another address after a ban.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import (
    Candidate,
    Garbage,
    PeerPolicy,
    PeerTargets,
    ProgressView,
    Strategy,
)
from peer.bittorrent.strategies.parts.advertisers import ClaimsMore
from peer.bittorrent.strategies.parts.chokers import ServesGarbage
from peer.bittorrent.strategies.parts.parameters import one_of
from peer.bittorrent.strategies.parts.peer_policies import LargeView
from peer.bittorrent.strategies.standard import tit_for_tat

CLAIMS: Final = ("all", "own")


class DownloadsNothing:
    """The targets of another peer policy, but without downloading from any neighbour."""

    def __init__(self, peer_policy: PeerPolicy) -> None:
        self._peer_policy: Final = peer_policy

    def targets(self, view: ProgressView, candidates: Sequence[Candidate]) -> PeerTargets:
        return replace(self._peer_policy.targets(view, candidates), sources=frozenset())


def polluter(
    profile: Profile, rng: Random, *, claims: str = "all", departure: str = "stay", slots: int | None = None
) -> Strategy:
    standard = tit_for_tat(profile, rng, departure=departure, slots=slots)
    polluting = replace(standard, name="polluter", choker=ServesGarbage(standard.choker, Garbage.ALWAYS))
    if one_of("claims", claims, CLAIMS) == "own":
        return polluting
    return replace(polluting, advertiser=ClaimsMore(1, rng), peer_policy=DownloadsNothing(LargeView(profile)))
