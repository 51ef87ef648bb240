"""Seed drain: downloads from seeds, forgets the pieces, and downloads them again."""

from collections import Counter
from random import Random
from statistics import mean

from hypothesis import given

from contract.events import Joined, PieceForgotten
from peer.bittorrent.engine.actions import Leave
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import Candidate, ChokingView, Strategy
from peer.bittorrent.strategies.registry import make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.simulation.swarm import VirtualSwarm, a_torrent
from tests.peer.bittorrent.strategies.crowds import COURSE, Crowd
from tests.peer.bittorrent.strategies.progress import progress
from tests.peer.bittorrent.strategies.views import neighbourhoods, views


def drain(**parameters: object) -> Strategy:
    return make_strategy("seed-drain", PROFILES["course"], Random(1), parameters)


@given(views)
def test_serves_no_neighbour(view: ChokingView) -> None:
    assert drain().choker.allocate(view).grants == {}


@given(neighbourhoods())
def test_downloads_from_seeds_only(candidates: list[Candidate]) -> None:
    assert drain().peer_policy.targets(progress(), candidates).sources == {
        each.key for each in candidates if each.is_seed
    }


def test_announces_nothing() -> None:
    assert drain().advertiser.initial_bitfield(1, Bitfield.full(8)).count == 0
    assert list(drain().advertiser.announce_to(3, [1, 2])) == []


def test_leaves_at_its_departure() -> None:
    departure = drain(departure="after 50 s").departure
    assert departure.decide(progress(now=120, joined_at=100)) is None
    assert departure.decide(progress(now=150, joined_at=100)) == Leave("after 50 s")


def test_downloads_the_file_again_and_again() -> None:
    crowd = Crowd("seed-drain", pieces=8, seed_up=512, leeches=3, up=16)
    crowd.swarm.run(30)
    session = crowd.lone.session
    assert session.received_bytes >= 2 * crowd.swarm.info.length
    assert session.sent_bytes == 0
    assert (session.is_complete, crowd.lone.have_count) == (False, 0)
    taken = Counter(fact.index for fact in crowd.lone.events_of(PieceForgotten))
    assert set(taken) == set(range(8))
    assert len(list(crowd.lone.events_of(Joined))) == 1


def test_four_drains_slow_down_the_others() -> None:
    assert time_of_leeches(attackers=4) > 1.5 * time_of_leeches(attackers=0)


def time_of_leeches(attackers: int) -> float:
    """The mean completion time of standard leeches with little upload."""
    swarm = VirtualSwarm(a_torrent(16, 64 << 10), profile=COURSE)
    swarm.add("seed", up=128 << 10, is_seed=True)
    leeches = [swarm.add(f"leech {number}", up=8 << 10) for number in range(6)]
    for number in range(attackers):
        swarm.add(f"drain {number}", up=8 << 10, down=1 << 20, strategy="seed-drain")
    swarm.run(400, stop=lambda: all(peer.completed_at is not None for peer in leeches))
    return mean(peer.completed_at or 400 for peer in leeches)
