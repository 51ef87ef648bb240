"""The models are consistent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.theory.models import (
    FluidModel,
    chunked_time,
    free_ride_share,
    sharing_effectiveness,
)

RATES = st.floats(0.01, 100)


@given(
    st.builds(
        FluidModel,
        arrivals=RATES,
        upload=RATES,
        download=RATES,
        aborts=st.one_of(st.just(0.0), RATES),
        seed_departures=RATES,
        effectiveness=st.floats(0.1, 1.0),
    )
)
def test_steady_state_is_constant(model: FluidModel) -> None:
    leechers, seeds = model.steady_state()
    assert model.change(leechers, seeds) == pytest.approx((0, 0), abs=1e-6 * model.arrivals)
    assert model.mean_download_time() * model.arrivals == pytest.approx(leechers)


def test_steady_state_of_known_model() -> None:
    model = FluidModel(arrivals=6, upload=1, download=10, seed_departures=2)
    assert model.mean_download_time() == 0.5
    assert model.steady_state() == (3, 3)


def test_seeds_that_stay_forever_have_no_steady_state() -> None:
    with pytest.raises(ValueError, match="no steady state"):
        FluidModel(arrivals=1, upload=2, seed_departures=1).steady_state()


def test_empty_swarm_completes_nothing() -> None:
    assert FluidModel(arrivals=1, upload=2, seed_departures=1).completions(0, 0) == 0


@pytest.mark.parametrize(
    ("peers", "pieces", "time"), [(1, 1, 1), (2, 1, 2), (3, 1, 2), (8, 3, 2), (31, 4, 2), (32, 5, 2)]
)
def test_chunked_time_matches_formula(peers: int, pieces: int, time: float) -> None:
    assert chunked_time(peers, pieces) == time


def test_smaller_pieces_never_take_longer() -> None:
    times = [chunked_time(30, pieces) for pieces in range(1, 1000)]
    assert times == sorted(times, reverse=True)
    assert times[-1] == pytest.approx(1, abs=0.005)


def test_more_pieces_and_neighbours_make_sharing_effective() -> None:
    assert sharing_effectiveness(pieces=1000, neighbours=1) < sharing_effectiveness(pieces=1000, neighbours=4)
    assert sharing_effectiveness(pieces=1000, neighbours=4) == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("numbers", [(0, 1), (1, 0)])
def test_chunked_time_needs_peers_and_pieces(numbers: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least one peer and one piece"):
        chunked_time(*numbers)
    with pytest.raises(ValueError, match="at least one piece"):
        sharing_effectiveness(0, 1)


def test_free_rider_gets_the_optimistic_slot() -> None:
    assert (free_ride_share(4), free_ride_share(3)) == (0.2, 0.25)
