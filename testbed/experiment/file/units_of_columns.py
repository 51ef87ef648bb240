"""Whether a quantity of an expectation or a condition can be compared with a column.

Quantities are converted to bit/s, B, s, % and /s, and cells of columns are not. So 20 ms beside a column in ms would
mean 0.02 ms, and 90 % beside a share from 0 to 1 would mean 90.
"""

from collections.abc import Iterator
from itertools import pairwise

from testbed.experiment.language.aggregates import COUNT, Aggregate, Constant, Expectation, Product
from testbed.tasks.columns import Column
from testbed.values import units


def refused_unit(name: str, column: Column, unit: str) -> str:
    """Return why a quantity with this unit cannot be compared with a column; empty if it can.

    A column without a unit can hold quantities: the mean of summary.csv has the unit of its measure.
    """
    kind = units.kind_of(unit)
    if kind is None or column.unit == kind.units[0]:
        return ""
    if not column.unit:
        is_share = kind is units.PERCENTAGE
        return f"{name} is no percentage: write a number without a unit, such as 0.9 for 90 %" if is_share else ""
    of_column = units.kind_of(column.unit)
    if of_column is None or column.unit != of_column.units[0]:
        return f"{name} is in {column.unit}: write a number without a unit"
    return f"{name} is a {of_column.name}: write one such as {of_column.example}, or a number in {column.unit}"


def compared_quantities(expectation: Expectation) -> Iterator[tuple[Aggregate, Constant]]:
    """Yield each quantity that a single aggregate is compared with."""
    for left, right in pairwise(expectation.products):
        yield from _compared(left, right)
        yield from _compared(right, left)


def _compared(measured: Product, constant: Product) -> Iterator[tuple[Aggregate, Constant]]:
    has_units = any(each.unit for each in measured.constants)
    if constant.aggregates or has_units or len(measured.aggregates) != 1 or measured.aggregates[0].name == COUNT:
        return
    yield from ((measured.aggregates[0], each) for each in constant.constants if each.unit)
