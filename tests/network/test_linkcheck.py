"""The check of a whole network: which directions and paths it measures, and when they pass."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from mininet.topo import Topo

from testbed.network import Network
from testbed.network.build.fabric import Fabric
from testbed.network.check.linkcheck import (
    PathReport,
    check_paths,
    check_rates,
    one_of_each_kind,
    shaped_directions,
)
from testbed.network.check.measure import DirectionReport
from topologies.star import Star
from topologies.two_isps import TwoIsps

OnNetwork = Callable[..., Any]
Read = Callable[[Topo], Fabric]

EXACT = DirectionReport(
    link="h1-eth0 - s1-eth1",
    direction="up",
    streams=1,
    asked_bps=8_000_000,
    payload_bps=7_651_255,
    wire_ratio=1,
    steady_ratio=1,
    first_second_ratio=1,
    low_ratio=1,
    high_ratio=1,
    peak_ratio=1,
    queue_mean_ms=1,
    queue_max_ms=1,
)
TRIP = PathReport(
    path="h1 - h2",
    asked_rtt_ms=40,
    asked_jitter_ms=0,
    asked_loss=0.1,
    rtt_min_ms=40,
    rtt_median_ms=40,
    rtt_max_ms=40,
    probes=1000,
    lost=100,
)


@pytest.mark.parametrize(("ratio", "within"), [(1.0, True), (0.981, True), (1.019, True), (0.97, False), (1.03, False)])
def test_rate_tolerance_has_two_sides(ratio: float, within: bool) -> None:
    assert replace(EXACT, steady_ratio=ratio).within(0.02) is within


def test_table_calls_the_steady_ratio_payload_ratio() -> None:
    row = replace(EXACT, steady_ratio=0.99).row()
    assert list(row)[5:8] == ["wire_ratio", "payload_ratio", "first_second_ratio"]
    assert row["payload_ratio"] == 0.99


@pytest.mark.parametrize(
    ("changed", "within"),
    [
        ({}, True),
        ({"rtt_median_ms": 41.9}, True),
        ({"rtt_median_ms": 42.1}, False),
        ({"rtt_median_ms": 37.9}, False),
        ({"rtt_median_ms": 44, "asked_jitter_ms": 10}, True),
        ({"rtt_median_ms": float("inf"), "lost": 1000}, False),
        ({"lost": 137}, True),
        ({"lost": 139}, False),
        ({"lost": 61}, False),
        ({"asked_loss": 0.0, "lost": 1}, True),
        ({"asked_loss": 0.0, "lost": 2}, False),
        ({"asked_loss": 1.0, "lost": 1000, "rtt_median_ms": float("inf")}, True),
        ({"asked_loss": 1.0, "lost": 998}, False),
    ],
)
def test_round_trip_and_loss_have_tolerances(changed: dict[str, Any], within: bool) -> None:
    assert replace(TRIP, **changed).within() is within


def test_one_direction_represents_each_kind(described: Read) -> None:
    star = described(Star(n=4, up=[8_000_000, 8_000_000, 2_000_000, 8_000_000], down=8_000_000))
    assert [end.name for end in one_of_each_kind(star.ends)] == ["h1-eth0", "s1-eth1", "h3-eth0"]


@pytest.mark.kernel
def test_directions_without_a_rate_are_not_measured(on_network: OnNetwork) -> None:
    def look(network: Network) -> tuple[list[str], list[DirectionReport], list[PathReport]]:
        names = [end.name for end in shaped_directions(network)]
        return names, check_rates(network, seconds=0.2) if not names else [], check_paths(network)

    assert on_network(Star(n=2), look) == ([], [], [])
    names, _, _ = on_network(Star(n=2, up=[8_000_000, None], down=[None, 1_000_000]), look)
    assert names == ["h1-eth0", "s1-eth2"]


@pytest.mark.kernel
def test_links_are_measured_alone_then_all_together(on_network: OnNetwork) -> None:
    messages: list[str] = []

    def look(network: Network) -> tuple[list[DirectionReport], list[str]]:
        return check_rates(network, seconds=0.2, alone="kinds", tell=messages.append), messages

    reports, messages = on_network(Star(n=2, up=8_000_000), look)
    assert [(report.link.split()[0], report.together) for report in reports] == [
        ("h1-eth0", 1),
        ("h1-eth0", 2),
        ("h2-eth0", 2),
    ]
    assert messages == ["h1-eth0 alone", "all 2 directions at the same time"]


@pytest.mark.kernel
def test_each_kind_of_delayed_path_is_measured_once(on_network: OnNetwork) -> None:
    reports = on_network(TwoIsps(n=2, bottleneck_delay=5), check_paths)
    assert [report.path for report in reports] == ["h2 - h3"]
    assert reports[0].asked_rtt_ms == 10
    assert reports[0].lost == 0
