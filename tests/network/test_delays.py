"""Delay, jitter and loss without netem: the tables of the cores' delay boxes, and the delays that result."""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from mininet.topo import Topo

from testbed.network import Impairment, Network, NodeError
from testbed.network.build.delays import delay_table
from testbed.network.build.fabric import Fabric
from testbed.network.check.linkcheck import PathReport, check_paths
from testbed.network.delaybox.tun import TUN_DEVICE
from topologies.star import Star
from topologies.tree import Tree
from topologies.two_isps import TwoIsps

OnNetwork = Callable[..., Any]
Read = Callable[[Topo], Fabric]
NOTHING = Impairment()


def tables(fabric: Fabric) -> dict[str, dict[str, tuple[Impairment, Impairment]]]:
    return {core.name: dict(delay_table(fabric, core)) for core in fabric.cores}


def delay(milliseconds: int) -> Impairment:
    return Impairment(delay_us=1000 * milliseconds)


def test_star_table_has_each_hosts_delays(described: Read) -> None:
    star = described(Star(n=2, delay=[10, 20], jitter=[None, 5], loss=[None, 1]))
    second = Impairment(delay_us=20_000, jitter_us=5_000, loss=0.01)
    assert tables(star) == {"s1": {"198.18.0.1": (delay(10), delay(10)), "198.18.0.2": (second, second)}}


def test_provider_tables_count_each_link_once(described: Read) -> None:
    isps = described(TwoIsps(n=1, delay=[10, 20], bottleneck_delay=7))
    s1, s2 = "198.19.255.254", "198.19.255.253"
    assert tables(isps) == {
        "s1": {
            "198.18.0.1": (delay(10), delay(10)),
            "198.18.0.2": (NOTHING, delay(7)),
            s2: (NOTHING, delay(7)),
        },
        "s2": {
            "198.18.0.2": (delay(20), delay(20)),
            "198.18.0.1": (NOTHING, delay(7)),
            s1: (NOTHING, delay(7)),
        },
    }


@pytest.mark.parametrize(
    "topology", [Star(n=3, delay=[1, 2, 4]), TwoIsps(n=2, delay=[1, 2, 4, 8], bottleneck_delay=16)]
)
def test_boxes_on_path_add_up_to_link_delays(described: Read, topology: Topo) -> None:
    fabric = described(topology)
    boxes = tables(fabric)
    for source in fabric.hosts:
        for destination in (host for host in fabric.hosts if host is not source):
            path = fabric.path(source, destination)
            total = 0
            for core in (end.node.name for end in path[1:]):
                up = boxes[core][str(source.address)][0]
                down = boxes[core][str(destination.address)][1]
                total += up.delay_us + down.delay_us
            assert total == sum(end.shape.impairment.delay_us for end in path)


@pytest.fixture
def on_network(on_network: OnNetwork, without_netem: None) -> OnNetwork:
    if not TUN_DEVICE.exists():
        pytest.skip(f"there is no {TUN_DEVICE} for the delay box: modprobe tun")
    return on_network


def trips(network: Network) -> list[PathReport]:
    return check_paths(network)


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("topology", "asked_ms"),
    [
        (Star(n=2, up=8_000_000, down=8_000_000, delay=5), 20),
        (Star(n=2, delay=[10, 2.5]), 25),
        (TwoIsps(n=1, delay=2, bottleneck_delay=10), 28),
        (Tree(depth=2, fanout=2, delay=3), 12),
    ],
    ids=["star", "unequal hosts", "two-isps", "tree"],
)
def test_round_trip_takes_delay_of_its_links(on_network: OnNetwork, topology: Topo, asked_ms: float) -> None:
    for report in on_network(topology, trips):
        assert report.asked_rtt_ms == asked_ms
        assert report.rtt_median_ms == pytest.approx(asked_ms, abs=2)
        assert report.rtt_min_ms >= asked_ms
        assert report.lost == 0


@pytest.mark.kernel
def test_loss_is_as_configured(on_network: OnNetwork) -> None:
    (report,) = on_network(Star(n=2, delay=1, loss=5), trips)
    assert report.asked_loss == pytest.approx(1 - 0.95**4)
    assert report.lost > 0
    assert report.within()


@pytest.mark.kernel
def test_same_seed_loses_the_same_packets(on_network: OnNetwork) -> None:
    star = Star(n=2, loss=20)
    first, second, other = (on_network(star, answered_pings, seed=seed) for seed in (1, 1, 2))
    assert first == second != other


def answered_pings(network: Network) -> list[str]:
    """Return the sequence numbers of the replies."""
    h1, h2 = network.hosts
    with h1.inside():
        command = ["ping", "-n", "-i", "0.005", "-c", "40", "-W", "0.3", str(h2.address)]
        lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return [word for line in lines for word in line.split() if word.startswith("icmp_seq=")]


@pytest.mark.kernel
def test_jitter_spreads_round_trips_around_the_delay(on_network: OnNetwork) -> None:
    (report,) = on_network(Star(n=2, delay=10, jitter=5), trips)
    assert 20 <= report.rtt_min_ms < 37
    assert report.rtt_max_ms > 43
    assert report.within()


@pytest.mark.kernel
@pytest.mark.parametrize("topology", [Star(n=2, delay=1), TwoIsps(n=1, bottleneck_delay=1)])
def test_core_without_its_box_forwards_nothing(on_network: OnNetwork, topology: Topo) -> None:
    def look(network: Network) -> tuple[float, float]:
        before = network.mininet.pingAll(timeout=1)
        for box in network.mininet.delay_boxes:
            box.kill()
        return before, network.mininet.pingAll(timeout=1)

    assert on_network(topology, look) == (0, 100)


@pytest.mark.kernel
def test_only_delaying_cores_have_boxes(on_network: OnNetwork) -> None:
    def boxes(network: Network) -> int:
        return len(network.mininet.delay_boxes)

    assert on_network(Star(n=2, up=8_000_000), boxes) == 0
    assert on_network(TwoIsps(n=1, delay=[1, 0]), boxes) == 1
    assert on_network(TwoIsps(n=1, bottleneck_delay=1), boxes) == 2


@pytest.mark.kernel
def test_delaying_bridge_without_netem_is_refused(on_network: OnNetwork) -> None:
    with pytest.raises(NodeError, match=r"s1: this kernel has no netem \(CONFIG_NET_SCH_NETEM\).*forwarding='route'"):
        on_network(DelayedBridge(), trips)


class DelayedBridge(Topo):
    """Two hosts around a bridge, with delays on their links."""

    def build(self) -> None:
        self.addSwitch("s1", forwarding="bridge")
        for name in ("h1", "h2"):
            self.addLink(self.addHost(name), "s1", delay="5ms")
