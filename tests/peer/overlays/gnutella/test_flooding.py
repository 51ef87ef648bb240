"""Questions go to all neighbours, once and as far as their TTL allows; answers come back on the same way."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.overlays.graphs import flood_on, neighbours_of, regular, shells
from contract.overlay_events import AnswerCame, NodeErred, SearchEnded
from peer.net.address import Address
from peer.overlays.content import Item
from peer.overlays.gnutella.node import GnutellaNode
from peer.overlays.gnutella.parameters import Capability, Parameters, SearchParameters
from peer.overlays.gnutella.searching.horizon import flood_bound, flood_messages
from peer.overlays.gnutella.wire import encode, size
from peer.overlays.gnutella.wire import messages as said
from peer.overlays.node import Fetch, Send
from tests.peer.overlays.gnutella.test_wire import binary
from tests.peer.overlays.gnutella.worlds import World, address_of, given_graph, path, ring

SONG = Item("generic band - generic song.mp3", 443_332)
GUID = bytes.fromhex("ab" * 16)
QUICK = Parameters(search=SearchParameters(silence=5))


def searching(**changes: Any) -> Parameters:
    return Parameters(search=SearchParameters(silence=5, **changes))


def test_hops_are_the_distance_and_answers_say_where() -> None:
    world = given_graph(path(6), {1: [SONG], 4: [SONG, Item("another song.mp3")]}, QUICK)
    search = world.search(0, "song generic")
    world.wait(20)
    assert world.events(0, AnswerCame) == [
        AnswerCame(search, SONG.name, str(address_of(1)), 1),
        AnswerCame(search, SONG.name, str(address_of(4)), 4),
    ]
    assert world.events(0, SearchEnded) == [SearchEnded(search, "found", 2, 1, 0)]
    assert [fetch for _, fetch in world.network.fetches] == [Fetch(SONG.name, address_of(1))]


def test_all_that_a_search_causes_anywhere_is_counted_as_its_cost() -> None:
    world = given_graph(path(6), {4: [SONG]}, QUICK)
    search = world.search(0, "generic")
    world.wait(20)
    assert world.messages(search) == 5 + 4
    question, answer = 23 + 2 + len("generic") + 1, 23 + 11 + 8 + len(SONG.name) + 2 + 7 + 16
    assert world.network.ledger.by_search[search].bytes == 5 * question + 4 * answer


def test_one_hit_has_many_results() -> None:
    songs = [Item(f"song {number}") for number in range(300)]
    world = given_graph(path(2), {1: songs}, searching(most_results=300))
    search = world.search(0, "song")
    world.wait(20)
    assert len(world.events(0, AnswerCame)) == 300
    assert world.messages(search) == 1 + 5


def test_an_exact_name_is_asked_for_by_its_words_and_only_it_is_an_answer() -> None:
    world = given_graph(path(3), {1: [Item("a b")], 2: [Item("b a"), Item("a b c")]}, QUICK)
    world.search(0, "b a", is_exact=True)
    world.wait(20)
    assert [(answer.item, answer.hops) for answer in world.events(0, AnswerCame)] == [("b a", 2)]


@pytest.mark.parametrize(("ttl", "reached"), [(1, 1), (3, 3), (7, 7)])
def test_the_ttl_ends_a_question(ttl: int, reached: int) -> None:
    world = given_graph(path(12), {number: [SONG] for number in range(1, 12)}, searching(ttl=ttl))
    world.search(0, "generic")
    world.wait(20)
    assert max(answer.hops for answer in world.events(0, AnswerCame)) == reached


def test_on_a_ring_both_ways_are_gone_and_nothing_comes_twice() -> None:
    world = given_graph(ring(10), {5: [SONG]}, QUICK)
    search = world.search(0, "generic")
    world.wait(20)
    assert len(world.events(0, AnswerCame)) == 1
    assert world.messages(search) == flood_messages(10, 10) + 5


def test_nothing_found_and_nobody_to_ask() -> None:
    world = given_graph(path(2), {}, QUICK)
    search = world.search(0, "generic")
    world.wait(5.5)
    assert world.events(0, SearchEnded) == [SearchEnded(search, "not_found", 0, None, 0)]
    world.network.kill(world.places[1])
    world.wait(1)
    alone = world.search(0, "generic", "12" * 16)
    assert world.events(0, SearchEnded)[1:] == [SearchEnded(alone, "failed", 0, None, 0)]


def test_a_search_ends_with_silence_with_enough_or_at_its_limit() -> None:
    holders = {number: [SONG] for number in range(1, 8)}
    ends = {}
    for name, parameters in {
        "silence": searching(),
        "enough": searching(enough=2),
        "limit": Parameters(search=SearchParameters(silence=9, limit=0.5)),
    }.items():
        world = given_graph(path(8), holders, parameters)
        world.search(0, "generic")
        world.wait(30)
        ((time, ended),) = [each for each in world.places[0].events if isinstance(each[1], SearchEnded)]
        ends[name] = (round(time - 1, 3), ended.answers)
    assert ends == {"silence": (5.7, 7), "enough": (0.2, 2), "limit": (0.5, 4)}


def test_who_leaves_ends_searches() -> None:
    world = given_graph(path(3), {2: [SONG]}, QUICK)
    search = world.search(0, "generic")
    world.network.leave(world.places[0])
    world.wait(10)
    assert world.events(0, SearchEnded) == [SearchEnded(search, "left", 0, None, 0)]


def test_an_answer_whose_way_is_gone_is_lost() -> None:
    world = given_graph(path(4), {3: [SONG]}, QUICK)
    world.search(0, "generic")
    world.wait(0.16)
    world.network.kill(world.places[1])
    world.wait(20)
    assert [ended.outcome for ended in world.events(0, SearchEnded)] == ["not_found"]


def test_who_is_behind_a_firewall_is_asked_to_push() -> None:
    hidden = Parameters(search=SearchParameters(silence=5), capability=Capability(is_firewalled=True))
    world = given_graph(path(4), {3: [SONG]}, hidden)
    search = world.search(0, "generic")
    world.wait(20)
    assert len(world.events(0, AnswerCame)) == 1
    assert world.network.fetches == []
    assert world.messages(search) == 3 + 3 + 1, "those who pass a push on cannot know of which search it is"


@pytest.mark.parametrize("ttl", [2, 4, 6])
def test_recall_grows_with_the_ttl_as_the_graph_does_and_stays_under_the_bound(ttl: int) -> None:
    edges = regular(300, 4, Random(ttl))
    world = given_graph(edges, {number: [SONG] for number in range(1, 300)}, searching(ttl=ttl))
    search = world.search(0, "generic")
    world.wait(20)
    found = len(world.events(0, AnswerCame))
    reached = shells(neighbours_of(edges), 0, ttl)[1:]
    assert found == sum(map(len, reached)) <= min(299, flood_bound(4, ttl))
    ways_back = sum(hops * len(shell) for hops, shell in enumerate(reached, start=1))
    assert world.messages(search) == flood_on(neighbours_of(edges), 0, ttl) + ways_back


def test_the_bound_is_4372_for_four_neighbours_and_a_ttl_of_seven() -> None:
    assert flood_bound(4, 7) == 4372


@pytest.mark.parametrize(("nodes", "degree"), [(50, 4), (150, 6)])
def test_a_flood_of_everybody_crosses_each_edge_twice_but_those_of_its_tree(nodes: int, degree: int) -> None:
    world = given_graph(regular(nodes, degree, Random(nodes)), {}, QUICK)
    search = world.search(0, "generic")
    world.wait(20)
    assert world.messages(search) == flood_messages(nodes, nodes * degree // 2)


def a_link_of(world: World, number: int) -> int:
    return next(iter(world.places[number].links))


def test_what_a_hostile_neighbour_says_is_dropped() -> None:
    world = given_graph(path(3), {}, QUICK)
    node, link = world.places[1].node, a_link_of(world, 1)
    there = Address("198.18.9.9", 1)
    hit = said.QueryHit(GUID, 7, 0, there, 0, (said.Found(1, 1, "never asked"),), GUID)
    strange: list[Any] = [
        hit,
        said.Query(GUID, 0, 0, "no TTL"),
        said.Query(GUID, 255, 255, "came far"),
        said.Query(GUID, 255, 0, "seen before"),
        said.Pong(GUID, 7, 0, there, 1, 1),
        said.Push(GUID, 7, 0, GUID, 1, there),
        said.Unknown(0x77),
        said.Handshake("GNUTELLA CONNECT/0.6"),
    ]
    for message in strange:
        node.received(link, message, 2.0)
        node.received(999, message, 2.0)
    assert node.take_actions() == []
    assert world.events(1, NodeErred) == []
    node.received(link, said.Malformed(0x80, "too short"), 3.0)
    assert [event.what for event in world.events(1, NodeErred)] == ["too short"]


def test_a_ttl_that_is_too_great_is_cut() -> None:
    world = given_graph(path(3), {}, QUICK)
    node = world.places[1].node
    node.received(a_link_of(world, 1), said.Query(GUID, 200, 3, "far"), 2.0)
    (action,) = node.take_actions()
    assert isinstance(action.message, said.Query)  # type: ignore[union-attr]
    assert (action.message.ttl, action.message.hops) == (3, 4)  # type: ignore[union-attr]


def test_the_memory_of_questions_is_bounded() -> None:
    world = given_graph(path(3), {}, QUICK)
    node, link = world.places[1].node, a_link_of(world, 1)
    node._queries.memory._most = 100  # type: ignore[misc]
    for number in range(1000):
        node.received(link, said.Query(number.to_bytes(16, "big"), 7, 0, "many"), 2.0)
    assert len(node._queries.memory) <= 200


def test_a_question_that_is_too_long_is_asked_by_some_of_its_words() -> None:
    name = " ".join(f"word{number}" for number in range(28))
    world = given_graph(path(2), {1: [Item(name)]}, QUICK)
    world.search(0, name, is_exact=True)
    world.search(0, "\0" + name * 500, "12" * 16)
    world.wait(20)
    assert [(answer.item, answer.search[:2]) for answer in world.events(0, AnswerCame)] == [(name, "ab")]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), binary), max_size=20), st.sampled_from(["flood", "dynamic", "walk"]))
def test_whatever_comes_all_that_is_sent_can_be_written(messages: list[tuple[bool, Any]], way: str) -> None:
    node = GnutellaNode(
        address_of(0),
        items=[SONG],
        parameters=Parameters(role="peer" if way == "walk" else "ultrapeer", search=SearchParameters(way=way)),
        rng=Random(1),
        record=lambda *_: None,
    )
    node.start(0.0)
    for link, is_ultrapeer in ((1, "True"), (2, "True"), (3, "False")):
        node.accepted(link, Address(f"198.18.0.{link}", 4000), 1.0)
        for line in ("GNUTELLA CONNECT/0.6", "GNUTELLA/0.6 200 OK"):
            node.received(link, said.Handshake(line, (("X-Ultrapeer", is_ultrapeer),)), 1.0)
    for is_first, message in messages:
        node.received(1 if is_first else 3, message, 2.0)
    node.tick(100.0)
    for action in node.take_actions():
        if isinstance(action, Send):
            assert len(encode(action.message)) == size(action.message)
