"""Random walkers: few messages, no flood, and back at the querier's word."""

from random import Random
from typing import Any

from benchmarks.overlays.graphs import regular
from contract.overlay_events import AnswerCame, SearchEnded
from peer.net.address import Address
from peer.overlays.content import Item
from peer.overlays.gnutella.neighbours.greeting import CHECK
from peer.overlays.gnutella.parameters import Parameters, SearchParameters, WalkParameters
from peer.overlays.gnutella.searching.horizon import flood_messages
from peer.overlays.gnutella.wire import messages as said
from peer.overlays.node import Dial, HangUp, Send
from tests.peer.overlays.gnutella.worlds import address_of, given_graph, path, ring

SONG = Item("generic band - generic song.mp3")
GUID = bytes.fromhex("ab" * 16)


def walking(walkers: int = 32, *, way: str = "walk", **rules: Any) -> Parameters:
    search = SearchParameters(way=way, silence=10)
    return Parameters(search=search, walk=WalkParameters(walkers=walkers, **rules))


def test_a_walker_goes_straight_on_where_it_can() -> None:
    world = given_graph(ring(12), {7: [SONG]}, walking(1, check_every=100, steps=11))
    world.search(0, "generic")
    world.wait(30)
    (answer,) = world.events(0, AnswerCame)
    assert answer.hops in {5, 7}


def test_walkers_find_a_replicated_item_with_fewer_messages_than_a_flood() -> None:
    edges = regular(400, 4, Random(4))
    holders = {number: [SONG] for number in Random(9).sample(range(1, 400), 8)}
    walks = given_graph(edges, holders, walking())
    costs = []
    for number in range(5):
        name = f"{number + 1:032x}"
        walks.search(number * 50, "generic", name)
        walks.wait(60)
        costs.append(walks.messages(name))
        (ended,) = [each for each in walks.events(number * 50, SearchEnded) if each.search == name]
        assert ended.outcome == "found"
    assert sum(costs) / 5 < flood_messages(400, 800) / 2


def test_walkers_are_called_back_once_there_is_an_answer() -> None:
    called_back = given_graph(regular(100, 4, Random(4)), {5: [SONG]}, walking(8))
    search = called_back.search(0, "generic")
    called_back.wait(200)
    not_called = given_graph(regular(100, 4, Random(4)), {5: [SONG]}, walking(8, wanted=1000, steps=400))
    not_called.search(0, "generic")
    not_called.wait(200)
    assert called_back.messages(search) < not_called.messages(search) / 2
    assert len(called_back.events(0, AnswerCame)) == len(not_called.events(0, AnswerCame)) == 1


def test_without_answers_walkers_end_with_the_search() -> None:
    world = given_graph(
        regular(50, 4, Random(2)), {}, Parameters(search=SearchParameters(way="walk", silence=10, limit=20))
    )
    search = world.search(0, "nothing")
    world.wait(30)
    cost = world.messages(search)
    assert [ended.outcome for ended in world.events(0, SearchEnded)] == ["not_found"]
    world.wait(300)
    assert world.messages(search) == cost


def test_a_walker_whose_querier_is_gone_ends() -> None:
    world = given_graph(regular(50, 4, Random(2)), {}, walking())
    search = world.search(0, "nothing")
    world.wait(2)
    world.network.kill(world.places[0])
    world.wait(1)
    cost = world.messages(search)
    world.wait(100)
    assert world.messages(search) == cost


def test_a_servent_of_the_time_drops_walkers() -> None:
    world = given_graph(path(3), {1: [SONG]}, walking(4, knows=False))
    search = world.search(0, "generic")
    world.wait(30)
    assert world.messages(search) == 4
    assert world.events(0, AnswerCame) == []


def walk(steps: int, left: int = 100) -> said.Walk:
    return said.Walk(GUID, 1, 0, address_of(99), steps, left, "generic")


def test_every_fourth_step_the_querier_is_asked_over_a_connection_of_its_own() -> None:
    node = given_graph(path(3), {}).places[1].node
    one, other = node._servent.links.peers
    node.received(one.number, walk(3), 5.0)
    assert node.take_actions() == [Send(other.number, walk(4, 99), GUID.hex())]
    node.received(one.number, walk(4), 5.0)
    assert node.take_actions() == [Dial(address_of(99))]
    node.connected(77, address_of(99), 5.1)
    question = said.Handshake("GNUTELLA CONNECT/0.6", ((CHECK, GUID.hex()),))
    assert node.take_actions() == [Send(77, question, GUID.hex())]
    node.received(77, said.Handshake("GNUTELLA/0.6 200 OK"), 5.2)
    assert [type(action) for action in node.take_actions()] == [HangUp, Send]


def test_a_walker_ends_if_the_querier_says_so_or_says_nothing() -> None:
    node = given_graph(path(3), {}).places[1].node
    one, _ = node._servent.links.peers
    for link, answer in ((77, "204 Enough"), (78, "503 Busy"), (79, "")):
        node.received(one.number, walk(4), 5.0)
        node.connected(link, address_of(99), 5.1)
        node.take_actions()
        if answer:
            node.received(link, said.Handshake(f"GNUTELLA/0.6 {answer}"), 5.2)
        else:
            node.tick(node.next_deadline())
        assert [action for action in node.take_actions() if isinstance(action, Send)] == []


def test_the_querier_answers_who_asks_for_a_walker() -> None:
    world = given_graph(path(3), {}, walking(1))
    search = world.search(0, "generic")
    node = world.places[0].node
    for link, name, line in (
        (50, search, "GNUTELLA/0.6 200 OK"),
        (51, "12" * 16, "GNUTELLA/0.6 204 Enough"),
        (52, "nonsense", "GNUTELLA/0.6 204 Enough"),
    ):
        node.accepted(link, Address("198.18.9.9", 4000), 2.0)
        node.received(link, said.Handshake("GNUTELLA CONNECT/0.6", ((CHECK, name),)), 2.0)
        sent, hung_up = node.take_actions()
        assert isinstance(sent, Send)
        assert sent.message.line == line
        assert isinstance(hung_up, HangUp)


def test_walkers_of_one_search_go_to_different_neighbours() -> None:
    edges = [(0, number) for number in range(1, 9)]
    node = given_graph(edges, {}).places[0].node
    first = node._servent.links.peers[0]
    for _ in range(7):
        node.received(first.number, walk(1), 5.0)
    targets = [action.link for action in node.take_actions() if isinstance(action, Send)]
    assert len(set(targets)) == 7
    assert first.number not in targets


def test_hostile_walkers_are_bounded() -> None:
    node = given_graph(path(3), {}, walking(checks=10)).places[1].node
    one, _ = node._servent.links.peers
    for number in range(3000):
        guid = number.to_bytes(16, "big")
        node.received(one.number, said.Walk(guid, 1, 0, address_of(99), 4, 9, "x"), 5.0)
        node.received(one.number, said.Walk(guid, 1, 0, address_of(99), 0xFFFF, 9, "x"), 5.0)
        node.received(one.number, said.Walk(guid, 1, 0, address_of(99), 1, 0, "x"), 5.0)
    dials = [action for action in node.take_actions() if isinstance(action, Dial)]
    assert len(dials) == 10
    assert len(node._walkers) <= 1000
