"""Large view: a standard client that connects to all peers and serves none of them."""

from random import Random

from hypothesis import given

from contract.events import Announced, Connected, Disconnected
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import ChokingView, Strategy
from peer.bittorrent.strategies.parts.advertisers import Honest
from peer.bittorrent.strategies.parts.pickers import RarestFirst
from peer.bittorrent.strategies.registry import make_strategy
from peer.simulation.swarm import VirtualPeer, VirtualSwarm, a_torrent
from tests.peer.bittorrent.strategies.crowds import Crowd
from tests.peer.bittorrent.strategies.progress import progress
from tests.peer.bittorrent.strategies.views import views

COURSE = PROFILES["course"]


def rider(**parameters: object) -> Strategy:
    return make_strategy("large-view", COURSE, Random(1), parameters)


@given(views)
def test_serves_no_neighbour(view: ChokingView) -> None:
    assert rider().choker.allocate(view).grants == {}


def test_announces_and_picks_like_others() -> None:
    assert isinstance(rider().advertiser, Honest)
    assert isinstance(rider().picker, RarestFirst)


def test_asks_tracker_for_more_peers_more_often() -> None:
    ordinary = make_strategy("tit-for-tat", COURSE, Random(1), {}).peer_policy.targets(progress(), ())
    targets = rider(connections=300).peer_policy.targets(progress(), ())
    assert targets.most_neighbours == targets.dials_up_to == 300
    assert targets.numwant > ordinary.numwant
    assert (ordinary.announce_period, targets.announce_period) == (None, COURSE.optimistic_period)


def test_announce_period_follows_time_scale() -> None:
    scaled = make_strategy("large-view", COURSE.scaled(10), Random(1), {})
    assert scaled.peer_policy.targets(progress(), ()).announce_period == COURSE.optimistic_period / 10


def test_has_all_as_neighbours_and_uploads_nothing() -> None:
    crowd = Crowd("large-view", leeches=14, neighbours=6)
    crowd.swarm.run(5)
    assert max(map(open_connections, crowd.others)) <= 6
    assert open_connections(crowd.lone) > 6
    crowd.run()
    assert crowd.lone.session.is_complete
    assert crowd.lone.session.sent_bytes == 0


def test_learns_of_other_peers_from_neighbours() -> None:
    swarm = VirtualSwarm(a_torrent(64), profile=COURSE.scaled(10), numwant=2)
    swarm.add("seed", up=16_384, is_seed=True)
    for n in range(20):
        swarm.add(f"leech {n}", up=16_384, neighbours=6)
    own, ordinary = swarm.add("rider", at=5, strategy="large-view"), swarm.add("ordinary", at=5, neighbours=6)
    swarm.run(5 + COURSE.scaled(10).optimistic_period * 0.9)
    for peer in (own, ordinary):
        assert [answer.peers for answer in peer.events_of(Announced)] == [2]
    assert open_connections(ordinary) <= 6 < open_connections(own)


def open_connections(peer: VirtualPeer) -> int:
    return len(list(peer.events_of(Connected))) - len(list(peer.events_of(Disconnected)))
