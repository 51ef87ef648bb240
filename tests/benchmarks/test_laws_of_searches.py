"""Searches of real nodes in virtual time cost what exact laws say."""

from math import log2
from random import Random
from statistics import fmean

import pytest

from benchmarks.overlays import chord_law
from benchmarks.overlays.graphs import expected_flood, expected_shells, flood_on, neighbours_of, regular, shells
from benchmarks.overlays.scale.given import Size, chord_given, gnutella_given, kademlia_given
from benchmarks.overlays.scale.points import Point

WITHIN = 0.03


def differs(point: Point, what: str) -> float:
    """Return how far a mean is from its law."""
    return float(abs(getattr(point, what) / getattr(point.law, what) - 1))


@pytest.mark.parametrize("way", ["2001", "2003"])
def test_lookups_among_1000_nodes_of_chord_have_the_hops_of_the_law(way: str) -> None:
    point = chord_given(Size(1_000, 1_500, seed=1), way=way)
    assert point.success == 1
    assert differs(point, "hops") < WITHIN
    assert differs(point, "messages") < WITHIN


def test_with_fingers_alone_that_is_half_of_log2_n_within_3_percent() -> None:
    assert chord_law.hops(1_000) == pytest.approx(log2(1_000) / 2, rel=WITHIN)


def test_searches_among_500_nodes_of_kademlia_have_the_hops_of_the_law() -> None:
    point = kademlia_given(Size(500, 400, seed=1))
    assert point.success == 1
    assert differs(point, "hops") < WITHIN


def test_floods_cost_what_the_law_says_without_looking_at_the_graph() -> None:
    point = gnutella_given(Size(300, 400, seed=1))
    assert point.success == 1
    assert differs(point, "messages") < WITHIN


def test_reach_of_a_flood_is_that_of_a_tree_but_for_who_is_met_twice() -> None:
    rng, found, costs = Random(1), list[list[int]](), list[int]()
    for _ in range(4):
        graph = neighbours_of(regular(1_000, 4, rng))
        askers = rng.sample(range(1_000), 25)
        found += [[len(shell) for shell in shells(graph, asker, 7)] for asker in askers]
        costs += [flood_on(graph, asker, 7) for asker in askers]
    reached = [fmean(counts) for counts in zip(*found, strict=True)]
    law = expected_shells(1_000, 4, 7)
    assert reached[:3] == pytest.approx(law[:3], rel=0.01)
    assert sum(reached) == pytest.approx(sum(law), rel=WITHIN)
    assert fmean(costs) == pytest.approx(expected_flood(1_000, 4, 7), rel=WITHIN)
    assert sum(law) < 0.3 * sum(4 * 3 ** (hop - 1) for hop in range(1, 8))


def test_a_flood_that_reaches_all_passes_each_edge_twice_but_those_of_the_tree_once() -> None:
    assert expected_flood(50, 4, 7) == pytest.approx(2 * 100 - 49)
    assert sum(expected_shells(50, 4, 9)) == pytest.approx(50)


def test_hops_in_chord_grow_by_half_with_each_doubling() -> None:
    law = [chord_law.hops(n) for n in (500, 1_000, 3_000, 6_000, 100_000, 200_000)]
    assert law[1] - law[0] == pytest.approx(0.5, abs=0.01)
    assert law[3] - law[2] == pytest.approx(0.5, abs=0.01)
    assert law[5] - law[4] == pytest.approx(0.5, abs=0.001)


def test_whoever_knows_all_nodes_asks_one_at_most() -> None:
    assert chord_law.hops(1) == 0
    # None for keys of the first successor, and for our own.
    assert chord_law.hops(16, successors=40) == pytest.approx(14 / 16, abs=0.01)
    assert chord_law.hops(200, successors=16) < chord_law.hops(200, successors=4) < chord_law.hops(200)
