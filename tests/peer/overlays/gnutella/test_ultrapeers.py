"""Leaves and ultrapeers: who is shielded from what, and questions that are asked in steps."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from contract.overlay_events import AnswerCame, NodeErred, SearchEnded
from peer.overlays.content import Item
from peer.overlays.gnutella.parameters import (
    Capability,
    DynamicParameters,
    ElectionParameters,
    NeighbourParameters,
    Parameters,
    SearchParameters,
    TableParameters,
)
from peer.overlays.gnutella.searching.horizon import hosts_within, next_ttl
from peer.overlays.gnutella.wire import messages as said
from tests.peer.overlays.gnutella.worlds import World, address_of

ULTRAPEERS = 12
SONG = Item("generic band - generic song.mp3")


def parameters(role: str, way: str = "dynamic", **changes: Any) -> Parameters:
    return replace(
        Parameters(
            role=role,
            neighbours=NeighbourParameters(ultrapeers=5, leaves=30),
            search=SearchParameters(way=way, ttl=4, silence=20),
            tables=TableParameters(entries=1024),
        ),
        **changes,
    )


def town(
    leaves: int, holders: dict[int, list[Item]], way: str = "dynamic", *, wait: float = 200, **changes: Any
) -> World:
    """Make ultrapeers 0 to 11, who know each other, and leaves after them."""
    world = World()
    for number in range(ULTRAPEERS):
        known = [each for each in range(ULTRAPEERS) if each != number]
        world.add(number, known, holders.get(number, []), parameters("ultrapeer", way, **changes))
    for number in range(ULTRAPEERS, ULTRAPEERS + leaves):
        known = Random(number).sample(range(ULTRAPEERS), 4)
        world.add(number, known, holders.get(number, []), parameters("leaf", way, **changes))
    world.start()
    world.wait(wait)
    return world


def received(world: World, number: int) -> int:
    return world.network.ledger.received[address_of(number).host].messages


def test_a_leaf_finds_what_another_leaf_has() -> None:
    world = town(20, {25: [SONG], 3: [Item("generic too")]})
    search = world.search(30, "generic")
    world.wait(100)
    assert sorted(answer.item for answer in world.events(30, AnswerCame)) == [SONG.name, "generic too"]
    assert [ended.outcome for ended in world.events(30, SearchEnded)] == ["found"]
    assert world.messages(search) > 0


def test_each_leaf_has_three_ultrapeers_and_no_other_neighbours() -> None:
    world = town(20, {})
    for number in range(ULTRAPEERS, ULTRAPEERS + 20):
        addresses = world.places[number].node.neighbours
        assert len(addresses) == 3
        assert set(addresses) <= {address_of(each) for each in range(ULTRAPEERS)}


def test_leaves_get_only_questions_that_they_may_answer() -> None:
    world = town(20, {25: [SONG]})
    before = {number: received(world, number) for number in range(ULTRAPEERS, ULTRAPEERS + 20)}
    world.search(0, "generic")
    world.wait(100)
    disturbed = {number for number, count in before.items() if received(world, number) > count}
    assert disturbed == {25}


@pytest.mark.parametrize("between", [True, False])
def test_tables_between_ultrapeers_spare_the_last_hop(between: bool) -> None:
    tables = TableParameters(entries=1024, between_ultrapeers=between)
    two_hops = SearchParameters(way="flood", ttl=2, silence=20)
    world = town(10, {15: [SONG]}, "flood", tables=tables, search=two_hops)
    search = world.search(0, "nobody has this")
    world.wait(60)
    first = {address_of(number): world.places[number].node for number in range(ULTRAPEERS)}
    seconds = [first[address].neighbours for address in first[address_of(0)].neighbours]
    last_hop = sum(len([each for each in addresses if each in first]) - 1 for addresses in seconds)
    assert world.messages(search) == len(seconds) + (0 if between else last_hop)
    assert last_hop >= 4 * len(seconds)


def test_a_question_for_which_there_is_no_word_costs_only_the_first_hops() -> None:
    world = town(10, {}, "flood", search=SearchParameters(way="flood", ttl=1, silence=20))
    search = world.search(0, "nobody has this")
    world.wait(60)
    assert world.messages(search) == 0


def test_a_leaf_that_dies_is_forgotten_with_the_next_look() -> None:
    world = town(6, {14: [SONG]})
    world.network.kill(world.places[14])
    world.wait(70)
    for number in range(ULTRAPEERS):
        for link in world.places[number].node._servent.links.peers:
            assert not link.incoming.may_have("generic")


def test_common_things_are_found_at_little_cost() -> None:
    """Of what everybody has, a probe finds enough; for what nobody has, all neighbours are asked."""
    everywhere = {number: [SONG] for number in range(ULTRAPEERS + 40)}
    rules = DynamicParameters(wanted=20, wanted_by_leaf=10)
    world = town(40, everywhere, dynamic=rules)
    began = world.network.agenda.now
    common, rare = world.search(0, "generic", "01" * 16), world.search(0, "nothing at all", "02" * 16)
    world.wait(100)
    ends = {ended.search: (time - began, ended) for time, ended in world.places[0].events if type(ended) is SearchEnded}
    assert ends[common][0] == pytest.approx(7.2)
    assert ends[common][1].answers >= 20
    assert ends[rare][0] > 2 * 7.2
    assert ends[rare][1].answers == 0


def test_a_search_of_an_ultrapeer_ends_when_nobody_is_left_to_ask() -> None:
    world = town(0, {})
    began = world.network.agenda.now
    world.search(0, "nothing")
    world.wait(100)
    ((time, ended),) = [each for each in world.places[0].events if isinstance(each[1], SearchEnded)]
    assert ended.outcome == "not_found"
    assert time - began == pytest.approx(7.2 + 2 * 3 * 2.4)


def test_who_asked_enough_is_asked_no_further() -> None:
    everywhere = {number: [SONG] for number in range(ULTRAPEERS)}
    world = town(0, everywhere, dynamic=DynamicParameters(wanted=1, probe_links=1, probe_ttl=1))
    search = world.search(0, "generic")
    world.wait(100)
    assert world.messages(search) == 2


def test_ultrapeers_that_are_full_refuse_leaves_and_say_where_to_try() -> None:
    few = NeighbourParameters(ultrapeers=5, leaves=2, ultrapeers_of_a_leaf=1)
    world = town(20, {}, neighbours=few)
    for number in range(ULTRAPEERS):
        assert len(world.places[number].node._servent.links.leaves) <= 2
    homes = [len(world.places[number].node.neighbours) for number in range(ULTRAPEERS, ULTRAPEERS + 20)]
    assert homes == [1] * 20


def test_the_arithmetic_of_the_horizon_is_that_of_the_text() -> None:
    assert hosts_within(6, 7) == 19_531
    assert hosts_within(32, 3) == 1 + 31 + 31 * 31
    assert next_ttl(0, 100, needed=150, links=10, degree=30, most=3) == 3
    assert next_ttl(100, 100, needed=50, links=10, degree=30, most=3) == 2
    assert next_ttl(100, 10, needed=5, links=10, degree=30, most=3) == 1
    assert next_ttl(1, 1000, needed=149, links=1, degree=30, most=3) == 3


def electing(**changes: Any) -> Parameters:
    able = Capability(**changes)
    rules = ElectionParameters(uptime=60, wait=20)
    return parameters("elected", capability=able, election=rules)


def elected(count: int, weak: set[int]) -> World:
    world = World()
    for number in range(count):
        known = [each for each in range(count) if each != number]
        world.add(number, known, [Item(f"song {number}")], electing(upload=1 if number in weak else 100))
        world.start(number)
        world.wait(20)
    world.wait(600)
    return world


def test_ultrapeers_are_elected_of_those_who_may() -> None:
    weak = set(range(1, 16, 2))
    world = elected(16, weak)
    ultrapeers = {number for number in range(16) if world.places[number].node.is_ultrapeer}
    assert 1 <= len(ultrapeers) < 8
    assert not ultrapeers & weak
    assert all(world.places[number].node.neighbours for number in range(16))
    world.search(15, "song 2")
    world.wait(60)
    assert [answer.item for answer in world.events(15, AnswerCame)] == ["song 2"]


def test_without_its_ultrapeers_a_leaf_that_may_becomes_one() -> None:
    world = elected(6, set())
    for number in range(6):
        if world.places[number].node.is_ultrapeer:
            world.network.kill(world.places[number])
    world.wait(1300)
    left = [place for place in world.places.values() if place.is_here]
    assert any(place.node.is_ultrapeer for place in left)


def test_a_level_that_is_asked_for_is_claimed_by_who_does_not_have_it() -> None:
    world, rules = World(), ElectionParameters(level=100)
    for number, level in enumerate((500, 10, 1000)):
        able = Capability(level=level)
        world.add(number, [0] if number else [], parameters=parameters("ultrapeer", capability=able, election=rules))
    world.start()
    world.wait(2)
    assert world.places[0].node.neighbours == [address_of(2)]


def test_route_tables_from_the_wrong_neighbours_end_the_connection() -> None:
    world = town(1, {})
    leaf = world.places[ULTRAPEERS].node
    link = leaf._servent.links.peers[0]
    leaf.received(link.number, said.Reset(bytes(16), 1, 0, 8, 7), 300.0)
    assert [event.what for event in world.events(ULTRAPEERS, NodeErred)][-1].startswith("a route table from somebody")
    assert link.number not in leaf._servent.links.all


def test_questions_that_are_led_are_bounded() -> None:
    world = town(1, {}, dynamic=DynamicParameters(at_once=3))
    node = world.places[0].node
    for number in range(20):
        world.search(0, "nothing", f"{number:032x}")
    assert len(node._dynamic) == 3
    world.wait(300)
    assert len(world.events(0, SearchEnded)) == 20
    assert len(node._dynamic) == 0
