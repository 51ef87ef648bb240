"""Who gives way when all places are taken: strangers, crowds and idle neighbours first; nobody who takes part."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.events import Connected, Disconnected
from peer.bittorrent.engine import actions
from peer.bittorrent.engine.connections.neighbour import Neighbour, make_neighbour
from peer.bittorrent.engine.connections.room import (
    IDLE_PATIENCE,
    MOST_SERVED,
    SEED_TURN,
    STRANGER_PATIENCE,
    Room,
)
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.wire.compact import pack
from peer.bittorrent.wire.messages import Have, Interested, KeepAlive, Request, Unchoke
from peer.bittorrent.wire.tracker.messages import AnnounceResponse
from peer.net.address import Address
from peer.simulation.swarm import TRACKER
from tests.peer.bittorrent.engine.scripted import ScriptedNeighbour, SessionHarness, everything

Joins: TypeAlias = Callable[[SessionHarness, int], ScriptedNeighbour]
"""Lets a neighbour connect; the number tells it from others."""

COURSE = PROFILES["course"]
BLOCK = 16 << 10
PLACES = 6
SHARE = 2
SMALL = replace(COURSE, most_neighbours=PLACES, most_per_host=SHARE, dials_up_to=PLACES, all_slots=PLACES)
MAKES_ROOM = "makes room for another"
NOW = 1_000.0


def host(number: int) -> str:
    return f"198.18.0.{number}"


def full_leech(
    make: Joins,
) -> tuple[SessionHarness, list[ScriptedNeighbour]]:
    harness = SessionHarness(profile=SMALL)
    return harness, [make(harness, number) for number in range(PLACES)]


def full_seed(
    make: Joins,
) -> tuple[SessionHarness, list[ScriptedNeighbour]]:
    empty = SessionHarness(profile=SMALL)
    harness = SessionHarness(profile=SMALL, have=everything(empty.info))
    return harness, [make(harness, number) for number in range(PLACES)]


def stranger(harness: SessionHarness, number: int) -> ScriptedNeighbour:
    return harness.connect(host=host(number + 2))


def stranger_of_crowd(harness: SessionHarness, _: int) -> ScriptedNeighbour:
    return harness.connect(host=host(2))


def idle(harness: SessionHarness, number: int) -> ScriptedNeighbour:
    return harness.add_neighbour(host=host(number + 2), name=f"peer {number}")


def one_of_crowd(harness: SessionHarness, number: int) -> ScriptedNeighbour:
    return harness.add_neighbour(Interested(), host=host(2), name=f"peer {number}")


def interested(harness: SessionHarness, number: int) -> ScriptedNeighbour:
    return harness.add_neighbour(Interested(), host=host(number + 2), name=f"peer {number}")


def take_block(harness: SessionHarness, neighbour: ScriptedNeighbour) -> None:
    neighbour.send(Request(0, 0, BLOCK))
    queued = harness.session.next_block(neighbour.key, harness.now)
    assert queued is not None
    harness.session.block_sent(neighbour.key, queued.request, harness.now)


def accepts(harness: SessionHarness, newcomer: str) -> bool:
    return connects(harness, Address(newcomer, 50_000), is_outgoing=False)


def connects(harness: SessionHarness, address: Address, *, is_outgoing: bool) -> bool:
    keys = list[int | None]()
    harness.actions_after(lambda: keys.append(harness.session.connected(address, harness.now, is_outgoing=is_outgoing)))
    return keys != [None]


def gone(neighbours: list[ScriptedNeighbour]) -> list[int]:
    """The positions of those that gave way."""
    at = [number for number, each in enumerate(neighbours) if each.is_disconnected]
    assert all(neighbours[number].disconnect_reason == MAKES_ROOM for number in at)
    return at


# Strangers


def test_stranger_that_shakes_no_hands_gives_way() -> None:
    harness, strangers = full_leech(stranger)
    harness.wait(STRANGER_PATIENCE - 0.1)
    assert not accepts(harness, host(99))
    harness.wait(0.2)
    assert accepts(harness, host(99))
    assert gone(strangers) == [0]


def test_crowd_of_strangers_gives_way_at_once() -> None:
    harness, strangers = full_leech(stranger_of_crowd)
    assert accepts(harness, host(99))
    assert accepts(harness, host(2))
    assert gone(strangers) == [0, 1]


def test_silent_crowd_never_has_more_than_its_places() -> None:
    harness, _ = full_leech(stranger_of_crowd)
    for _ in range(1_000):
        assert accepts(harness, host(2))
    assert len(harness.events_of(Connected)) - len(harness.events_of(Disconnected)) == PLACES


# Crowds and idle neighbours


def test_crowd_gives_way_to_other_hosts_only() -> None:
    harness, crowd = full_leech(one_of_crowd)
    assert not accepts(harness, host(2))
    assert accepts(harness, host(99))
    assert gone(crowd) == [0]


def test_host_keeps_its_share() -> None:
    def two_each(harness: SessionHarness, number: int) -> ScriptedNeighbour:
        return harness.add_neighbour(Interested(), host=host(number // SHARE + 2), name=f"peer {number}")

    harness, _ = full_leech(two_each)
    harness.wait(2 * IDLE_PATIENCE)
    assert not accepts(harness, host(99))


def test_idle_neighbour_gives_way_after_a_while() -> None:
    harness, neighbours = full_leech(idle)
    neighbours[0].send(Interested())
    neighbours[1].send(Have(0))
    assert Interested() in neighbours[1].received()
    harness.wait(IDLE_PATIENCE - 0.1)
    assert not accepts(harness, host(99))
    neighbours[2].send(KeepAlive())
    harness.wait(0.2)
    assert accepts(harness, host(99))
    assert gone(neighbours) == [3]


def test_leech_closes_nobody_who_takes_part() -> None:
    harness, _ = full_leech(interested)
    harness.wait(200)
    assert not accepts(harness, host(99))


# Seeds


def test_seed_replaces_one_that_takes_nothing() -> None:
    harness, neighbours = full_seed(interested)
    harness.wait(1)
    assert all(Unchoke() in each.received() for each in neighbours)
    take_block(harness, neighbours[0])
    assert not accepts(harness, host(99))
    harness.wait(IDLE_PATIENCE)
    assert accepts(harness, host(99))
    assert gone(neighbours) == [1]


def test_seed_serves_newcomers_after_a_turn() -> None:
    harness, neighbours = full_seed(interested)
    harness.wait(1)
    for each in neighbours:
        take_block(harness, each)
    harness.wait(200)
    for each in neighbours:
        each.send(KeepAlive())
    harness.wait(SEED_TURN - 202)
    assert not accepts(harness, host(99))
    harness.wait(2)
    assert accepts(harness, host(99))
    assert not accepts(harness, host(2))
    assert gone(neighbours) == [0]


def test_former_neighbours_are_forgotten_in_order() -> None:
    room = Room(SHARE)
    room.is_seed = True
    for number in range(MOST_SERVED + 1):
        room.neighbour_left(served_long_ago(Address(f"198.18.{number // 250}.{number % 250 + 1}", 1)))
    present = [served_long_ago(Address("198.19.0.1", 1))]
    assert room.who_gives_way(present, "198.18.0.2", NOW) is None
    assert room.who_gives_way(present, "198.18.0.1", NOW) is present[0]


def served_long_ago(address: Address) -> Neighbour:
    made = neighbour(1, address, came_at=0)
    made.up.rate.add(BLOCK, NOW)
    made.up.is_interested = True
    return made


# All together


def neighbour(key: int, address: Address, came_at: float) -> Neighbour:
    made = make_neighbour(key, address, came_at, COURSE, is_outgoing=False)
    made.conversation.handshaken_at = came_at
    return made


@given(st.lists(st.tuples(st.integers(2, 9), st.floats(0, NOW), st.booleans()), max_size=30), st.integers(2, 9))
def test_nobody_with_a_wish_leaves_a_leech_unless_in_a_crowd(
    drawn: list[tuple[int, float, bool]], newcomer: int
) -> None:
    room, present = Room(SHARE), list[Neighbour]()
    for key, (number, came_at, is_interested) in enumerate(drawn):
        made = neighbour(key, Address(host(number), 1), came_at)
        made.up.is_interested, made.down.interests_us = is_interested, not is_interested
        present.append(made)
    goes = room.who_gives_way(present, host(newcomer), NOW)
    counts = [sum(each.address.host == host(number) for each in present) for number in range(10)]
    if goes is None:
        assert max(counts) <= max(SHARE, counts[newcomer])
    else:
        assert counts[int(goes.address.host.rpartition(".")[2])] == max(counts) > SHARE


@pytest.mark.parametrize("make", [stranger, stranger_of_crowd, one_of_crowd])
def test_crowd_does_not_keep_us_from_dialling(make: Joins) -> None:
    known = [Address(host(number), 6881) for number in (98, 99)]
    harness = SessionHarness(profile=SMALL, trackers=((TRACKER,),))
    for number in range(PLACES):
        make(harness, number)
    harness.wait(STRANGER_PATIENCE)
    answer = AnnounceResponse(1800, pack(known))
    done = harness.actions_after(lambda: harness.session.tracker_answered(TRACKER, answer, harness.now))
    assert sorted(each.address for each in done if isinstance(each, actions.Dial)) == known
    assert all(connects(harness, address, is_outgoing=True) for address in known)
