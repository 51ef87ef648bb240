"""A plain appetite is the profile's."""

from peer.strategies.appetites import Plain
from peer.strategies.seam import Wishes
from peer.swarm.profile import PROFILES
from tests.peer.strategies.candidates import neighbours
from tests.peer.strategies.progress import progress


def test_it_wishes_for_what_the_profile_says() -> None:
    wishes = Plain(PROFILES["course"]).wish(progress(), neighbours("1 2 3"))
    assert wishes == Wishes(most_neighbours=80, dials_up_to=40, numwant=50)
    assert wishes.sources is None
    assert wishes.announce_period is None
