"""Compare results with expectations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan

from testbed.experiment.language.aggregates import Aggregate, Expectation
from testbed.experiment.language.conditions import COMPARE
from testbed.experiment.language.expressions import parse_expectation
from testbed.values.findings import did_you_mean


@dataclass(frozen=True, slots=True)
class Outcome:
    """One expectation, and whether it holds."""

    text: str
    holds: bool
    found: str
    """The measured numbers, or why there are none."""
    rows: int
    """The number of rows that it is about."""

    def __str__(self) -> str:
        return f"{'as expected' if self.holds else 'NOT as expected'}: {self.text} ({self.found})"


@dataclass(frozen=True, slots=True)
class _Measured:
    """An aggregate, its number, and how many rows it is made from."""

    aggregate: Aggregate
    number: float
    rows: int

    def __str__(self) -> str:
        return f"{self.aggregate} = {'-' if isnan(self.number) else f'{self.number:.6g}'}"


def evaluate(expectations: Sequence[str | Expectation], rows: Sequence[Mapping[str, object]]) -> list[Outcome]:
    """Evaluate each expectation on the rows; without a measured value, it does not hold."""
    parsed = [parse_expectation(each) if isinstance(each, str) else each for each in expectations]
    return [_outcome(expectation, rows) for expectation in parsed]


def _outcome(expectation: Expectation, rows: Sequence[Mapping[str, object]]) -> Outcome:
    if unknown := _unknown_column(expectation, rows):
        return Outcome(expectation.text, holds=False, found=unknown, rows=len(rows))
    where = expectation.where
    chosen = [row for row in rows if where is None or where.holds(row)]
    measured = [_Measured(each, each.of(chosen), len(each.rows(chosen))) for each in expectation.aggregates]
    is_known = not any(isnan(each.number) for each in measured)
    holds = is_known and _holds(expectation, chosen)
    has_sides = any(aggregate.text for aggregate in expectation.aggregates)
    found = _found_in_sides(measured) if has_sides else _found(measured)
    return Outcome(expectation.text, holds, found, rows=min(each.rows for each in measured))


def _found(measured: Sequence[_Measured]) -> str:
    """Describe numbers that are all made from the same rows."""
    numbers, rows = ", ".join(dict.fromkeys(map(str, measured))), measured[0].rows
    if not rows and any(isnan(each.number) for each in measured):
        return f"{numbers}: there are no rows"
    if any(isnan(each.number) for each in measured):
        return f"{numbers}: none of the {rows} rows has a number"
    return f"{numbers} of {rows} rows"


def _found_in_sides(measured: Sequence[_Measured]) -> str:
    """Describe numbers that have rows of their own."""
    numbers = ", ".join(dict.fromkeys(f"{each} of {each.rows} rows" for each in measured))
    missing = dict.fromkeys(str(each.aggregate) for each in measured if isnan(each.number))
    return f"{numbers}: no row of {', '.join(missing)} has a number" if missing else numbers


def _holds(expectation: Expectation, rows: Sequence[Mapping[str, object]]) -> bool:
    values = [product.of(rows) for product in expectation.products]
    comparisons = zip(values, expectation.signs, values[1:], strict=False)
    return all(COMPARE[sign](left, right) for left, sign, right in comparisons)


def _unknown_column(expectation: Expectation, rows: Sequence[Mapping[str, object]]) -> str:
    known = dict.fromkeys(column for row in rows for column in row)
    for column in expectation.columns:
        if column not in known:
            return f"there is no column {column!r}{did_you_mean(column, known)}" if known else "there are no rows"
    return ""
