"""How servents become neighbours, and stay as many as they want to be."""

from random import Random
from typing import Any

import pytest

from contract.overlay_events import NodeErred, NodeJoined, NodeLeft
from peer.net.address import Address
from peer.overlays.gnutella.neighbours.greeting import addresses_in
from peer.overlays.gnutella.neighbours.hosts import HostCache
from peer.overlays.gnutella.parameters import NeighbourParameters, Parameters
from peer.overlays.gnutella.wire import messages as said
from peer.overlays.node import HangUp, Send
from tests.peer.overlays.gnutella.worlds import World, address_of, given_graph, path


def keeping(wanted: int = 3, most: int = 6, **others: Any) -> Parameters:
    return Parameters(neighbours=NeighbourParameters(wanted=wanted, most=most, **others))


def neighbours(world: World, number: int) -> set[Address]:
    return set(world.places[number].node.neighbours)


def joined(count: int, parameters: Parameters) -> World:
    """Let servents join one after the other, each of whom knows the first."""
    world = World()
    for number in range(count):
        world.add(number, [0] if number else [], parameters=parameters)
        world.start(number)
        world.wait(2)
    return world


def test_who_knows_one_servent_learns_of_others_from_pongs() -> None:
    world = joined(20, keeping())
    world.wait(300)
    counts = [len(neighbours(world, number)) for number in range(20)]
    assert min(counts) >= 3
    assert max(counts) <= 6


def test_both_ends_know_each_other_by_the_addresses_at_which_they_listen() -> None:
    world = given_graph(path(2), {})
    assert neighbours(world, 0) == {address_of(1)}
    assert neighbours(world, 1) == {address_of(0)}
    assert [len(world.events(number, NodeJoined)) for number in (0, 1)] == [1, 1]


def test_two_who_call_each_other_at_once_have_one_connection() -> None:
    world = World()
    world.add(0, [1])
    world.add(1, [0])
    world.start()
    world.wait(100)
    assert [len(world.places[number].links) for number in (0, 1)] == [1, 1]
    assert neighbours(world, 0) == {address_of(1)}


def test_who_is_full_says_where_else_to_try() -> None:
    world = given_graph(path(3), {})
    late = world.add(9, [1], parameters=keeping(wanted=1))
    world.start(9)
    world.wait(0.3)
    assert late.node.neighbours == []
    assert {address_of(0), address_of(2)} & set(late.node._hosts._hosts)


def test_a_lost_neighbour_is_replaced() -> None:
    world = joined(8, keeping(wanted=2, most=4))
    world.wait(200)
    gone = world.places[0]
    world.network.kill(gone)
    world.wait(300)
    for number in range(1, 8):
        assert len(neighbours(world, number)) >= 2
        assert address_of(0) not in neighbours(world, number)


def test_who_leaves_by_word_says_bye() -> None:
    world = given_graph(path(2), {})
    world.network.input_to(world.places[0], lambda node, now: node.leave(now, by_word=True))
    world.wait(1)
    assert world.events(0, NodeLeft) == [NodeLeft("left", True)]
    assert neighbours(world, 1) == set()


def test_an_address_that_gives_no_connection_is_tried_later_and_later() -> None:
    world = World()
    place = world.add(0, [77], parameters=keeping())
    world.start()
    waits, before = [], 0.0
    for _ in range(8):
        world.wait(0.2)
        when = place.node.next_deadline()
        waits.append(when - before)
        before = when
        world.network.run(when)
    assert waits[0] <= 10.2
    assert 300 <= waits[7] <= 601


def test_a_handshake_that_takes_too_long_is_given_up() -> None:
    node = given_graph(path(2), {}).places[0].node
    node.accepted(50, Address("198.18.9.9", 4000), 100.0)
    assert node.next_deadline() == 110.0
    node.tick(110.0)
    assert HangUp(50, "no handshake in time") in node.take_actions()


def test_strangers_are_not_kept_without_bound() -> None:
    node = given_graph(path(2), {}).places[0].node
    for number in range(200):
        node.accepted(100 + number, Address("198.18.9.9", 4000), 100.0)
    hung_up = [action for action in node.take_actions() if isinstance(action, HangUp)]
    assert len(hung_up) == 100


def test_messages_before_the_handshake_are_not_heard() -> None:
    node = given_graph(path(2), {}).places[0].node
    node.accepted(50, Address("198.18.9.9", 4000), 100.0)
    node.received(50, said.Query(bytes(16), 7, 0, "early"), 100.1)
    assert node.take_actions() == []


def test_a_port_that_is_said_is_believed_and_a_host_is_not() -> None:
    world = given_graph(path(2), {}, None)
    world.add(5, parameters=keeping())
    world.start(5)
    node = world.places[5].node
    node.accepted(50, Address("198.18.9.9", 4000), 100.0)
    node.received(50, said.Handshake("GNUTELLA CONNECT/0.6", (("Listen-IP", "198.18.7.7:6400"),)), 100.1)
    node.received(50, said.Handshake("GNUTELLA/0.6 200 OK"), 100.2)
    assert node.neighbours == [Address("198.18.9.9", 6400)]


@pytest.mark.parametrize("value", ["", "nonsense", "1.2.3.4", "1.2.3.4:0", "1.2.3.4:99999", ",,,"])
def test_nonsense_in_headers_is_ignored(value: str) -> None:
    headers = tuple((name, value) for name in ("Listen-IP", "X-Degree", "X-Max-TTL", "X-Try", "X-Try-Ultrapeers"))
    handshake = said.Handshake("GNUTELLA CONNECT/0.6", headers)
    assert addresses_in(handshake) == []
    world = World()
    world.add(5, parameters=keeping())
    world.start()
    node = world.places[5].node
    node.accepted(50, Address("198.18.9.9", 4000), 100.0)
    node.received(50, handshake, 100.1)
    (answer,) = node.take_actions()
    assert isinstance(answer, Send)
    assert answer.message.line == "GNUTELLA/0.6 200 OK"


def test_only_some_of_very_many_addresses_are_taken() -> None:
    text = ",".join(f"198.18.{number >> 8}.{number & 255}:1" for number in range(5000))
    assert len(addresses_in(said.Handshake("GNUTELLA/0.6 503 No", (("X-Try", text),)))) <= 20


def test_the_host_cache_is_bounded_and_forgets_those_that_fail() -> None:
    hosts = HostCache(address_of(0), NeighbourParameters(hosts=10), Random(1))
    for number in range(1, 11):
        hosts.add(address_of(number))
    hosts.failed(address_of(3), 0.0)
    assert not hosts.add(address_of(0))
    assert not hosts.add(address_of(4))
    assert hosts.add(address_of(99))
    assert len(hosts) == 10
    assert address_of(3) not in hosts.usable(1e9, set())


def a_link_of(world: World, number: int) -> int:
    return next(iter(world.places[number].links))


def test_a_ping_renews_the_cache_and_the_next_is_answered_from_it() -> None:
    world = joined(12, keeping())
    world.wait(30)
    one, other, *_ = world.places[0].links
    world.network.input_to(world.places[0], lambda node, now: node.received(one, said.Ping(b"p" * 16, 7, 0), now))
    world.wait(1)
    node, now = world.places[0].node, world.network.agenda.now
    node.received(other, said.Ping(b"q" * 16, 7, 0), now)
    answers = [action.message for action in node.take_actions()]  # type: ignore[union-attr]
    assert {type(answer) for answer in answers} == {said.Pong}
    assert 1 <= len(answers) <= 10
    assert {answer.guid for answer in answers} == {b"q" * 16}
    node.received(other, said.Ping(b"r" * 16, 7, 0), now + 1)
    assert node.take_actions() == []


def test_pings_cost_each_connection_a_ping_and_ten_pongs_in_three_seconds_at_most() -> None:
    """Whoever joins pings, and so everybody does, who has not done so for three seconds."""
    world = joined(30, keeping())
    connections = sum(len(place.links) for place in world.places.values())
    assert world.network.ledger.by_search[""].messages < connections * (1 + 10) * (30 * 2 / 3 + 1)


def test_a_crawler_hears_of_neighbours() -> None:
    world = given_graph(path(3), {})
    node, link = world.places[1].node, a_link_of(world, 1)
    other = next(address for address in node.neighbours if address != node._servent.links.all[link].address)
    node.received(link, said.Ping(b"c" * 16, 2, 0), 50.0)
    pongs = [each.message for each in node.take_actions() if isinstance(each.message, said.Pong)]  # type: ignore[union-attr]
    assert [(pong.address, pong.hops) for pong in pongs] == [(other, 1)]
    assert world.events(1, NodeErred) == []
