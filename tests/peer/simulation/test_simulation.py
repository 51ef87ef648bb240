"""Virtual time and links of arithmetic: what a simulated transfer takes, to the block."""

from dataclasses import replace
from math import inf
from random import Random

import pytest

from contract.events import Connected, Disconnected, Handshaken
from peer.bittorrent.strategies.api import PROFILES, Allocation, ChokingView, TitForTat, make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.simulation.agenda import Agenda
from peer.simulation.links import AccessLink, Downlink
from peer.simulation.swarm import Member, VirtualSwarm, virtual_torrent

BLOCK = 16 << 10
PIECES = 64


def test_calls_come_in_order_of_time_then_addition() -> None:
    agenda, called = Agenda(), list[str]()
    for when, name in ((2.0, "b"), (1.0, "a"), (2.0, "c"), (9.0, "late")):
        agenda.call_at(when, lambda name=name: called.append(name))  # type: ignore[misc]
    assert agenda.run(until=5.0) == agenda.now == 5.0
    assert called == ["a", "b", "c"]
    assert agenda


def test_time_stops_when_the_condition_holds() -> None:
    agenda, called = Agenda(), list[float]()
    for when in (1.0, 2.0, 3.0):
        agenda.call_at(when, lambda: called.append(agenda.now))
    assert agenda.run(until=5.0, stop=lambda: len(called) == 2) == 2.0
    assert called == [1.0, 2.0]


def test_downlink_takes_blocks_one_after_another() -> None:
    downlink = Downlink(rate=1000.0)
    assert [downlink.take(500, arrives_at) for arrives_at in (1.0, 1.1, 3.0)] == [1.5, 2.0, 3.5]
    assert Downlink(None).take(500, 1.0) == 1.0


@pytest.mark.parametrize(("up", "down"), [(200_000.0, None), (2_000_000.0, 200_000.0)])
def test_slower_link_decides_the_download_time(up: float, down: float | None) -> None:
    swarm = VirtualSwarm(virtual_torrent(PIECES, BLOCK))
    swarm.add("seed", up=up, is_seed=True)
    leech = swarm.add("leech", down=down)
    swarm.run_until_all_complete()
    assert leech.completed_at is not None
    transfer = PIECES * BLOCK / 200_000
    assert transfer < leech.completed_at < 1.1 * transfer + 1.0


def test_vanished_peer_leaves_its_neighbours_without_connection() -> None:
    swarm = VirtualSwarm(virtual_torrent(PIECES, BLOCK))
    seed = swarm.add("seed", up=100_000, is_seed=True)
    leech = swarm.add("leech")
    swarm.call_at(2.0, lambda: swarm.vanish("seed"))
    swarm.run(10.0)
    assert (seed.is_here, seed.connections, leech.connections) == (False, {}, {})
    assert [event.reason for event in leech.events_of(Disconnected)] == ["reset"]
    assert 0 < leech.have_count < PIECES


def test_delays_of_both_links_are_on_the_way() -> None:
    """The tracker's answer takes one delay; the connection, and either handshake, those of both links."""
    swarm = VirtualSwarm(virtual_torrent(PIECES, BLOCK), latency=0.001)
    swarm.admit(member("seed", swarm, AccessLink(up=200_000.0, delay=0.1), is_seed=True))
    leech = swarm.admit(member("leech", swarm, AccessLink(delay=0.2), is_seed=False))
    swarm.run(20.0)
    times = {type(event): now for now, event in reversed(leech.events)}
    assert times[Connected] == pytest.approx(0.201 + 0.301)
    assert times[Handshaken] == pytest.approx(0.201 + 3 * 0.301)
    assert leech.completed_at is not None


def test_blocks_of_a_near_peer_do_not_wait_for_those_of_a_far_one() -> None:
    """Two seeds fill a downlink as soon as their blocks are there, whichever was sent first."""
    swarm = VirtualSwarm(virtual_torrent(PIECES, BLOCK), latency=0.001)
    for name, delay in (("far", 2.0), ("near", 0.0)):
        swarm.admit(member(name, swarm, AccessLink(up=50_000.0, delay=delay), is_seed=True))
    leech = swarm.admit(member("leech", swarm, AccessLink(down=1e6), is_seed=False))
    swarm.run(30.0)
    near = VirtualSwarm(virtual_torrent(PIECES, BLOCK), latency=0.001)
    near.admit(member("near", near, AccessLink(up=50_000.0), is_seed=True))
    alone = near.admit(member("leech", near, AccessLink(down=1e6), is_seed=False))
    near.run(30.0)
    assert leech.completed_at is not None
    assert leech.completed_at < (alone.completed_at or inf)


def test_client_knows_another_capacity_than_its_links() -> None:
    known = []

    class Asks(TitForTat):
        def allocate(self, view: ChokingView) -> Allocation:
            known.append(view.capacity)
            return super().allocate(view)

    swarm = VirtualSwarm(virtual_torrent(4))
    one = member("one", swarm, AccessLink(up=1000.0), is_seed=False)
    strategy = replace(one.make(), choker=Asks(one.profile, one.rng))
    swarm.admit(replace(one, make=lambda: strategy, capacity=1200.0))
    swarm.run(30.0)
    assert set(known) == {1200.0}


@pytest.mark.parametrize("moves", [True, False])
def test_peer_can_come_back_at_another_address(moves: bool) -> None:
    swarm = VirtualSwarm(virtual_torrent(PIECES, BLOCK))
    swarm.add("seed", up=200_000, is_seed=True)
    leech = member("leech", swarm, AccessLink(), is_seed=False, departure="at 50 % for 2 s")
    peer = swarm.admit(replace(leech, moves=moves))
    before = peer.address
    assert swarm.run_until_all_complete() < 60
    assert (peer.address != before) == moves
    assert peer.completed_at is not None
    assert not peer.has_left


def member(name: str, swarm: VirtualSwarm, link: AccessLink, *, is_seed: bool, departure: str = "stay") -> Member:
    rng, profile = Random(name), PROFILES["course"]
    return Member(
        name=name,
        link=link,
        make=lambda: make_strategy("tit-for-tat", profile, rng, {"departure": departure}),
        profile=profile,
        rng=rng,
        have=Bitfield.full(swarm.info.piece_count) if is_seed else None,
        capacity=link.up,
    )
