"""Quantities are read exactly, written without loss, and refused if they are ambiguous."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from testbed.values.units import (
    DURATION,
    RATE,
    SIZE,
    UnitError,
    format_duration,
    format_frequency,
    format_percentage,
    format_rate,
    format_size,
    kind_of,
    parse_duration,
    parse_frequency,
    parse_in,
    parse_percentage,
    parse_rate,
    parse_size,
    rounded_rate,
)

SECONDS = st.floats(min_value=1e-9, max_value=1e9)


@pytest.mark.parametrize(
    ("text", "bits_per_second"),
    [
        ("8 Mbit/s", 8_000_000),
        ("8Mbit/s", 8_000_000),
        ("  8   Mbit/s ", 8_000_000),
        ("1.5 Mbit/s", 1_500_000),
        ("0.000001 Mbit/s", 1),
        ("56 kbit/s", 56_000),
        ("1 Gbit/s", 10**9),
        ("1 bit/s", 1),
        ("8 MB/s", 64_000_000),
        ("1 KiB/s", 8192),
        ("1 Mibit/s", 1_048_576),
        ("0 bit/s", 0),
    ],
)
def test_rate_is_read_in_whole_bits_per_second(text: str, bits_per_second: int) -> None:
    assert parse_rate(text) == bits_per_second
    assert isinstance(parse_rate(text), int)


@pytest.mark.parametrize(
    ("text", "size"),
    [("32 MiB", 2**25), ("32 MB", 32_000_000), ("1 Mbit", 125_000), ("8 bit", 1), ("0.5 KiB", 512), ("1 TiB", 2**40)],
)
def test_size_is_read_in_whole_bytes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("20 ms", 0.02), ("1.5 s", 1.5), ("2 min", 120), ("1 h", 3600), ("5 us", 5e-6), ("5 µs", 5e-6)],
)
def test_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


def test_percentages_and_frequencies_are_read() -> None:
    assert parse_percentage("1 %") == 1
    assert parse_percentage("0.5%") == 0.5
    assert parse_frequency("30 /min") == 0.5
    assert parse_frequency("5 /min") == 5 / 60


def test_quantity_can_be_read_in_any_unit() -> None:
    assert parse_in("ms", "1.5 s") == 1500
    assert parse_in("ms", "0.1 ms") == 0.1
    assert isinstance(parse_in("bit/s", "8 Mbit/s"), int)
    with pytest.raises(LookupError, match="furlong"):
        parse_in("furlong", "1 furlong")


def test_decimal_fractions_are_exact() -> None:
    assert parse_rate("0.29 Gbit/s") == 290_000_000  # 0.29 * 1e9 is 289999999.99999994


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("8", "has no unit: write 8 bit/s, 8 kbit/s, 8 Mbit/s or 8 Gbit/s"),
        ("8 Mb/s", "write Mbit/s or MB/s"),
        ("8 mb/s", "write Mbit/s or MB/s"),
        ("8 Mbps", "write Mbit/s or MB/s"),
        ("8 KB/s", "write kbit/s or kB/s"),
        ("8 M", "write Mbit/s or MB/s"),
        ("8 kBit/s", "did you mean kbit/s?"),
        ("8 Kbit/s", "did you mean kbit/s?"),
        ("8 mbit/s", "did you mean Mbit/s?"),
        ("8 Mbits/s", "did you mean Mbit/s?"),
        ("8 parsec", "has no known unit: a rate is in bit/s, kbit/s, Mbit/s or Gbit/s"),
        ("8 ms", "is a duration, not a rate"),
        ("8 Mbit", "is a size, not a rate"),
        ("0.5 bit/s", "it must be a whole number of bit/s"),
        ("-8 Mbit/s", "is not a rate: write a number and a unit, such as 8 Mbit/s"),
        ("1,5 Mbit/s", "is not a rate"),
        ("1e6 bit/s", "has no known unit"),
        ("nan bit/s", "is not a rate"),
        ("", "is not a rate"),
        ("fast", "is not a rate"),
        ("9" * 5000 + " bit/s", "is not a rate"),
    ],
)
def test_invalid_rate_is_refused_with_possible_units(text: str, says: str) -> None:
    with pytest.raises(UnitError) as refusal:
        parse_rate(text)
    assert says in str(refusal.value)
    assert refusal.value.found == text
    assert set(refusal.value.possible) <= set(RATE.units)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("32", "has no unit"),
        ("32 KB", "write kB, KiB or kbit"),
        ("32 Mb", "write MB, MiB or Mbit"),
        ("1 bit", "is 0.125 B: it must be a whole number of B"),
        ("1 Mbit/s", "is a rate, not a size"),
    ],
)
def test_invalid_size_is_refused(text: str, says: str) -> None:
    with pytest.raises(UnitError) as refusal:
        parse_size(text)
    assert says in str(refusal.value)
    assert set(refusal.value.possible) <= set(SIZE.units)


@pytest.mark.parametrize(
    ("text", "says"),
    [("5", "has no unit"), ("5 m", "write ms or min"), ("5 sec", "did you mean s?"), ("5 MS", "did you mean ms?")],
)
def test_invalid_duration_is_refused(text: str, says: str) -> None:
    with pytest.raises(UnitError) as refusal:
        parse_duration(text)
    assert says in str(refusal.value)
    assert set(refusal.value.possible) <= set(DURATION.units)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (format_rate(8_000_000), "8 Mbit/s"),
        (format_rate(56_000), "56 kbit/s"),
        (format_rate(1_500_000), "1.5 Mbit/s"),
        (format_rate(1_234_567), "1234567 bit/s"),
        (format_rate(0), "0 bit/s"),
        (format_size(2**25), "32 MiB"),
        (format_size(10**6), "1 MB"),
        (format_size(3 * 2**19), "1.5 MiB"),
        (format_duration(0.02), "20 ms"),
        (format_duration(0.5), "500 ms"),
        (format_duration(90), "90 s"),
        (format_duration(3600), "1 h"),
        (format_percentage(1.0), "1 %"),
        (format_frequency(5 / 60), "5 /min"),
        (format_frequency(2.0), "2 /s"),
    ],
)
def test_quantity_is_written_in_shortest_unit(written: str, text: str) -> None:
    assert written == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (26_616_584, "26.6 Mbit/s"),
        (8_000_000, "8 Mbit/s"),
        (999_600, "1 Mbit/s"),
        (135_200_000.5, "135 Mbit/s"),
        (56_040, "56 kbit/s"),
        (5e12, "5000 Gbit/s"),
        (12.34, "12.3 bit/s"),
        (0, "0 bit/s"),
    ],
)
def test_rounded_rate_has_three_digits(rate: float, text: str) -> None:
    assert rounded_rate(rate) == text


@pytest.mark.parametrize("number", [-1.0, float("inf"), float("nan")])
def test_invalid_number_is_not_formatted(number: float) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        format_duration(number)


@given(st.integers(min_value=0, max_value=10**15))
@example(10**15 - 1)
def test_rates_and_sizes_survive_round_trip(whole: int) -> None:
    assert parse_rate(format_rate(whole)) == whole
    assert parse_size(format_size(whole)) == whole


@given(SECONDS)
@example(0.0)
@example(1 / 3)
def test_other_quantities_survive_round_trip(number: float) -> None:
    assert parse_duration(format_duration(number)) == number
    assert parse_percentage(format_percentage(number)) == number
    assert parse_frequency(format_frequency(number)) == number


@given(st.text())
def test_any_other_text_raises_unit_error(text: str) -> None:
    assume(not text.strip()[:1].isdigit())
    with pytest.raises(UnitError):
        parse_rate(text)


def test_every_unit_has_one_kind() -> None:
    kinds = [kind_of(unit) for unit in ("Mbit/s", "MiB", "ms", "%", "/min")]
    assert [kind.name for kind in kinds if kind] == ["rate", "size", "duration", "percentage", "frequency"]
    assert kind_of("Mb/s") is None
