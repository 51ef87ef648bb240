"""Delay, jitter and loss by the kernel's netem, alone and together with rates.

These tests also run in a virtual machine that is ten times slower than its host, where any other load delays packets.
So they take the shortest of hundreds of round trips, and repeat what was disturbed.
"""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from mininet.topo import Topo

from testbed.network import Network, sandbox
from testbed.network.check.linkcheck import PathReport, check_paths
from testbed.network.check.measure import DirectionReport, measure, own_load
from testbed.network.features import has_qdisc
from topologies.star import Star
from topologies.two_isps import TwoIsps

pytestmark = pytest.mark.vm

T = TypeVar("T")
PATIENCE_S = 90


def on_network(topology: Topo, look: Callable[[Network], T]) -> T:
    def body() -> T:
        with Network(topology) as network:
            assert network.mininet.delay_boxes == []
            return look(network)

    return sandbox.run(body)


def trips(topology: Topo, holds: Callable[[PathReport], bool]) -> list[PathReport]:
    """Measure round trips until all reports pass."""
    for _ in attempts():
        reports = on_network(topology, check_paths)
        if reports and all(map(holds, reports)):
            return reports
    raise AssertionError(f"off for {PATIENCE_S} s: {reports}")


def attempts() -> Iterator[None]:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        yield


def is_on_time(report: PathReport) -> bool:
    return 0 <= report.rtt_min_ms - report.asked_rtt_ms <= 2 and report.lost == 0


def loses_as_asked(report: PathReport) -> bool:
    """Return whether the loss is within four standard deviations of a binomial distribution."""
    deviation = (report.probes * report.asked_loss * (1 - report.asked_loss)) ** 0.5
    return abs(report.lost - report.probes * report.asked_loss) <= 4 * deviation


def test_this_kernel_has_netem() -> None:
    assert sandbox.run(lambda: has_qdisc("netem"))


@pytest.mark.parametrize("delay_ms", [20, 50])
def test_round_trip_takes_four_delays(delay_ms: int) -> None:
    (report,) = trips(Star(n=2, delay=delay_ms), is_on_time)
    assert report.asked_rtt_ms == 4 * delay_ms


def test_each_link_has_its_own_delay() -> None:
    reports = trips(Star(n=3, delay=[5, 10, 20]), is_on_time)
    assert [report.asked_rtt_ms for report in reports] == [30, 60, 50]


def test_bottleneck_delays_crossing_packets() -> None:
    (report,) = trips(TwoIsps(n=1, delay=5, bottleneck_delay=10), is_on_time)
    assert report.asked_rtt_ms == 40


def test_jitter_spreads_round_trips_within_its_range() -> None:
    (report,) = trips(Star(n=2, delay=20, jitter=5), PathReport.within)
    assert report.asked_jitter_ms == 20
    assert 60 <= report.rtt_min_ms < 77
    assert report.rtt_max_ms > 83


@pytest.mark.parametrize("percent", [1, 10, 50])
def test_loss_is_as_configured(percent: int) -> None:
    (report,) = trips(Star(n=2, delay=1, loss=percent), loses_as_asked)
    assert report.asked_loss == pytest.approx(1 - (1 - percent / 100) ** 4)
    assert report.lost > 0


class BridgedPair(Topo):
    """Two hosts around a bridge, with a delay at each end of each link."""

    def build(self, delay: str) -> None:
        self.addSwitch("s1", forwarding="bridge")
        for name in ("h1", "h2"):
            self.addLink(self.addHost(name), "s1", delay=delay)


def test_bridge_delays_too() -> None:
    (report,) = trips(BridgedPair(delay="10ms"), is_on_time)
    assert report.asked_rtt_ms == 40


def test_rate_and_delay_work_together() -> None:
    def look(network: Network) -> tuple[list[DirectionReport], list[PathReport]]:
        access = network.host("h1").access
        return measure([own_load(network, access), own_load(network, access.peer)], 1.0), check_paths(network)

    for _ in attempts():
        rates, (path,) = on_network(Star(n=2, up=8_000_000, down=8_000_000, delay=20), look)
        if all(report.within(0.05) for report in rates) and is_on_time(path):
            break
    assert [report.steady_ratio for report in rates] == pytest.approx([1, 1], abs=0.05)
    assert [report.wire_ratio for report in rates] == pytest.approx([1, 1], abs=0.05)
    assert path.rtt_min_ms == pytest.approx(80, abs=2)
