"""Overlays in virtual time: nodes find each other, and what others share, whoever leaves."""

from collections import Counter
from math import inf, log2
from statistics import mean

import pytest

from contract.overlay_events import UPKEEP, AnswerCame, NodeErred, NodeJoined, NodeLeft, SearchEnded
from peer.overlays.content import Wanted, key_of
from peer.overlays.kademlia.parameters import DEFAULT, PAPER, Parameters
from tests.peer.overlays.kademlia.worlds import Spot, World, address, events

SIZE = 120


@pytest.fixture(scope="module")
def world() -> World:
    """A world that tests only ask; what each shares has a name of its own."""
    return World().grow(SIZE)


def holders_of(world: World, name: str) -> set[int]:
    """Return the ids of the nodes that keep a peer for a name."""
    key = int.from_bytes(key_of(name), "big")
    return {
        spot.node.table.own.id
        for spot in world.spots
        if spot.is_here and spot.node._responder.store.peers(key, world.network.agenda.now)
    }


def closest_to(world: World, name: str, count: int, but: Spot) -> set[int]:
    key = int.from_bytes(key_of(name), "big")
    ids = [spot.node.table.own.id for spot in world.spots if spot is not but]
    return set(sorted(ids, key=lambda each: each ^ key)[:count])


def test_all_join(world: World) -> None:
    assert all(len(events(spot, NodeJoined)) == 1 for spot in world.spots)


def test_what_is_shared_is_stored_at_the_k_closest_nodes(world: World) -> None:
    world.share(world.spots[7], "stored")
    assert holders_of(world, "stored") == closest_to(world, "stored", DEFAULT.k, but=world.spots[7])


def test_a_search_finds_each_holder_once(world: World) -> None:
    for number in (3, 40, 77):
        world.share(world.spots[number], "song")
    end = world.search(world.spots[100], "song")
    came = [event for event in events(world.spots[100], AnswerCame) if event.search == end.search]
    assert (end.outcome, end.answers) == ("found", 3)
    assert {event.holder for event in came} == {str(address(number)) for number in (3, 40, 77)}
    assert min(event.hops or 0 for event in came) == end.hops


def test_what_nobody_shares_is_not_found(world: World) -> None:
    end = world.search(world.spots[5], "nothing of that name")
    assert (end.outcome, end.answers, end.hops) == ("not_found", 0, None)


def test_questions_and_their_answers_are_counted_to_the_search(world: World) -> None:
    world.share(world.spots[8], "costly")
    before = world.network.ledger.by_search[UPKEEP].messages
    end = world.search(world.spots[9], "costly", seconds=1)
    spent = world.network.ledger.by_search[end.search]
    assert spent.messages % 2 == 0
    assert spent.messages >= 2 * DEFAULT.k
    assert world.network.ledger.by_search[UPKEEP].messages - before < spent.messages


def test_a_search_asks_few_of_many(world: World) -> None:
    end = world.search(world.spots[11], "another that nobody shares")
    assert world.network.ledger.by_search[end.search].messages < SIZE / 2


def test_the_nearest_neighbours_are_known(world: World) -> None:
    missing = Counter[int]()
    for spot in world.spots:
        own = spot.node.table.own.id
        nearest = sorted((other.node.table.own.id for other in world.spots if other is not spot), key=own.__xor__)
        known = {contact.info.id for contact in spot.node.table}
        missing[len(set(nearest[: DEFAULT.k]) - known)] += 1
    assert missing[0] > 0.8 * SIZE


def test_refreshed_tables_have_k_nodes_from_each_half_of_the_rest() -> None:
    """k from each of log2(N / k) halves, quarters, ..., and the k that are nearest."""
    size = 64
    world = World(seed=2).grow(size)
    world.run(2 * DEFAULT.refresh_after)
    law = DEFAULT.k * (log2(size / DEFAULT.k) + 1)
    assert mean(len(spot.node.table) for spot in world.spots) == pytest.approx(law, rel=0.1)


def test_alone_nobody_can_be_asked() -> None:
    world = World()
    end = world.search(world.add(), "anything")
    assert end.outcome == "failed"


def test_a_node_finds_what_it_keeps_itself() -> None:
    world = World()
    one, two = world.add(), world.add(items=["kept"])
    world.run(30)
    assert world.search(one, "kept").hops == 0
    assert [event.holder for event in events(one, AnswerCame)] == [str(two.address)]


def test_searches_survive_that_half_of_the_nodes_are_killed() -> None:
    world = World(seed=3).grow(80)
    names = [f"item {number}" for number in range(20)]
    for number, name in enumerate(names):
        world.share(world.spots[number], name)
    for spot in world.spots[20:80:2] + world.spots[41:80:6]:
        world.network.kill(spot)
    ends = [world.search(world.spots[23 + 2 * (number % 5)], name) for number, name in enumerate(names)]
    assert sum(end.outcome == "found" for end in ends) >= 19
    assert sum(end.timeouts for end in ends) > 20


def test_the_dead_are_forgotten_as_others_come() -> None:
    world = World(seed=4).grow(40)
    for spot in world.spots[:20]:
        world.network.kill(spot)
    world.run(3600)
    dead = {spot.address for spot in world.spots[:20]}
    left = mean(len(dead & set(spot.node.neighbours)) for spot in world.spots[20:])
    assert left < 2


def test_announcements_are_repeated_so_that_new_nodes_keep_them_too() -> None:
    world = World(seed=5)
    holder = world.add(items=["old"])
    world.run(5)
    world.grow(60)
    world.run(DEFAULT.announce_period)
    assert holders_of(world, "old") == closest_to(world, "old", DEFAULT.k, but=holder)


def test_what_is_not_announced_again_expires() -> None:
    world = World(seed=6).grow(20)
    world.share(world.spots[3], "gone")
    world.network.kill(world.spots[3])
    assert world.search(world.spots[9], "gone").outcome == "found"
    world.run(DEFAULT.peer_lifetime)
    assert world.search(world.spots[9], "gone").outcome == "not_found"


def test_a_node_joins_later_if_nobody_answers_at_first() -> None:
    world = World()
    late = world.add(known=[address(1)])
    world.run(20)
    assert not events(late, NodeJoined)
    assert len(events(late, NodeErred)) == 1
    world.add(known=[])
    world.run(60)
    assert len(events(late, NodeJoined)) == 1


def test_a_node_without_known_ones_joins_by_those_it_is_told_of() -> None:
    world = World().grow(10)
    stranger = world.add(known=[])
    world.network.input_to(stranger, lambda node, now: node.add_node(address(4), now))
    world.run(30)
    assert len(stranger.node.neighbours) >= DEFAULT.k


def test_read_only_nodes_find_and_are_not_remembered() -> None:
    world = World().grow(20)
    reader = world.add(parameters=Parameters(is_read_only=True))
    world.share(world.spots[4], "read")
    assert world.search(reader, "read").outcome == "found"
    assert not any(reader.address in spot.node.neighbours for spot in world.spots)


def test_a_node_that_leaves_ends_its_searches_and_answers_nobody() -> None:
    world = World().grow(10)
    spot = world.spots[2]
    search = "f" * 32
    world.network.input_to(spot, lambda node, now: node.search(search, Wanted("x"), now))
    world.network.input_to(spot, lambda node, now: node.leave(now, by_word=True))
    world.run(60)
    assert [event.outcome for event in events(spot, SearchEnded)] == ["left"]
    assert events(spot, NodeLeft) == [NodeLeft("stopped", by_word=False)]
    received = world.network.ledger.received[spot.address.host].messages
    world.search(world.spots[3], "y")
    assert world.network.ledger.received[spot.address.host].messages >= received
    assert spot.node.take_actions() == []
    assert spot.node.next_deadline() == inf


def test_with_the_papers_constants_a_search_ends_with_the_first_values() -> None:
    world = World(PAPER, seed=7).grow(60)
    world.share(world.spots[3], "first")
    end = world.search(world.spots[50], "first")
    assert end.outcome == "found"
    assert len(holders_of(world, "first")) == PAPER.k
    assert world.network.ledger.by_search[end.search].messages < 2 * PAPER.k


def test_ids_follow_from_addresses_if_so_chosen() -> None:
    world = World(Parameters(has_secure_ids=True), seed=8).grow(20)
    world.add(node_id=12345)
    world.share(world.spots[4], "safe")
    assert world.search(world.spots[9], "safe").outcome == "found"
    assert not any(world.spots[20].address in spot.node.neighbours for spot in world.spots)
