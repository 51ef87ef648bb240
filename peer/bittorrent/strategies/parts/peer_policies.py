"""How many neighbours to have, how often to announce, and whom to ask for blocks."""

from collections.abc import Sequence

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Candidate, PeerTargets, ProgressView


class Plain:
    """Wants as many neighbours as the profile says, asks all of them, and announces when the tracker says."""

    def __init__(self, profile: Profile) -> None:
        self._targets = PeerTargets(
            most_neighbours=profile.most_neighbours, dials_up_to=profile.dials_up_to, numwant=profile.numwant
        )

    def targets(self, view: ProgressView, candidates: Sequence[Candidate]) -> PeerTargets:  # noqa: ARG002
        """Wish for the same, however far we are and whoever is there."""
        return self._targets
