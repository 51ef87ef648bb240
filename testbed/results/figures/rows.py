"""The rows that a figure is drawn from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from testbed.errors import ExplainedError
from testbed.experiment import Plan
from testbed.experiment.language.cells import readable
from testbed.experiment.language.expressions import names_in, parse_condition, read_value
from testbed.experiment.schema.figures import Figure
from testbed.results.summary import is_used
from testbed.results.tables import Tables
from testbed.tasks.columns import TableColumns


class FigureError(ExplainedError):
    """A figure that cannot be drawn from what there is."""


@dataclass(frozen=True)
class FigureSource:
    """The plan and the tables that a figure is drawn from."""

    name: str
    figure: Figure
    plan: Plan
    tables: Tables
    with_suspect: bool = False
    panel: tuple[str, object] | None = None
    """The column of the panels, and its value in this panel."""

    @property
    def columns(self) -> TableColumns:
        """What the columns of the tables mean."""
        return self.tables.columns

    def rows(self, table: str, *columns: str) -> pd.DataFrame:
        """Return the rows of a table that the figure shows; of valid trials, unless suspect ones count."""
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
        """Return a table with its trials' columns: of valid trials, and of suspect ones if those count."""
        joined = self.tables.with_trials(table)
        return joined[is_used(joined["verdict"], with_suspect=self.with_suspect)]

    def table_having(self, *columns: str) -> str:
        """Return the coarsest table that has some columns, and those of the condition."""
        wanted = {*columns, *self._condition_names(), *([self.figure.panels] if self.figure.panels else [])}
        return self.tables.first_having(wanted, self.columns.coarsest_first) or self.columns.coarsest_first[0]

    def series(self, rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield the name and the rows of each line, in the order of the plan."""
        if self.figure.series is None:
            yield "", rows
            return
        for value, part in rows.groupby(self.figure.series, sort=False, dropna=False):
            yield readable(value), part

    def panels(self) -> Iterator[tuple[str, "FigureSource"]]:
        """Yield the name and the source of each panel; a figure without panels has one without a name."""
        column = self.figure.panels
        if column is None:
            yield "", self
            return
        table = self.columns.table_of.get(self.figure.kind) or self.table_having(*self.figure.columns(column, column))
        for value in dict.fromkeys(self.rows(table, column)[column]):
            is_word = as_number(value) is None
            name = readable(value) if is_word else f"{self.columns.axis_label(column)} = {readable(value)}"
            yield name, replace(self, panel=(column, value))

    def with_series(self, column: str | None) -> "FigureSource":
        """Return the same source with another column for the lines."""
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
                raise FigureError(f"figure {self.name}: {self._no_column(column)}")

    def _no_column(self, column: str) -> str:
        for table, columns in self.columns.tables.items():
            if column in columns:
                return f"{column!r} is a column of {table}.csv, but this figure is made from another table"
        return f"there is no column {column!r}: the columns are the swept keys and those in docs/results.md"


def as_number(value: object) -> float | None:
    """Return a cell as a number, a quantity such as 4 MiB in its base unit; None for words."""
    read = read_value(value)
    return read if isinstance(read, float) else None
