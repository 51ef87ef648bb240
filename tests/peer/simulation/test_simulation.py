"""Virtual time and links of arithmetic: what a simulated transfer takes, to the block."""

import pytest

from contract.events import Disconnected
from peer.simulation.agenda import Agenda
from peer.simulation.links import Downlink
from peer.simulation.swarm import VirtualSwarm, virtual_torrent

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
