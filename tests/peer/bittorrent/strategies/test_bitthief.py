"""BitThief uploads nothing, announces nothing, and connects to all peers."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.events import Banned, PieceFailed
from peer.bittorrent.engine.actions import Announce
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import (
    ChokingView,
    Garbage,
    Strategy,
    TransferTotals,
)
from peer.bittorrent.strategies.parts.pickers import RandomOrder
from peer.bittorrent.strategies.registry import StrategyError, make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.messages import (
    Have,
    HaveNone,
    Interested,
    Unchoke,
)
from peer.bittorrent.wire.tracker.messages import AnnounceResponse
from peer.simulation.swarm import VirtualSwarm, virtual_torrent
from tests.peer.bittorrent.engine.scripted import SessionHarness
from tests.peer.bittorrent.strategies.candidates import neighbours, view_of
from tests.peer.bittorrent.strategies.crowds import Crowd
from tests.peer.bittorrent.strategies.progress import progress
from tests.peer.bittorrent.strategies.views import views

COURSE = PROFILES["course"]
TRACKER = "http://t/announce"


def thief(**parameters: object) -> Strategy:
    return make_strategy("bitthief", COURSE, Random(1), parameters)


@given(views)
def test_serves_no_neighbour(view: ChokingView) -> None:
    assert thief().choker.allocate(view).grants == {}


def test_always_looks_like_a_newcomer() -> None:
    have = Bitfield(8)
    have.add(3)
    harness = SessionHarness(have=have, strategy=thief())
    neighbour = harness.add_neighbour(Interested())
    harness.wait(60)
    assert HaveNone() in neighbour.received()
    assert not [word for word in neighbour.received() if isinstance(word, Have | Unchoke)]


@given(st.integers(0, 7), st.lists(st.integers(1, 50)))
def test_announces_no_new_piece(index: int, keys: list[int]) -> None:
    assert list(thief().advertiser.announce_to(index, keys)) == []


def test_picks_random_pieces_not_the_rarest() -> None:
    assert isinstance(thief().picker, RandomOrder)


def test_connections_parameter_sets_the_number_of_neighbours() -> None:
    for connections, strategy in ((500, thief()), (80, thief(connections=80))):
        targets = strategy.peer_policy.targets(progress(), ())
        assert (targets.most_neighbours, targets.dials_up_to, targets.numwant) == (connections, connections, 200)


def test_asks_tracker_every_30_seconds_for_200_peers() -> None:
    harness = SessionHarness(strategy=thief(), trackers=((TRACKER,),))
    times = []
    for _ in range(5):
        asked = [each for each in harness.actions if isinstance(each, Announce)]
        times.append(harness.now)
        assert asked[-1].request.numwant == 200
        answer = AnnounceResponse(interval=1_800)
        harness.actions_after(lambda answer=answer: harness.session.tracker_answered(TRACKER, answer, harness.now))
        before = len(asked)
        while len([each for each in harness.actions if isinstance(each, Announce)]) == before:
            harness.wait(1)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(30 <= gap <= 32 for gap in gaps)


def test_gets_the_file_and_uploads_nothing() -> None:
    crowd = Crowd("bitthief").run()
    assert crowd.lone.session.is_complete
    assert crowd.lone.session.sent_bytes == 0


def test_gets_more_from_leeches_with_more_neighbours() -> None:
    few, many = taken_from_leeches(connections=3), taken_from_leeches(connections=15)
    assert 2 * few < many


def taken_from_leeches(connections: int) -> int:
    """The bytes that it gets in 20 rounds from 15 leeches, each of which has half of the file."""
    rng, pieces = Random(7), 1_000
    swarm = VirtualSwarm(virtual_torrent(pieces), profile=COURSE.scaled(10))
    lone = swarm.add("lone", strategy="bitthief", connections=connections)
    for number in range(15):
        have = Bitfield(pieces)
        for index in rng.sample(range(pieces), pieces // 2):
            have.add(index)
        swarm.add(f"leech {number}", up=32 << 10, have=have)
    swarm.run(20)
    return lone.session.received_bytes


def test_can_report_more_uploads_than_downloads() -> None:
    true = TransferTotals(uploaded=0, downloaded=1_000, left=500)
    assert thief().advertiser.reported_totals(true) == true
    told = thief(pretends=True).advertiser.reported_totals(true)
    assert told.uploaded > told.downloaded == 1_000
    assert told.left == 500


@pytest.mark.parametrize("pretends", [False, True])
def test_garbage_claims_half_of_missing_pieces(pretends: bool) -> None:
    strategy = thief(garbage=True, pretends=pretends)
    claimed = strategy.advertiser.initial_bitfield(1, Bitfield(40))
    assert claimed.count == 20
    grants = strategy.choker.allocate(view_of(neighbours("3 2 1 0 0 0 0"))).grants
    assert {grant.garbage for grant in grants.values()} == {Garbage.ALWAYS}


def test_garbage_spoils_pieces_until_banned() -> None:
    crowd = Crowd("bitthief", garbage=True)
    crowd.swarm.run(60)
    assert any(list(peer.events_of(PieceFailed)) for peer in crowd.others)
    banned = {fact.host for peer in crowd.others for fact in peer.events_of(Banned)}
    assert banned == {crowd.lone.address.host}


@pytest.mark.parametrize(("name", "value"), [("connections", 0), ("pretends", "yes"), ("garbage", 1)])
def test_invalid_parameters_are_refused(name: str, value: object) -> None:
    with pytest.raises(StrategyError, match=rf"^strategy bitthief: {name}: expected .*, found {value!r}$"):
        thief(**{name: value})
