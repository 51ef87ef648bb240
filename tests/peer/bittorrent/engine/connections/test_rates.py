"""A rate is the bytes within the window over the time that they took."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.engine.connections.rates import SLICES, Rate

WINDOW = 20.0
BLOCK = 16 << 10

MOMENTS = st.lists(st.tuples(st.floats(0, 30), st.integers(0, 1 << 20)), max_size=60)
"""Steps of time, and the bytes that move after each."""
WINDOWS = st.floats(0.01, 100)


def flow(rate: Rate, bytes_per_second: float, begin: float, end: float) -> None:
    """Add blocks at an even pace."""
    count = round((end - begin) * bytes_per_second / BLOCK)
    for number in range(1, count + 1):
        rate.add(BLOCK, begin + number * BLOCK / bytes_per_second)


@given(st.floats(5 * BLOCK, 2000 * BLOCK), st.floats(1, 100), st.floats(0, 1e6))
def test_a_constant_flow_reads_as_that_flow(bytes_per_second: float, seconds: float, begin: float) -> None:
    rate = Rate(WINDOW, since=begin)
    flow(rate, bytes_per_second, begin, begin + seconds)
    a_block_more_or_less = BLOCK / min(seconds, WINDOW - WINDOW / SLICES)
    assert rate.read(begin + seconds) == pytest.approx(bytes_per_second, rel=1e-6, abs=1.5 * a_block_more_or_less)


def test_three_seconds_of_flow_are_measured_over_three() -> None:
    rate = Rate(WINDOW, since=100)
    rate.add(3_000, 101)
    assert rate.read(103) == 1_000


def test_without_a_beginning_the_first_reading_is_one() -> None:
    rate = Rate(WINDOW)
    assert rate.read(100) == 0
    rate.add(4_000, 102)
    assert rate.read(104) == 1_000


def test_first_block_does_not_look_like_a_flood() -> None:
    rate = Rate(WINDOW)
    rate.add(BLOCK, 100)
    assert rate.read(100) == BLOCK


def test_change_of_pace_shows_fully_after_one_window() -> None:
    rate = Rate(WINDOW, since=0)
    flow(rate, 100 * BLOCK, 0, 40)
    flow(rate, 10 * BLOCK, 40, 60)
    assert rate.read(60) == pytest.approx(10 * BLOCK, rel=0.01)


@given(WINDOWS, st.integers(1, 1 << 30), MOMENTS)
def test_a_burst_fades_within_the_window(window: float, burst: int, before: list[tuple[float, int]]) -> None:
    rate, now = Rate(window), 0.0
    for step, count in before:
        now += step
        rate.add(count, now)
    rate.add(burst, now)
    assert rate.read(now + window / 2) > 0
    assert rate.read(now + window * 1.000001) == 0
    assert rate.total == burst + sum(count for _, count in before)


@given(WINDOWS, MOMENTS)
def test_rate_lies_between_zero_and_one_slice(window: float, moments: list[tuple[float, int]]) -> None:
    rate, now = Rate(window), 0.0
    for step, count in moments:
        now += step
        rate.add(count, now)
        assert 0 <= rate.read(now) <= rate.total / (window / SLICES)


@given(WINDOWS, MOMENTS, st.integers(0, 59))
def test_reading_changes_nothing(window: float, moments: list[tuple[float, int]], every: int) -> None:
    read, unread, now = Rate(window, since=0), Rate(window, since=0), 0.0
    for number, (step, count) in enumerate(moments):
        now += step
        read.add(count, now)
        unread.add(count, now)
        if number % (every + 1) == 0:
            read.read(now)
    assert read.read(now) == unread.read(now)


def test_years_of_silence_cost_no_memory_or_time() -> None:
    rate = Rate(1e-3, since=0)
    rate.add(BLOCK, 0)
    assert rate.read(1e9) == 0
    assert len(rate._notes) == SLICES
