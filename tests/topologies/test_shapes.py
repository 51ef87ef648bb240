"""The links of the star, of two providers, and of the tree."""

import re

import pytest
from mininet.topo import Topo

from topologies.star import Star
from topologies.tree import Tree
from topologies.two_isps import TwoIsps


def pairs(topology: Topo) -> list[tuple[str, str]]:
    return [(one, other) for one, other in topology.links(sort=True)]


def test_star_links_every_host_to_one_core() -> None:
    assert pairs(Star(n=3)) == [("h1", "s1"), ("h2", "s1"), ("h3", "s1")]


def test_star_uses_given_names() -> None:
    assert pairs(Star(n=2, names=["server", "peer"])) == [("peer", "s1"), ("server", "s1")]


def test_providers_have_n_hosts_each() -> None:
    expected = [("h1", "s1"), ("h2", "s1"), ("h3", "s2"), ("h4", "s2"), ("s1", "s2")]
    assert pairs(TwoIsps(n=2)) == expected


def test_providers_can_differ_in_size() -> None:
    expected = [("h1", "s1"), ("h2", "s2"), ("h3", "s2"), ("s1", "s2")]
    assert pairs(TwoIsps(n1=1, n2=2)) == expected
    assert pairs(TwoIsps(n=2, n1=1)) == expected


def test_bottleneck_is_equal_in_both_directions() -> None:
    link = TwoIsps(bottleneck=10_000_000, bottleneck_delay=15, up=1_000_000).linkInfo("s1", "s2")
    assert link["params1"] == link["params2"] == {"bw": 10.0, "delay": "15ms"}


def test_tree_has_hosts_at_its_leaves() -> None:
    expected = [("h1", "s2"), ("h2", "s2"), ("h3", "s3"), ("h4", "s3"), ("s2", "s1"), ("s3", "s1")]
    assert pairs(Tree(depth=2, fanout=2)) == expected


@pytest.mark.parametrize(("depth", "fanout"), [(1, 5), (2, 3), (3, 2), (4, 1)])
def test_tree_has_no_loop(depth: int, fanout: int) -> None:
    tree = Tree(depth=depth, fanout=fanout)
    assert len(tree.hosts()) == fanout**depth
    assert len(tree.links()) == len(tree.hosts()) + len(tree.switches()) - 1


def test_trunk_limits_only_inner_links() -> None:
    tree = Tree(depth=2, fanout=2, trunk=20_000_000)
    assert tree.linkInfo("s2", "s1")["params1"] == tree.linkInfo("s2", "s1")["params2"] == {"bw": 20.0}
    assert tree.linkInfo("h1", "s2")["params1"] == {}


@pytest.mark.parametrize(
    ("topology", "parameters", "says"),
    [
        (Star, {"n": 0}, "n: expected a plain whole number of hosts above 0, found 0"),
        (Star, {"n": 2.5}, "found 2.5"),
        (Star, {"n": "many"}, "found 'many'"),
        (Star, {"n": 131_070}, "more than 131069 hosts"),
        (Tree, {"depth": 6, "fanout": 10}, "more than 131069 hosts"),
        (TwoIsps, {"n1": 100_000, "n2": 100_000}, "more than 131069 hosts"),
        (TwoIsps, {"n1": 0}, "n1: expected a plain whole number of hosts"),
        (TwoIsps, {"bottleneck": 0}, "bottleneck: expected a plain whole number of bit/s"),
        (TwoIsps, {"bottleneck_delay": -1}, "delay: expected a plain number of ms"),
        (Tree, {"depth": 0}, "depth: expected a plain whole number of levels"),
        (Tree, {"fanout": 0}, "fanout: expected a plain whole number of branches"),
        (Tree, {"trunk": "fast"}, "trunk: expected a plain whole number of bit/s"),
    ],
)
def test_impossible_size_is_refused(topology: type[Topo], parameters: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        topology(**parameters)
