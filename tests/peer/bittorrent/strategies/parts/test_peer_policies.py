"""The standard peer policy follows the profile."""

from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import PeerTargets
from peer.bittorrent.strategies.parts.peer_policies import FollowsProfile
from tests.peer.bittorrent.strategies.candidates import neighbours
from tests.peer.bittorrent.strategies.progress import progress


def test_targets_are_those_of_the_profile() -> None:
    targets = FollowsProfile(PROFILES["course"]).targets(progress(), neighbours("1 2 3"))
    assert targets == PeerTargets(most_neighbours=80, dials_up_to=40, numwant=50, most_per_host=16)
    assert targets.sources is None
    assert targets.announce_period is None
