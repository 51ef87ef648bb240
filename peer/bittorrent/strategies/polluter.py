"""Polluter: give, and let everything that one gives be wrong.

Liang, Kumar, Xi, Ross: Pollution in P2P file sharing systems. INFOCOM 2005; in BitTorrent, the piece attack of Dhungel,
Wu, Schonhorst, Ross: A Measurement Study of Attacks on BitTorrent Leechers. IPTPS 2008.

    claims every piece (or only what it has), and serves as many as an ordinary client, by chance where none gives
    each block that it sends is random bytes, so that the pieces it had a part in fail
    wants nothing itself (or downloads as others do, to be less easily seen)

Parameters: `claims` `all` or `own`; with `own` it downloads like the standard client. Left out: sending some blocks
right to be found later, and coming back from another address after it was banned.
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
from peer.bittorrent.strategies.parts.free_riding import LargeView
from peer.bittorrent.strategies.parts.lies import ClaimsMore, ServesGarbage
from peer.bittorrent.strategies.parts.parameters import one_of
from peer.bittorrent.strategies.standard import tit_for_tat

CLAIMS: Final = ("all", "own")


class AsksNobody:
    """Wishes what another peer policy wants, and asks nobody."""

    def __init__(self, peer_policy: PeerPolicy) -> None:
        self._peer_policy: Final = peer_policy

    def targets(self, view: ProgressView, candidates: Sequence[Candidate]) -> PeerTargets:
        """Want nothing of anybody."""
        return replace(self._peer_policy.targets(view, candidates), sources=frozenset())


def polluter(
    profile: Profile, rng: Random, *, claims: str = "all", departure: str = "stay", slots: int | None = None
) -> Strategy:
    """Make a client whose blocks are all wrong."""
    standard = tit_for_tat(profile, rng, departure=departure, slots=slots)
    polluting = replace(standard, name="polluter", choker=ServesGarbage(standard.choker, Garbage.ALWAYS))
    if one_of("claims", claims, CLAIMS) == "own":
        return polluting
    return replace(polluting, advertiser=ClaimsMore(1, rng), peer_policy=AsksNobody(LargeView(profile)))
