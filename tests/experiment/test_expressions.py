"""The language of expectations and conditions, evaluated on rows."""

from math import nan
from statistics import fmean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.experiment.language.aggregates import percentile
from testbed.experiment.language.conditions import COMPARE, Comparison
from testbed.experiment.language.expectations import evaluate
from testbed.experiment.language.expressions import parse_condition, parse_expectation
from testbed.experiment.language.tokens import ExpressionError, read_value

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
        ("(ratio.mean where distribution = fluid) < (ratio.mean where distribution = bittorrent)", True),
        ("(ratio.mean where distribution = bittorrent) < (ratio.mean where distribution = fluid)", False),
        ("(ratio.max where N = 5) < 0.9 * (ratio.max where N = 10)", True),
        ("(count where distribution = fluid) = 1 where N = 5", True),
        ("(count where distribution = fluid) < count", True),
        ("(ratio.min where N = 5) <= ratio.min <= (ratio.min where N = 10)", True),
        ("(ratio.max where N = 5 or not (distribution = fluid)) = 1.3 where ratio > 1", True),
    ],
)
def test_expectation_holds_or_fails(text: str, holds: bool) -> None:
    (outcome,) = evaluate([text], ROWS)
    assert outcome.holds is holds, outcome.found


def test_outcome_names_the_rows_of_each_side() -> None:
    text = "(ratio.mean where\n  distribution = fluid) < 2 * (ratio.mean where N = 10) where servers.up > 8 Mbit/s"
    (outcome,) = evaluate([text], [*ROWS, {"distribution": "fluid", "ratio": 1.5, "servers.up": "16 Mbit/s"}])
    assert outcome.found == (
        "(ratio.mean where distribution = fluid) = 1.5 of 2 rows, (ratio.mean where N = 10) = 1.3 of 3 rows"
    )


def test_side_without_number_is_named() -> None:
    (outcome,) = evaluate(["(ratio.mean where N = 5) < (ratio.mean where N = 7)"], ROWS)
    assert not outcome.holds
    assert outcome.found == (
        "(ratio.mean where N = 5) = 1.06 of 2 rows, (ratio.mean where N = 7) = - of 0 rows: no row of"
        " (ratio.mean where N = 7) has a number"
    )


def test_outcome_has_the_measured_values() -> None:
    good, bad = evaluate(["ratio.mean < 1.3 where distribution = bittorrent", "ratio.max < 1"], ROWS)
    assert str(good) == ("as expected: ratio.mean < 1.3 where distribution = bittorrent (ratio.mean = 1.2 of 2 rows)")
    assert str(bad) == "NOT as expected: ratio.max < 1 (ratio.max = 1.3 of 5 rows)"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ratio.mean < 2 where distribution = none", "ratio.mean = -: there are no rows"),
        ("reason.mean < 2", "reason.mean = -: none of the 5 rows has a number"),
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


LAST = (
    "`where` comes last, and selects the rows of all sides; for rows of its own, put a side in brackets, as in"
    " (gain.mean where group = one) < (gain.mean where group = others)"
)
AGGREGATE = "behind the column, write .mean, .median, .min, .max, .p95 or .count"


@pytest.mark.parametrize(
    ("text", "offset", "says"),
    [
        ("", 0, "expected a number, or a column and an aggregate such as payload_ratio.mean, found the end"),
        ("ratio.mean", 10, "expected a comparison: =, !=, <, <=, > or >=, found the end"),
        (
            "ratio.mean < 1 wehre x = y",
            15,
            "expected a comparison, `where` or the end, found 'wehre' (did you mean where?)",
        ),
        ("ratio.mean < 1 where x", 22, "expected =, !=, <, <=, >, >= or in, found the end"),
        ("ratio.mean < 1 where x = ", 24, "expected a value, such as 8 Mbit/s or bittorrent, found the end"),
        ("ratio.mean < 1 where (x = 1", 27, "expected `)`, found the end"),
        ("ratio.mean < 1 where x in 1", 26, "expected `(`, as in `in (one, others)`, found '1'"),
        ("ratio.mean < 1 where x = a y", 27, "expected `and`, `or` or the end, found 'y'"),
        ("ratio.mean < 1 ; ", 15, "';' is not allowed here"),
        ("mean < 1", 0, "'mean' has no column: write one in front of it, such as payload_ratio.mean"),
        ("ratio < 1", 0, f"'ratio' has no aggregate: {AGGREGATE}"),
        ("ratio.avg < 1", 0, f"'ratio.avg' has no aggregate (did you mean ratio.mean?): {AGGREGATE}"),
        ("ratio.maen < 1", 0, f"'ratio.maen' has no aggregate (did you mean ratio.mean?): {AGGREGATE}"),
        ("ratio.std < 1", 0, f"'ratio.std' has no aggregate: {AGGREGATE}"),
        (
            "mean(ratio) < 1",
            0,
            "'mean' is not a function: write the aggregate behind the column, such as payload_ratio.mean",
        ),
        (
            "ratio.mean where x = 1 < ratio.mean where x = 2",
            11,
            f"expected a comparison: =, !=, <, <=, > or >=, found 'where': {LAST}",
        ),
        ("ratio.mean < ratio.mean where x = 1 < 2", 36, f"expected `and`, `or` or the end, found '<': {LAST}"),
        (
            "(ratio.mean) < 1",
            11,
            "expected `where`, found ')': brackets are for a side with rows of its own",
        ),
        ("(ratio.mean where x = 1 < 2", 24, "expected `)`, found '<'"),
        ("(ratio.mean where x = 1) 2", 25, "expected a comparison: =, !=, <, <=, > or >=, found '2'"),
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


GROUPS = st.sampled_from(["one", "others", "third"])
NUMBERS = st.none() | st.floats(-1e6, 1e6)
AGGREGATES = {"mean": fmean, "median": median, "min": min, "max": max, "count": len}


@given(
    st.lists(st.fixed_dictionaries({"group": GROUPS, "x": NUMBERS, "N": st.sampled_from([5, 10])})),
    st.lists(st.tuples(GROUPS, st.sampled_from(sorted(AGGREGATES))), min_size=2, max_size=2),
    st.sampled_from(sorted(COMPARE)),
    st.sampled_from([1, 2, 0.5]),
    st.sampled_from(["", " where N = 5"]),
)
def test_each_side_has_the_rows_of_its_group(
    rows: list[dict[str, object]],
    sides: list[tuple[str, str]],
    sign: str,
    factor: float,
    where: str,
) -> None:
    def number(side: tuple[str, str]) -> float | None:
        group, name = side
        chosen = [row for row in rows if row["group"] == group and (not where or row["N"] == 5)]
        numbers = [float(row["x"]) for row in chosen if isinstance(row["x"], float)]
        return float(AGGREGATES[name](numbers)) if numbers or name == "count" else None

    left, right = (f"(x.{name} where group = {group})" for group, name in sides)
    (outcome,) = evaluate([f"{left} {sign} {factor} * {right}{where}"], rows)
    first, second = map(number, sides)
    is_known = first is not None and second is not None
    assert outcome.holds is (bool(rows) and is_known and COMPARE[sign](first, factor * (second or 0.0)))
    assert (left in outcome.found and right in outcome.found) or not rows


@given(
    st.lists(st.fixed_dictionaries({"verdict": st.sampled_from(["valid", "suspect"]), "x": NUMBERS}), min_size=1),
    st.sampled_from(["x.count", "count", "(x.count where verdict = suspect)", "(count where x > 0)"]),
)
def test_side_that_names_verdict_chooses_its_rows(rows: list[dict[str, object]], side: str) -> None:
    limited = parse_expectation(f"{side} >= 0").limited_to(Comparison("verdict", "=", "valid"))
    (aggregate,) = limited.aggregates
    valid = [row for row in rows if row["verdict"] == "valid"]
    (alone,) = parse_expectation(f"{side} >= 0").aggregates
    assert aggregate.of(rows) == alone.of(rows if "verdict" in side else valid)


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
