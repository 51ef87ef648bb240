"""The rows that a figure is drawn from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from testbed.errors import ExplainedError
from testbed.experiment import Plan
from testbed.experiment.columns import (
    COARSEST_FIRST,
    TABLE_OF,
    TABLES,
    axis_label,
)
from testbed.experiment.language.cells import readable
from testbed.experiment.language.expressions import names_in, parse_condition, read_value
from testbed.experiment.schema.figures import Figure
from testbed.results.tables.tables import Tables


class FigureError(ExplainedError):
    """A figure that cannot be drawn from what there is."""


@dataclass(frozen=True)
class Material:
    """What a figure is made of."""

    name: str
    figure: Figure
    plan: Plan
    tables: Tables
    with_suspect: bool = False
    panel: tuple[str, object] | None = None
    """A column, and the value that it has in the panel that is drawn."""

    def rows(self, table: str, *columns: str) -> pd.DataFrame:
        """Return the wanted rows of a table, which must have some columns; of valid trials, unless all are wanted."""
        joined = self.trusted(table)
        self._require([*columns, *self._condition_names()], joined)
        chosen = joined[[*self._holding(joined)]] if self.figure.where else joined
        if self.panel is not None:
            column, value = self.panel
            chosen = chosen[chosen[column] == value]
        if chosen.empty:
            raise FigureError(f"figure {self.name}: no {'' if self.with_suspect else 'valid '}trial has rows for it")
        return chosen

    def trusted(self, table: str) -> pd.DataFrame:
        """Return a table with its trials' columns: of valid trials, unless all are wanted."""
        joined = self.tables.with_trials(table)
        return joined if self.with_suspect else joined[joined["verdict"] == "valid"]

    def table_having(self, *columns: str) -> str:
        """Return the coarsest table that has some columns, and those of the condition."""
        wanted = {*columns, *self._condition_names(), *([self.figure.panels] if self.figure.panels else [])}
        tables = (table for table in COARSEST_FIRST if wanted <= set(self.tables.with_trials(table)))
        return next(tables, COARSEST_FIRST[0])

    def series(self, rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield the name and the rows of each line, in the order in which the plan has them."""
        if self.figure.series is None:
            yield "", rows
            return
        for value, part in rows.groupby(self.figure.series, sort=False, dropna=False):
            yield readable(value), part

    def panels(self) -> Iterator[tuple[str, "Material"]]:
        """Yield the name of each panel, and what it is drawn from; a figure without panels is one of them."""
        column = self.figure.panels
        if column is None:
            yield "", self
            return
        table = TABLE_OF.get(self.figure.kind) or self.table_having(*self.figure.columns(column, column))
        for value in dict.fromkeys(self.rows(table, column)[column]):
            is_word = as_number(value) is None
            name = readable(value) if is_word else f"{axis_label(column)} = {readable(value)}"
            yield name, replace(self, panel=(column, value))

    def with_series(self, column: str | None) -> "Material":
        """The same, with another column that tells lines apart."""
        return replace(self, figure=self.figure.model_copy(update={"series": column}))

    def _condition_names(self) -> list[str]:
        return list(names_in(parse_condition(self.figure.where))) if self.figure.where else []

    def _holding(self, rows: pd.DataFrame) -> Iterator[bool]:
        condition = parse_condition(self.figure.where or "")
        names = self._condition_names()
        for values in zip(*(rows[name] for name in names), strict=True):
            yield condition.holds(dict(zip(names, values, strict=True)))

    def _require(self, wanted: Sequence[str], known: pd.DataFrame) -> None:
        for column in wanted:
            if column not in known:
                raise FigureError(f"figure {self.name}: {_no_column(column)}")


def _no_column(column: str) -> str:
    for table, columns in TABLES.items():
        if column in columns:
            return f"{column!r} is a column of {table}.csv, which this figure is not made from"
    return f"there is no column {column!r}: the swept keys are columns, and those in docs/results.md"


def as_number(value: object) -> float | None:
    """Return a cell as a number, a quantity such as 4 MiB in the first unit of its kind; None for words."""
    read = read_value(value)
    return read if isinstance(read, float) else None
