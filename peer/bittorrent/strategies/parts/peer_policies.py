"""How many neighbours to have, how often to announce, and which neighbours to download from."""

from collections.abc import Sequence
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Candidate, PeerTargets, ProgressView
from peer.bittorrent.strategies.parts.parameters import whole_number

MANY: Final = 500
"""Neighbours: as many as BitThief has."""
NUMWANT: Final = 200


class FollowsProfile:
    """Aims for the profile's number of neighbours, downloads from all, and announces at the tracker's interval."""

    def __init__(self, profile: Profile) -> None:
        self._targets: Final = PeerTargets(
            most_neighbours=profile.most_neighbours,
            dials_up_to=profile.dials_up_to,
            numwant=profile.numwant,
            most_per_host=profile.most_per_host,
        )

    def targets(self, view: ProgressView, candidates: Sequence[Candidate]) -> PeerTargets:  # noqa: ARG002
        return self._targets


class LargeView:
    """Aims to have all peers as neighbours: announces every optimistic period, asks for many peers, and dials all.

    Each neighbour is a ticket in a lottery, as each draws an optimistic unchoke now and then.
    """

    def __init__(self, profile: Profile, connections: int = MANY) -> None:
        most = whole_number("connections", connections)
        self._targets: Final = PeerTargets(
            most_neighbours=most,
            dials_up_to=most,
            numwant=NUMWANT,
            announce_period=profile.optimistic_period,
        )

    def targets(self, view: ProgressView, candidates: Sequence[Candidate]) -> PeerTargets:  # noqa: ARG002
        return self._targets
