"""A plain appetite is the profile's."""

from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import Wishes
from peer.bittorrent.strategies.parts.peer_policies import Plain
from tests.peer.bittorrent.strategies.candidates import neighbours
from tests.peer.bittorrent.strategies.progress import progress


def test_it_wishes_for_what_the_profile_says() -> None:
    wishes = Plain(PROFILES["course"]).wish(progress(), neighbours("1 2 3"))
    assert wishes == Wishes(most_neighbours=80, dials_up_to=40, numwant=50)
    assert wishes.sources is None
    assert wishes.announce_period is None
