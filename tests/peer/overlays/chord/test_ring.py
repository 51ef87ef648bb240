"""Rings of nodes in virtual time: they form, find, move pairs, and mend."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from contract.overlay_events import AnswerCame, NodeErred, NodeJoined, SearchEnded
from peer.net.address import Address
from peer.overlays.chord.messages import Message
from peer.overlays.chord.node import ChordNode
from peer.overlays.chord.parameters import Parameters
from peer.overlays.chord.ring import position_of
from peer.overlays.chord.wire import decode, encode, size
from peer.overlays.content import Item, key_of
from peer.overlays.parts.packing import pack_address
from peer.simulation.overlays.network import Place
from peer.simulation.overlays.rings import WITHOUT_UPKEEP, Order, Ring

QUIET = Parameters(**WITHOUT_UPKEEP)  # type: ignore[arg-type]
WAYS = {"iterative": {}, "fingers alone": {"routes_by_successors": False}, "recursive": {"is_recursive": True}}


def size_as_written(message: Message) -> int:
    data = encode(message)
    assert decode(data) == message
    assert size(message) == len(data)
    return len(data)


def grown(count: int, parameters: Parameters, seed: int = 1, settle: float = 240.0) -> Ring:
    """A ring whose nodes came one after the other, each with an item, and had time."""
    ring = Ring(parameters, Random(seed), size_as_written)
    ring.join(count, 10.0, lambda number: [Item(f"item {number}")])
    ring.run_for(count * 10.0 + settle)
    return ring


def perfect(count: int, parameters: Parameters = QUIET, seed: int = 1) -> Ring:
    ring = Ring(parameters, Random(seed))
    ring.build(count)
    return ring


def outcomes(ring: Ring) -> Counter[str]:
    return Counter(end.outcome for end in ring.ends())


def erred(ring: Ring) -> list[NodeErred]:
    return [event for place in ring.places for _, event in place.events if isinstance(event, NodeErred)]


def holders(ring: Ring, key: bytes) -> list[Place[ChordNode]]:
    """Those alive that keep something under a key."""
    now = ring.network.agenda.now
    return [place for place in ring.alive if place.node.keeping.pairs.values(key, now)]


def own_place(ring: Ring, key: bytes, steps: int = 0) -> Place[ChordNode]:
    order = Order(ring.alive)
    return order.holders(position_of(key, ring.parameters.bits), steps + 1)[steps]


@pytest.fixture(scope="module", params=list(WAYS))
def ring(request: pytest.FixtureRequest) -> Ring:
    return grown(30, replace(Parameters(), **WAYS[request.param]))


def test_nodes_that_join_one_by_one_form_one_ring_with_right_fingers(ring: Ring) -> None:
    order = Order(ring.places)
    assert order.wrong_successors() == 0
    assert order.wrong_fingers() == 0
    joined = [[event for _, event in place.events if isinstance(event, NodeJoined)] for place in ring.places]
    assert all(len(events) == 1 and events[0].items == 1 for events in joined)
    assert erred(ring) == []


def test_everything_is_found_from_everywhere_and_costs_are_counted_for_the_search(ring: Ring) -> None:
    for number in range(len(ring.places)):
        for place in ring.places[:5]:
            place.events.clear()
            name = ring.search(place, f"item {number}")
            ring.run_for(3.0)
            answers = [event for _, event in place.events if isinstance(event, AnswerCame)]
            [end] = [event for _, event in place.events if isinstance(event, SearchEnded)]
            assert [answer.holder for answer in answers] == [str(ring.places[number].address)]
            assert (end.search, end.outcome, end.timeouts) == (name, "found", 0)
            check_cost(ring, place, name, end.hops or 0, number)


def check_cost(ring: Ring, place: Place[ChordNode], name: str, hops: int, number: int) -> None:
    """A question and an answer for each hop and for the values; recursively, one message more tells how it ended."""
    told = 1 if ring.parameters.is_recursive and hops else 0
    fetched = 0 if own_place(ring, key_of(f"item {number}")) is place else 2
    assert ring.network.ledger.by_search[name].messages == 2 * hops + told + fetched


def test_what_nobody_shares_is_not_found(ring: Ring) -> None:
    ring.places[3].events.clear()
    ring.search(ring.places[3], "nothing")
    ring.run_for(3.0)
    [end] = [event for _, event in ring.places[3].events if isinstance(event, SearchEnded)]
    assert (end.outcome, end.answers) == ("not_found", 0)


def followed(order: Order, start: int, position: int, ids: list[int], bits: int) -> int:
    """How many fingers a walk follows from a node to the predecessor of a position, by arithmetic alone."""
    target, hops = order.index_of(position), 0
    while (start + 1) % len(ids) != target:
        reach = (position - ids[start]) % (1 << bits)
        fingers = (order.index_of((ids[start] + (1 << number)) % (1 << bits)) for number in range(bits))
        covered = {(ids[finger] - ids[start]) % (1 << bits): finger for finger in fingers}
        start = covered[max(length for length in covered if length < reach)]
        hops += 1
    return hops


def test_each_lookup_follows_as_many_fingers_as_arithmetic_says() -> None:
    ring = perfect(200, replace(QUIET, routes_by_successors=False))
    order = Order(ring.places)
    ids = [contact.id for contact in order.contacts]
    expected = {}
    for number in range(200):
        place = ring.random.choice(ring.places)
        start, position = order.places.index(place), position_of(key_of(f"item {number}"))
        if order.index_of(position) != start:
            expected[ring.search(place, f"item {number}")] = followed(order, start, position, ids, 160)
    ring.run_for(5.0)
    assert {end.search: end.hops for end in ring.ends()} == expected


def mean_hops(n: int, searches: int, parameters: Parameters, seed: int) -> float:
    ring = perfect(n, parameters, seed)
    for number in range(searches):
        ring.search(ring.random.choice(ring.places), f"item {number}")
    ring.run_for(5.0)
    return sum(end.hops or 0 for end in ring.ends()) / searches


def test_hops_are_half_the_logarithm_within_three_percent() -> None:
    law = 4.983  # (1/2) log2 1000
    hops = [mean_hops(1_000, 1_000, replace(QUIET, routes_by_successors=False), seed) for seed in range(3)]
    assert sum(hops) / len(hops) == pytest.approx(law, rel=0.03)


def test_the_successor_list_saves_half_its_logarithm_but_one_hop() -> None:
    assert mean_hops(1_000, 1_500, QUIET, seed=1) == pytest.approx(3.983, rel=0.05)  # (1/2) log2 (1000 / 16) + 1


def test_fingers_that_differ_are_about_the_logarithm() -> None:
    ring = perfect(512)
    counts = [len(set(place.node.table.fingers.values())) for place in ring.places]
    assert 7.5 < sum(counts) / len(counts) < 10.5  # log2 512 is 9, of which the successor is one.
    assert max(counts) <= 18


@pytest.mark.parametrize("way", ["iterative", "fingers alone"])
@pytest.mark.parametrize("fraction", [0.2, 0.5])
def test_right_after_a_mass_failure_only_what_the_dead_kept_is_lost(way: str, fraction: float) -> None:
    ring = perfect(300, replace(QUIET, replicas=1, **WAYS[way]))
    keys = {key_of(f"item {number}"): [pack_address(ring.places[0].address)] for number in range(300)}
    ring.keep(keys)
    for place in ring.random.sample(ring.places, int(300 * fraction)):
        ring.network.kill(place)
    for number in range(300):
        ring.search(ring.random.choice(ring.alive), f"item {number}")
    ring.run_for(300.0)
    kept = sum(1 for key in keys if holders(ring, key))
    assert outcomes(ring) == {"found": kept, "not_found": 300 - kept}
    assert 1 - kept / 300 == pytest.approx(fraction, abs=0.1)


def test_copies_survive_a_mass_failure() -> None:
    ring = perfect(200)
    ring.keep({key_of(f"item {number}"): [pack_address(ring.places[0].address)] for number in range(200)})
    for place in ring.random.sample(ring.places, 40):
        ring.network.kill(place)
    for number in range(200):
        ring.search(ring.random.choice(ring.alive), f"item {number}")
    ring.run_for(60.0)
    assert outcomes(ring)["found"] >= 195  # One key of 125 had all three copies at the dead.


def test_stabilisation_mends_the_ring_so_that_nobody_waits_for_the_dead() -> None:
    ring = perfect(80, Parameters())
    for place in ring.random.sample(ring.places, 32):
        ring.network.kill(place)
    ring.run_for(300.0)
    order = Order(ring.alive)
    assert order.wrong_successors() == 0
    assert order.wrong_fingers() == 0
    for number in range(50):
        ring.search(ring.random.choice(ring.alive), f"item {number}")
    ring.run_for(5.0)
    assert outcomes(ring) == {"not_found": 50}
    assert sum(end.timeouts for end in ring.ends()) == 0


def test_lost_copies_are_made_again() -> None:
    ring = grown(12, replace(Parameters(), replicas=3, refresh_every=100_000.0, lifetime=60_000.0), settle=600.0)
    key = key_of("item 3")
    for _ in range(3):
        ring.network.kill(own_place(ring, key))
        ring.run_for(200.0)
        assert {own_place(ring, key, steps) for steps in range(3)} <= set(holders(ring, key))


@pytest.mark.parametrize("replicas", [1, 3])
def test_pairs_move_to_a_node_that_joins_and_from_one_that_leaves(replicas: int) -> None:
    parameters = replace(Parameters(), replicas=replicas, refresh_every=100_000.0, lifetime=60_000.0)
    ring = grown(12, parameters)
    keys = [key_of(f"item {number}") for number in range(12)]
    for _ in range(6):
        ring.start_at(ring.add(known=[ring.alive[0].address]), ring.network.agenda.now)
        ring.run_for(150.0)
        assert all(own_place(ring, key) in holders(ring, key) for key in keys)
    if replicas == 1:
        assert all(len(holders(ring, key)) == 1 for key in keys)
    for place in ring.places[1:8]:
        ring.network.leave(place)
        ring.run_for(1.0)
        assert all(own_place(ring, key) in holders(ring, key) for key in keys)


def test_a_neighbour_that_leaves_by_word_is_missed_by_nobody() -> None:
    ring = grown(10, Parameters())
    ring.network.leave(ring.places[4])
    ring.run_for(1.0)
    assert Order(ring.alive).holders(ring.places[4].node.contact.id, 1)[0].node.table.predecessor is not None
    alive = Order(ring.alive)
    assert alive.wrong_successors() == 0


def test_what_its_sharer_does_not_refresh_is_dropped() -> None:
    parameters = replace(Parameters(), refresh_every=100.0, lifetime=300.0)
    ring = grown(8, parameters, settle=1_000.0)
    assert holders(ring, key_of("item 5"))
    ring.network.kill(ring.places[5])
    ring.run_for(500.0)
    assert holders(ring, key_of("item 5")) == []
    assert holders(ring, key_of("item 4"))


def test_a_ring_on_a_page_works_with_few_bits() -> None:
    ring = Ring(replace(QUIET, bits=6), Random(1))
    ids: set[int] = set()
    port = 1_000
    while len(ids) < 10:
        place = ring.add(address=Address("198.18.0.1", port))
        port += 1
        if place.node.contact.id in ids:
            ring.places.pop()
        ids.add(place.node.contact.id)
    order = Order(ring.places)
    for place in ring.places:
        ring.network.input_to(place, lambda node, now: order.settle(node, ring.parameters, now))
    ring.keep({key_of("x"): [pack_address(ring.places[0].address)]})
    for place in ring.places:
        ring.search(place, "x")
    ring.run_for(5.0)
    assert outcomes(ring) == {"found": 10}
