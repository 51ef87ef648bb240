"""Compare results with expectations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan

from testbed.experiment.language.expressions import COMPARE, Expectation, parse_expectation
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


def evaluate(expectations: Sequence[str | Expectation], rows: Sequence[Mapping[str, object]]) -> list[Outcome]:
    """Evaluate each expectation on the rows; without a measured value, it does not hold."""
    parsed = [parse_expectation(each) if isinstance(each, str) else each for each in expectations]
    return [_outcome(expectation, rows) for expectation in parsed]


def _outcome(expectation: Expectation, rows: Sequence[Mapping[str, object]]) -> Outcome:
    if unknown := _unknown_column(expectation, rows):
        return Outcome(expectation.text, holds=False, found=unknown, rows=len(rows))
    where = expectation.where
    chosen = [row for row in rows if where is None or where.holds(row)]
    measured = {str(aggregate): aggregate.of(chosen) for aggregate in expectation.aggregates}
    found = ", ".join(f"{name} = {'-' if isnan(value) else f'{value:.6g}'}" for name, value in measured.items())
    if any(isnan(value) for value in measured.values()):
        why = f"{found}: none of the {len(chosen)} rows has a number" if chosen else f"{found}: there are no rows"
        return Outcome(expectation.text, holds=False, found=why, rows=len(chosen))
    found = f"{found} of {len(chosen)} rows"
    return Outcome(expectation.text, _holds(expectation, chosen), found, rows=len(chosen))


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
