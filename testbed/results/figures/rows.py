"""The rows that a figure is drawn from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from testbed.errors import ExplainedError
from testbed.experiment import Plan
from testbed.experiment.language.expressions import names_in, parse_condition, read_value
from testbed.experiment.schema.figures import Figure
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
        chosen = self.chosen(self.trusted(table), *columns)
        if chosen.empty:
            raise FigureError(f"figure {self.name}: no {'' if self.with_suspect else 'valid '}trial has rows for it")
        return chosen

    def chosen(self, joined: pd.DataFrame, *columns: str) -> pd.DataFrame:
        """Return the rows of a table that meet the condition and belong to the panel."""
        self._require([*columns, *self._condition_names()], joined)
        chosen = joined[[*self._holding(joined)]] if self.figure.where else joined
        if self.panel is not None:
            column, value = self.panel
            chosen = chosen[chosen[column] == value]
        return chosen

    def trusted(self, table: str) -> pd.DataFrame:
        """Return a table with its trials' columns: of valid trials, and of suspect ones if they count."""
        joined = self.tables.with_trials(table)
        return joined[joined["verdict"].isin(self.trusted_verdicts)]

    @property
    def trusted_verdicts(self) -> tuple[str, ...]:
        """The verdicts of the trials that count; no other verdict ever does."""
        return ("valid", "suspect") if self.with_suspect else ("valid",)

    def table_having(self, *columns: str) -> str:
        """Return the coarsest table that has some columns, and those of the condition."""
        wanted = {*columns, *self._condition_names(), *([self.figure.panels] if self.figure.panels else [])}
        return self.tables.first_having(wanted, self.columns.coarsest_first) or self.columns.coarsest_first[0]

    def panels(self) -> Iterator["FigureSource"]:
        """Yield the source of each panel, in the order of the plan; the figure's own if it has no panels."""
        column = self.figure.panels
        if column is None:
            yield self
            return
        table = self.columns.table_of.get(self.figure.kind) or self.table_having(*self.figure.columns(column, column))
        for value in dict.fromkeys(self.rows(table, column)[column]):
            yield replace(self, panel=(column, value))

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
