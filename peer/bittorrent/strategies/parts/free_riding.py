"""What strategies share that take and do not give: no upload, and more neighbours than a client is meant to have."""

from collections.abc import Sequence
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import (
    Allocation,
    Candidate,
    ChokingView,
    PeerTargets,
    ProgressView,
)
from peer.bittorrent.strategies.parts.parameters import whole_number

MANY: Final = 500
"""Neighbours: as many as BitThief has."""
NUMWANT: Final = 200


class GivesNothing:
    """Serves nobody, whoever gives, and with everything here."""

    def allot(self, view: ChokingView) -> Allocation:  # noqa: ARG002
        """Choke everybody."""
        return Allocation()


class LargeView:
    """Wants everybody for a neighbour: asks the tracker every optimistic period, for many, and dials all it hears of.

    Neighbours are seats in a lottery: each of them draws an optimistic one now and then.
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
        """Wish for the same, however far we are and whoever is there."""
        return self._targets
