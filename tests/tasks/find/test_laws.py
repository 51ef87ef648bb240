"""The laws of searches, at sizes for which they can be worked out by hand."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.tasks.find.plan.laws import (
    chord_hops,
    flood_bound,
    flood_messages,
    halving_hops,
    kademlia_entries,
)


def test_flood_bound_is_that_of_a_tree() -> None:
    assert flood_bound(4, 1) == 4
    assert flood_bound(4, 2) == 4 + 12
    assert flood_bound(4, 7) == 4372
    assert flood_bound(2, 5) == 10  # a line in both directions


@given(st.integers(2, 1000), st.floats(2, 20), st.integers(1, 10))
def test_flood_never_sends_more_than_all_nodes_can(nodes: int, neighbours: float, ttl: int) -> None:
    found = flood_messages(nodes, neighbours, ttl)
    assert found <= flood_bound(neighbours, ttl)
    assert found <= nodes * neighbours < inf


def test_flood_in_a_full_mesh_is_bounded_by_what_all_pass_on() -> None:
    # Five nodes that all know each other: the first sends 4, each other one passes it on to 3.
    assert flood_messages(5, 4, 7) == 4 + 4 * 3


def test_lookups_take_logarithms() -> None:
    assert (chord_hops(1024), halving_hops(1024)) == (5, 10)
    assert (chord_hops(1), halving_hops(0)) == (0, 0)


def test_full_buckets_hold_everybody_until_there_are_more() -> None:
    assert kademlia_entries(5, 8) == 4
    assert kademlia_entries(64, 8) == pytest.approx(8 * 4)
