"""The language of expectations and conditions, evaluated on rows."""

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.experiment.language.expectations import evaluate
from testbed.experiment.language.expressions import (
    ExpressionError,
    parse_condition,
    parse_expectation,
    percentile,
    read_value,
)

ROWS = [
    {"distribution": "bittorrent", "ratio": 1.1, "servers.up": "8 Mbit/s", "N": 5},
    {"distribution": "bittorrent", "ratio": 1.3, "servers.up": "16 Mbit/s", "N": 10},
    {"distribution": "fluid", "ratio": 1.02, "servers.up": "8 Mbit/s", "N": 5},
    {"distribution": "fluid", "ratio": None, "servers.up": "16 Mbit/s", "N": 10, "reason": "stopped"},
    {"distribution": "client-server", "ratio": nan, "servers.up": "16 Mbit/s", "N": 10},
]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("ratio.mean < 1.3 where distribution = bittorrent", True),
        ("ratio.mean < 1.2 where distribution = bittorrent", False),
        ("1 <= ratio.min <= ratio.median <= ratio.p95 <= ratio.max <= 1.3", True),
        ("ratio.max = 1.3", True),
        ("ratio.max != 1.3", False),
        ("ratio.max < 2 * ratio.min", True),
        ("ratio.max < 0.5 * 2 * ratio.min", False),
        ("ratio.count = 3", True),
        ("count = 5", True),
        ("count = 2 where distribution in (fluid, 'no such')", True),
        ("count = 3 where distribution = bittorrent or N >= 10 and not distribution = fluid", True),
        ("count = 2 where (distribution = bittorrent or N >= 10) and ratio > 0", True),
        ("count = 2 where servers.up = 8000 kbit/s", True),
        ("count = 3 where servers.up > 1 MB/s", True),
        ("count = 1 where reason = stopped", True),
        ("count = 0 where distribution > 3", True),
        ("count = 5 where distribution != 3", True),
        ('count = 2 where distribution = "fluid"', True),
        ("N.p95 > 5 s", True),
        ("N.min > -1", True),
    ],
)
def test_expectation_holds_or_fails(text: str, holds: bool) -> None:
    (outcome,) = evaluate([text], ROWS)
    assert outcome.holds is holds, outcome.found


def test_outcome_has_the_measured_values() -> None:
    good, bad = evaluate(["ratio.mean < 1.3 where distribution = bittorrent", "ratio.max < 1"], ROWS)
    assert str(good) == ("as expected: ratio.mean < 1.3 where distribution = bittorrent (ratio.mean = 1.2 of 2 rows)")
    assert str(bad) == "NOT as expected: ratio.max < 1 (ratio.max = 1.3 of 5 rows)"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ratio.mean < 2 where distribution = none", "ratio.mean = nan: none of the 0 rows has a number"),
        ("reason.mean < 2", "reason.mean = nan: none of the 5 rows has a number"),
        ("ratoi.mean < 2", "there is no column 'ratoi' (did you mean ratio?)"),
        ("count = 0 where verdict = suspect", "there is no column 'verdict'"),
    ],
)
def test_expectation_without_measurement_fails(text: str, found: str) -> None:
    (outcome,) = evaluate([text], ROWS)
    assert (outcome.holds, outcome.found) == (False, found)


def test_expectation_without_rows_fails() -> None:
    (outcome,) = evaluate(["count = 0"], [])
    assert outcome.holds
    (outcome,) = evaluate(["ratio.count = 0"], [])
    assert (outcome.holds, outcome.found) == (False, "there are no rows")


@pytest.mark.parametrize(
    ("text", "offset", "says"),
    [
        ("", 0, "expected a number, or a column and an aggregate such as payload_ratio.mean, found the end"),
        ("ratio.mean", 10, "expected a comparison: =, !=, <, <=, > or >=, found the end"),
        ("ratio.mean < 1 wehre x = y", 15, "expected `where`, a comparison or the end, found 'wehre'"),
        ("ratio.mean < 1 where x", 22, "expected =, !=, <, <=, >, >= or in, found the end"),
        ("ratio.mean < 1 where x = ", 24, "expected a value, such as 8 Mbit/s or bittorrent, found the end"),
        ("ratio.mean < 1 where (x = 1", 27, "expected `)`, found the end"),
        ("ratio.mean < 1 where x in 1", 26, "expected `(`, found '1'"),
        ("ratio.mean < 1 where x = 1 y", 27, "expected `where`, a comparison or the end, found 'y'"),
        ("ratio.mean < 1 ; ", 15, "';' is not allowed here"),
        ("mean < 1", 0, "'mean' has no aggregate: write mean. and one of mean, median, min, max, p95 or count"),
        ("1 < 2", 0, "it compares no measured value: write a column and an aggregate, such as payload_ratio.mean"),
        (
            "ratio.mean < 'x'",
            13,
            "expected a number, or a column and an aggregate such as payload_ratio.mean, found \"'x'\"",
        ),
    ],
)
def test_syntax_error_has_its_position(text: str, offset: int, says: str) -> None:
    with pytest.raises(ExpressionError) as error:
        parse_expectation(text)
    assert (error.value.offset, str(error.value)) == (offset, says)


def test_text_after_condition_is_refused() -> None:
    with pytest.raises(ExpressionError, match=r"expected `and`, `or` or the end, found 'where'"):
        parse_condition("x = 1 where y = 2")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (5, 5.0),
        ("5", 5.0),
        ("-5.5", -5.5),
        ("8 Mbit/s", 8e6),
        ("4MiB", 4 * 2.0**20),
        ("90 min", 5400.0),
        ("5 /min", 5 / 60),
        ("50 %", 50.0),
        ("8 Mb/s", "8 Mb/s"),
        ("client-server", "client-server"),
        ('{"class": "bittyrant", "excess": "withheld"}', "bittyrant, excess withheld"),
        ({"class": "bittyrant", "excess": "withheld"}, "bittyrant, excess withheld"),
        ([1, 2], "[1, 2]"),
        (True, "true"),
        ("", None),
        (None, None),
        (nan, None),
    ],
)
def test_quantities_are_compared_by_value(written: object, read: object) -> None:
    assert read_value(written) == (pytest.approx(read) if isinstance(read, float) else read)


@pytest.mark.parametrize("written", ['"bitthief, connections 4"', """'{"class": "bitthief", "connections": 4}'"""])
def test_strategy_with_parameters_matches_both_notations(written: str) -> None:
    condition = parse_condition(f"strategy = {written}")
    assert condition.holds({"strategy": {"class": "bitthief", "connections": 4}})
    assert condition.holds({"strategy": '{"class": "bitthief", "connections": 4}'})
    assert not condition.holds({"strategy": {"class": "bitthief", "connections": 20}})
    assert not condition.holds({"strategy": "bitthief"})


@given(st.text(alphabet="ab.=<>!()*,'\" 15swherenotandori%/", max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    offsets = []
    for parse in (parse_condition, parse_expectation):
        try:
            parse(text)
        except ExpressionError as error:
            offsets.append(error.offset)
    assert all(0 <= offset <= len(text) for offset in offsets)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 100))
def test_percentile_is_between_minimum_and_maximum(values: list[float], percent: float) -> None:
    assert min(values) <= percentile(values, percent) <= max(values)


def test_percentiles_of_one_to_hundred() -> None:
    numbers = [float(k) for k in range(101)]
    assert [percentile(numbers, percent) for percent in (0, 50, 95, 100)] == [0, 50, 95, 100]
