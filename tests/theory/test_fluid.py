"""The fluid scheme: no link is overloaded, and all peers complete at the bound."""

import pytest
from hypothesis import given

from testbed.theory import (
    Downloader,
    FluidRates,
    Swarm,
    fluid_rates,
    link_loads,
    p2p_bound,
)
from tests.theory.swarms import swarms


@given(swarms())
def test_streams_overload_no_link(swarm: Swarm) -> None:
    assert link_loads(fluid_rates(swarm), swarm).is_feasible()


@given(swarms())
def test_streams_complete_exactly_at_the_bound(swarm: Swarm) -> None:
    assert swarm.size / fluid_rates(swarm).received == pytest.approx(p2p_bound(swarm).seconds)


@given(swarms())
def test_no_stream_is_negative(swarm: Swarm) -> None:
    rates = fluid_rates(swarm)
    assert min(rates.direct, *rates.relayed) >= 0


@pytest.mark.parametrize(
    ("server", "slowest", "expected"),
    [
        (6, 100, FluidRates("server", relayed=(1, 2, 3), direct=0)),
        (30, 100, FluidRates("uploads", relayed=(3, 6, 9), direct=4)),
        (30, 11, FluidRates("download", relayed=(1.5, 3, 4.5), direct=2)),
        (6, 3, FluidRates("download", relayed=(0.5, 1, 1.5), direct=0)),
    ],
)
def test_known_rates_in_three_regimes(server: int, slowest: int, expected: FluidRates) -> None:
    rates = fluid_rates(Swarm(100, server, tuple(Downloader(up, slowest) for up in (6, 12, 18))))
    assert rates.limit == expected.limit
    assert rates.relayed == pytest.approx(expected.relayed)
    assert rates.direct == pytest.approx(expected.direct)


def test_single_peer_takes_all_from_server() -> None:
    assert fluid_rates(Swarm(100, 10, (Downloader(0),))).received == 10


def test_peers_without_upload_share_the_server() -> None:
    assert fluid_rates(Swarm(100, 10, (Downloader(0), Downloader(0)))) == FluidRates("uploads", (0.0, 0.0), 5.0)


def test_overloaded_link_is_not_feasible() -> None:
    swarm = Swarm(100, 10, (Downloader(5, 20), Downloader(5, 20)))
    assert link_loads(FluidRates("uploads", (5.0, 5.0), 0.0), swarm).is_feasible()
    assert not link_loads(FluidRates("uploads", (5.1, 4.9), 0.0), swarm).is_feasible()
    assert not link_loads(FluidRates("uploads", (5.0, 5.0), 0.1), swarm).is_feasible()
    assert not link_loads(FluidRates("uploads", (5.0, 5.0), 0.0), Swarm(100, 10, (Downloader(5, 9),) * 2)).is_feasible()
