"""Expectations: comparisons of numbers, each made from many rows."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, floor, nan
from typing import Final

from testbed.experiment.language.conditions import Comparison, Condition, Junction, Row, names_in
from testbed.experiment.language.tokens import read_value


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of the values do not exceed, interpolated between two of them."""
    ordered = sorted(values)
    position = (len(ordered) - 1) * percent / 100
    low, high = ordered[floor(position)], ordered[ceil(position)]
    return low + (high - low) * (position - floor(position))


AGGREGATES: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
    "min": min,
    "max": max,
    "p95": lambda values: percentile(values, 95),
}
COUNT: Final = "count"


@dataclass(frozen=True, slots=True)
class Constant:
    """A number or a quantity."""

    value: float
    unit: str = ""
    """As it is written; empty for a number."""
    offset: int = field(default=0, compare=False)
    """Its position in the text."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One number from many rows: `payload_ratio.mean`; `count` without a column counts rows."""

    column: str
    name: str
    where: Condition | None = None
    """Its own condition: `(payload_ratio.mean where group = homes)`."""
    text: str = field(default="", compare=False)
    """How it is written, if it has a condition of its own."""
    offset: int = field(default=0, compare=False)
    """Its position in the text."""

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*filter(None, [self.column]), *names_in(self.where)]))

    def rows(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return those of the rows for which its own condition holds."""
        return rows if self.where is None else [row for row in rows if self.where.holds(row)]

    def of(self, rows: Sequence[Row]) -> float:
        """Return the number; nan if no row has one."""
        chosen = self.rows(rows)
        if not self.column:
            return float(len(chosen))
        values = [read_value(row.get(self.column)) for row in chosen]
        if self.name == COUNT:
            return float(sum(value is not None for value in values))
        numbers = [value for value in values if isinstance(value, float)]
        return AGGREGATES[self.name](numbers) if numbers else nan

    def __str__(self) -> str:
        return self.text or (f"{self.column}.{self.name}" if self.column else self.name)


@dataclass(frozen=True, slots=True)
class Product:
    """Numbers and aggregates, multiplied."""

    factors: tuple[Constant | Aggregate, ...]

    def of(self, rows: Sequence[Row]) -> float:
        result = 1.0
        for factor in self.factors:
            result *= factor.of(rows) if isinstance(factor, Aggregate) else factor.value
        return result

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        return tuple(factor for factor in self.factors if isinstance(factor, Aggregate))

    @property
    def constants(self) -> tuple[Constant, ...]:
        return tuple(factor for factor in self.factors if isinstance(factor, Constant))


@dataclass(frozen=True, slots=True)
class Expectation:
    """An expected result: `1 <= payload_ratio.mean < 1.3 where distribution = bittorrent`."""

    text: str
    products: tuple[Product, ...]
    signs: tuple[str, ...]
    where: Condition | None = None
    """For all aggregates, in addition to the conditions of their own."""

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        return tuple(aggregate for product in self.products for aggregate in product.aggregates)

    @property
    def columns(self) -> tuple[str, ...]:
        used = [column for aggregate in self.aggregates for column in aggregate.columns]
        return tuple(dict.fromkeys([*used, *names_in(self.where)]))

    def limited_to(self, rows: Comparison) -> "Expectation":
        """Return the same expectation of some rows only; an aggregate that names their column chooses for itself.

        Aggregates without a condition of their own are all made from the same rows.
        """
        plain = [column for aggregate in self.aggregates if aggregate.where is None for column in aggregate.columns]

        def limited(factor: Constant | Aggregate) -> Constant | Aggregate:
            if isinstance(factor, Constant) or rows.name in (plain if factor.where is None else factor.columns):
                return factor
            where = rows if factor.where is None else Junction((factor.where, rows), all)
            return replace(factor, where=where)

        if rows.name in names_in(self.where):
            return self
        products = (replace(product, factors=tuple(map(limited, product.factors))) for product in self.products)
        return replace(self, products=tuple(products))
