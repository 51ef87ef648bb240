"""The code that the three topologies share: link parameters, host names, and refusals."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mininet.topo import Topo
from mininet.util import buildTopo

from topologies import star, tree, two_isps
from topologies.star import Star
from topologies.tree import Tree
from topologies.two_isps import TwoIsps

FILES = [Path(module.__file__ or "") for module in (star, two_isps, tree)]
BEGINS = "# The rest is the same in"


def test_repeated_part_is_equal_in_all_files() -> None:
    shared = {file.read_text().partition(BEGINS)[2] for file in FILES}
    assert len(shared) == 1
    assert shared != {""}


@pytest.mark.parametrize(
    ("file", "line", "hosts"),
    [
        (FILES[0], "star,n=4,up=8e6,down=24000000", 4),
        (FILES[1], "two-isps,n=2,bottleneck=10e6,bottleneck_delay=20", 4),
        (FILES[2], "tree,depth=3,fanout=2,trunk=20e6", 8),
    ],
)
def test_file_works_alone_with_arguments_of_mn(file: Path, line: str, hosts: int) -> None:
    custom: dict[str, dict[str, type[Topo]]] = {}
    exec(compile(file.read_text(), str(file), "exec"), custom, custom)  # noqa: S102 - as mn does
    assert len(buildTopo(custom["topos"], line).hosts()) == hosts


@given(st.integers(min_value=1, max_value=10**9))
@example(56_000)
@example(10**9)
def test_bw_keeps_the_exact_rate(rate: int) -> None:
    words = Star(n=1, up=rate).linkInfo("h1", "s1")["params1"]
    assert round(words["bw"] * 1e6) == rate


@pytest.mark.parametrize("topology", [Star, TwoIsps, Tree])
def test_each_end_has_mininet_parameters(topology: type[Topo]) -> None:
    made = topology(
        up=8_000_000, down=24_000_000, delay=20, jitter=2.5, loss=0.1, queue=100, acks="shared", **size(topology)
    )
    both_ways = {"delay": "20ms", "jitter": "2.5ms", "loss": 0.1, "queue_ms": 100, "acks": "shared"}
    for host in made.hosts():
        (core,) = made.g.edge[host]
        link = made.linkInfo(host, core)
        assert (link["node1"], link["node2"]) == (host, core)
        assert link["params1"] == {"bw": 8.0, **both_ways}
        assert link["params2"] == {"bw": 24.0, **both_ways}


@pytest.mark.parametrize("topology", [Star, TwoIsps, Tree])
def test_link_without_limits_has_no_parameters(topology: type[Topo]) -> None:
    made = topology(delay=0, loss=0)
    for _, _, link in made.links(withInfo=True):
        assert link["params1"] == link["params2"] == {}


def test_list_gives_each_host_its_value() -> None:
    made = Star(n=3, up=[1_000_000, 2_000_000, 3_000_000], down=5_000_000, acks=["shared", "priority", "shared"])
    links = [made.linkInfo(host, "s1") for host in made.hosts()]
    assert [link["params1"]["bw"] for link in links] == [1.0, 2.0, 3.0]
    assert [link["params2"]["bw"] for link in links] == [5.0, 5.0, 5.0]
    assert [link["params1"]["acks"] for link in links] == ["shared", "priority", "shared"]


@pytest.mark.parametrize("topology", [Star, TwoIsps, Tree])
@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"up": [1_000_000] * 3}, "up: expected one value for all 4 hosts, or 4 values, found 3 values"),
        ({"down": {}}, "down: expected one value for all 4 hosts"),
        ({"up": 0}, "up: expected a plain whole number of bit/s above 0, found 0"),
        ({"down": -1}, "down: expected a plain whole number of bit/s above 0"),
        ({"up": 1.5}, "found 1.5"),
        ({"up": float("nan")}, "found nan"),
        ({"up": float("inf")}, "found inf"),
        ({"up": "8Mbit"}, "found '8Mbit'"),
        ({"delay": -1}, "delay: expected a plain number of ms from 0"),
        ({"delay": "20ms"}, "delay: expected a plain number of ms from 0"),
        ({"jitter": 1}, "jitter: needs a delay"),
        ({"loss": 101}, "loss: expected a plain number of % from 0 to 100, found 101"),
        ({"queue": -1}, "queue: expected a plain number of ms"),
        ({"acks": "fast"}, "acks: expected 'priority' or 'shared', found 'fast'"),
        ({"names": ["a", "b"]}, "expected a different name for each of 4 hosts"),
        ({"names": ["a", "b", "c", "a"]}, "expected a different name for each of 4 hosts"),
        ({"names": "abcd"}, "expected a different name for each of 4 hosts"),
        ({"names": ["a", "b", "c", "elevenchars"]}, "found 'elevenchars'"),
        ({"names": ["a", "b", "c", "d/e"]}, "found 'd/e'"),
        ({"names": ["a", "b", "c", ""]}, "found ''"),
        ({"names": ["a", "b", "c", "s7"]}, "s1, s2, ... are reserved for cores"),
    ],
)
def test_impossible_link_is_refused(topology: type[Topo], parameters: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        topology(**size(topology), **parameters)


@pytest.mark.parametrize("topology", [Star, TwoIsps, Tree])
def test_longest_host_names_fit_interface_names(topology: type[Topo]) -> None:
    names = ["tencharsxx", "server", "a.b", "peer_1"]
    made = topology(names=names, **size(topology))
    assert set(made.hosts()) == set(names)
    interfaces = [f"{node}-eth{port}" for node, ports in made.ports.items() for port in ports]
    assert max(map(len, interfaces)) == 15


def size(topology: type[Topo]) -> dict[str, int]:
    """Return parameters for a topology of four hosts."""
    return {Star: {"n": 4}, TwoIsps: {"n": 2}, Tree: {"depth": 2, "fanout": 2}}[topology]
