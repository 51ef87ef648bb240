"""What a node's table says of places, on rings that fit on a page."""

import pytest

from peer.net.address import Address
from peer.overlays.chord.ring import Contact, contact_at, distance, is_after_until, is_between
from peer.overlays.chord.table import Table

BITS = 3


def node(place: int) -> Contact:
    return Contact(place, Address(f"198.18.0.{place + 1}", 4000))


def table_of(own: int, *successors: int, most: int = 4, routes_by_successors: bool = False) -> Table:
    table = Table(node(own), BITS, most, routes_by_successors=routes_by_successors)
    table.set_successors(map(node, successors))
    return table


def example() -> Table:
    """Node 1 of the paper's ring with the nodes 0, 1 and 3."""
    table = table_of(1, 3, 0)
    table.predecessor = node(0)
    assert table.first_finger() == 2
    table.set_fingers(2, node(0))
    return table


def test_fingers_are_those_of_the_papers_example() -> None:
    table = example()
    assert [table.start_of(finger) for finger in range(BITS)] == [2, 3, 5]
    assert table.fingers == {2: node(0)}  # Fingers 0 and 1 are the successor, node 3.


@pytest.mark.parametrize(("place", "owner"), [(2, 3), (3, 3), (1, 1)])
def test_a_node_knows_whose_its_neighbourhood_is(place: int, owner: int) -> None:
    assert example().responsible(place)[0] == node(owner)


def test_other_places_are_asked_for_at_the_finger_before_them() -> None:
    table = example()
    assert table.responsible(6) == []
    assert table.closest_preceding(6) == node(3)
    assert table.closest_preceding(0) == node(3)  # Not node 0: it is not before its own place.


def test_the_next_best_takes_the_place_of_a_dead_node() -> None:
    table = table_of(0, 1, 2, 4)
    table.set_fingers(2, node(4))
    assert table.closest_preceding(7) == node(4)
    assert table.closest_preceding(7, dead=[node(4)]) == node(1)
    assert table.responsible(1, dead=[node(1)]) == [node(2), node(4)]
    assert table.closest_preceding(7, dead=[node(4), node(1)]) == node(2)


def test_successors_shorten_the_way_if_they_are_used() -> None:
    assert table_of(0, 1, 2, 4).closest_preceding(6) == node(1)
    assert table_of(0, 1, 2, 4, routes_by_successors=True).closest_preceding(6) == node(4)


def test_a_list_of_successors_ends_where_it_comes_round_or_goes_back() -> None:
    assert table_of(5, 6, 7, 1, 5, 6).successors == [node(6), node(7), node(1)]
    assert table_of(5, 6, 1, 7).successors == [node(6), node(1)]
    assert len(table_of(0, 1, 2, 3, 4, 5, 6).successors) == 4


def test_a_node_alone_has_every_place() -> None:
    table = table_of(5)
    assert all(table.responsible(place) == [node(5)] for place in range(1 << BITS))


def test_who_loses_its_only_successor_takes_the_next_that_it_knows() -> None:
    table = table_of(0, 1)
    table.set_fingers(1, node(3))
    table.predecessor = node(6)
    table.drop(node(1))
    assert table.successors == [node(3)]
    table.drop(node(3))
    assert table.successors == [node(6)]


def test_the_ring_closes_behind_its_last_place() -> None:
    assert is_after_until(0, 6, 1)
    assert not is_after_until(6, 6, 1)
    assert is_after_until(4, 4, 4)
    assert is_between(5, 4, 4)
    assert not is_between(4, 4, 4)
    assert distance(6, 1, BITS) == 3


def test_an_identifier_is_the_hash_of_an_address_cut_to_its_first_bits() -> None:
    address = Address("198.18.0.5", 4000)
    whole = contact_at(address).id
    assert whole >> 155 == contact_at(address, 5).id
    assert contact_at(Address("198.18.0.5", 4001)).id != whole
