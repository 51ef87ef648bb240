"""Link parameters in Mininet's notation: how they are read, and which are refused."""

import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from testbed.network.links.shape import (
    FRAME_BYTES,
    MAX_RATE,
    MIN_RATE,
    QUEUE_DEFAULTS,
    Impairment,
    Shape,
    ShapeError,
    Side,
)

RATES = st.integers(MIN_RATE // 8, MAX_RATE // 8).map(lambda bytes_per_second: 8 * bytes_per_second)
LADDER = [56_000, 1_000_000, 8_000_000, 48_440_000, 48_448_000, 100_000_000, 500_000_000, 1_000_000_000]


def test_mininet_parameters_are_read() -> None:
    parameters = {"bw": 8, "delay": "20ms", "jitter": "500us", "loss": 2.5, "queue_ms": 100, "acks": "shared"}
    assert Shape.from_mininet(parameters, "host") == Shape(
        rate=8_000_000,
        queue_bytes=100_000,
        acks="shared",
        impairment=Impairment(delay_us=20_000, jitter_us=500, loss=0.025),
    )


def test_empty_parameters_mean_no_limits() -> None:
    for parameters in ({}, {"bw": None, "delay": None, "jitter": None, "loss": None, "acks": None}):
        shape = Shape.from_mininet(parameters, "host")
        assert shape == Shape()
        assert shape.rate is shape.gso_segments is None
        assert not shape.impairment
        with pytest.raises(ShapeError, match="has no burst"):
            _ = shape.burst_bytes


@given(RATES)
@example(MIN_RATE)
@example(MAX_RATE)
def test_rates_in_range_are_read_exactly(rate: int) -> None:
    assert Shape.from_mininet({"bw": rate / 1e6}, "host").rate == rate


@given(st.integers(MIN_RATE, MAX_RATE).filter(lambda rate: rate % 8))
def test_fractional_byte_rate_is_refused_with_alternatives(rate: int) -> None:
    with pytest.raises(ShapeError, match="not a multiple of 8") as refusal:
        Shape.from_mininet({"bw": rate / 1e6}, "core")
    low, high = map(int, re.findall(r"\d+", str(refusal.value))[-2:])
    assert low < rate < high == low + 8
    assert {Shape(rate=low).rate, Shape(rate=high).rate} == {low, high}


@pytest.mark.parametrize(
    "bw", [0, 1e-6, 0.055, 1000.000008, 100_000, -1, math.nan, math.inf, -math.inf, "8", "8 Mbit/s", True, [8]]
)
def test_impossible_rate_is_refused_with_range(bw: object) -> None:
    with pytest.raises(ShapeError, match=r"^(bw|rate) .*: write (56 kbit/s to 1 Gbit/s|a number)$"):
        Shape.from_mininet({"bw": bw}, "host")


@pytest.mark.parametrize("rate", [0, 1, -8, MIN_RATE - 8, MAX_RATE + 8, 100_000_000_000])
def test_rate_outside_kernel_range_is_refused(rate: int) -> None:
    with pytest.raises(ShapeError, match="write 56 kbit/s to 1 Gbit/s"):
        Shape(rate=rate)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"delay": 20}, "delay 20: write a number with its unit, like '20ms' (us, ms, s)"),
        ({"delay": "20"}, "delay '20': write a number with its unit"),
        ({"delay": "ms"}, "delay 'ms': write a number with its unit"),
        ({"delay": "1.2.3ms"}, "delay '1.2.3ms': write a number with its unit"),
        ({"delay": "nanms"}, "delay 'nanms': write a number with its unit"),
        ({"delay": "1e999s"}, "delay '1e999s': write a number with its unit"),
        ({"delay": "5min"}, "delay '5min': write a number with its unit"),
        ({"delay": "-1ms"}, "delay_us is -1000; it must be a whole number of microseconds from 0 to 60000000"),
        ({"delay": "61s"}, "delay_us is 61000000; it must be a whole number of microseconds from 0 to 60000000"),
        ({"jitter": "fast"}, "jitter 'fast': write a number with its unit"),
        ({"loss": -1}, "it must be a probability from 0 to 1"),
        ({"loss": 101}, "it must be a probability from 0 to 1"),
        ({"loss": math.nan}, "loss nan: write a number"),
        ({"loss": "1%"}, "loss '1%': write a number"),
        ({"bw": 8, "queue_ms": 0}, "queue of 0 bytes: it must be more than 0 bytes and at most 1 GiB"),
        ({"bw": 8, "queue_ms": -1}, "it must be more than 0 bytes and at most 1 GiB"),
        ({"bw": 8, "queue_ms": math.inf}, "it must be more than 0 bytes and at most 1 GiB"),
        ({"bw": 8, "queue_ms": "100ms"}, "queue_ms '100ms': write a number"),
        ({"queue_ms": "100ms"}, "queue_ms '100ms': write a number"),
        ({"bw": 8, "max_queue_size": 0}, "it must be more than 0 bytes and at most 1 GiB"),
        ({"bw": 8, "max_queue_size": True}, "max_queue_size True: write a number"),
        ({"acks": "fast"}, "acks 'fast': write 'priority' or 'shared'"),
        ({"use_htb": True}, "unknown link parameter 'use_htb': write one of bw, delay, jitter, loss, max_queue_size"),
    ],
)
def test_invalid_parameter_is_refused_with_alternatives(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ShapeError, match=re.escape(message)):
        Shape.from_mininet(parameters, "host")


@pytest.mark.parametrize(
    ("text", "microseconds"), [("20ms", 20_000), ("1.5ms", 1500), ("7us", 7), ("0.25s", 250_000), ("0ms", 0)]
)
def test_times_have_tc_notation(text: str, microseconds: int) -> None:
    assert Shape.from_mininet({"delay": text, "jitter": text}, "core").impairment == Impairment(
        delay_us=microseconds, jitter_us=microseconds
    )


@pytest.mark.parametrize("rate", LADDER)
@pytest.mark.parametrize("side", ["host", "core"])
def test_default_queue_has_minimum_time_and_bytes(rate: int, side: Side) -> None:
    default = QUEUE_DEFAULTS[side]
    shape = Shape.from_mininet({"bw": rate / 1e6}, side)
    milliseconds = shape.queue_bytes * 8000 / rate
    assert shape.queue_bytes >= default.least_bytes
    assert milliseconds >= default.milliseconds - 1e-9
    assert shape.queue_bytes == default.least_bytes or milliseconds == pytest.approx(default.milliseconds)


def test_queue_length_in_milliseconds_or_packets() -> None:
    assert Shape.from_mininet({"bw": 8, "queue_ms": 50}, "host").queue_bytes == 50_000
    assert Shape.from_mininet({"bw": 8, "queue_ms": 50}, "core").queue_bytes == 50_000
    assert Shape.from_mininet({"bw": 8, "max_queue_size": 10}, "core").queue_bytes == 10 * FRAME_BYTES


def test_queue_holds_at_least_two_frames() -> None:
    assert Shape.from_mininet({"bw": 1, "queue_ms": 0.1}, "host").queue_bytes == 2 * FRAME_BYTES


@given(RATES)
@example(MIN_RATE)
@example(MAX_RATE)
def test_super_packet_takes_at_most_one_millisecond(rate: int) -> None:
    segments = Shape(rate=rate).gso_segments
    assert segments is not None
    assert segments == 1 or segments * FRAME_BYTES * 8 / rate <= 0.001


@given(RATES)
@example(MIN_RATE)
def test_burst_lets_super_packet_pass(rate: int) -> None:
    shape = Shape(rate=rate)
    assert shape.burst_bytes == 2 * FRAME_BYTES or shape.burst_bytes * 8 / rate <= 0.001
    assert shape.burst_bytes >= 2 * FRAME_BYTES
    assert shape.burst_bytes >= (shape.gso_segments or 0) * FRAME_BYTES


def test_super_packets_grow_with_the_rate() -> None:
    assert [Shape(rate=rate).gso_segments for rate in LADDER] == [1, 1, 1, 1, 2, 4, 20, 41]


@pytest.mark.parametrize(
    ("impairment", "is_random"),
    [
        (Impairment(delay_us=1000), False),
        (Impairment(delay_us=1000, jitter_us=1), True),
        (Impairment(loss=0.01), True),
    ],
)
def test_random_impairments_forbid_super_packets(impairment: Impairment, is_random: bool) -> None:
    assert impairment.is_random is is_random
    for rate, without in ((None, None), (1_000_000_000, 41)):
        assert Shape(rate=rate, impairment=impairment).gso_segments == (1 if is_random else without)
