"""A plain peer_policy is the profile's."""

from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import PeerTargets
from peer.bittorrent.strategies.parts.peer_policies import FollowsProfile
from tests.peer.bittorrent.strategies.candidates import neighbours
from tests.peer.bittorrent.strategies.progress import progress


def test_it_wishes_for_what_the_profile_says() -> None:
    targets = FollowsProfile(PROFILES["course"]).targets(progress(), neighbours("1 2 3"))
    assert targets == PeerTargets(most_neighbours=80, dials_up_to=40, numwant=50)
    assert targets.sources is None
    assert targets.announce_period is None
