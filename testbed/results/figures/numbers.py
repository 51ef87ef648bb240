"""What a figure shows, as numbers: enough to draw it again, here or with another program."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Final

import pandas as pd

from testbed.experiment import Plan
from testbed.experiment.language.cells import readable
from testbed.experiment.schema.figures import Figure
from testbed.results.figures.phrases import Phrases
from testbed.results.figures.rows import as_number
from testbed.results.tables import DIGITS
from testbed.tasks.columns import Column, TableColumns
from testbed.tasks.tables import tables_of

LINE: Final = "line"
VALUE: Final = "value"
LOW: Final = "low"
HIGH: Final = "high"
N: Final = "n"
MEASURED: Final = (LINE, VALUE, LOW, HIGH, N)
"""What follows the keys of a number: what it is of, the number, its interval, and how many trials it is of."""
THEORY: Final = "theory:"
"""Before the name of a line that is calculated and not measured."""


@dataclass(frozen=True)
class Chosen:
    """The columns that a figure shows, after its defaults are filled in."""

    x: tuple[str, ...]
    """Several in a heat map."""
    ys: tuple[str, ...]
    series: str | None = None


@dataclass(frozen=True)
class Numbers:
    """The numbers of a figure. A row is a point: its keys (panel, series, x), then what `MEASURED` lists."""

    name: str
    figure: Figure
    plan: Plan
    chosen: Chosen
    rows: pd.DataFrame
    panel_values: tuple[object, ...] | None = None
    """The values of the panels, some of which may have no numbers; by default those of the rows."""
    doubts: str = ""
    """Which trials are suspect or failed, for the foot of the figure."""
    left_out: str = ""
    """Which pairs of trials are left out, for the foot of the figure and for the report."""

    @cached_property
    def columns(self) -> TableColumns:
        """What the columns of tables mean."""
        return tables_of(self.plan).columns

    @cached_property
    def phrases(self) -> Phrases:
        """The words of the figure."""
        return Phrases(self.figure, self.plan, self.columns)

    @property
    def measured(self) -> pd.DataFrame:
        """The rows that are not theory."""
        return self.rows[~self.rows[LINE].str.startswith(THEORY)]

    @property
    def y(self) -> Column | None:
        """The column of the values, if they are those of a table and no gains."""
        return None if self.figure.compared == "gain" else self.columns.column(self.chosen.ys[0])

    @property
    def is_gain(self) -> bool:
        """Whether 1 means no difference."""
        column = self.y
        return self.figure.compared == "gain" or (
            self.figure.compared is None and column is not None and column.is_gain
        )

    def panels(self) -> Iterator[tuple[object, pd.DataFrame]]:
        """Yield the value and the rows of each panel; without panels, None and all rows."""
        key = self.figure.panels
        if key is None:
            yield None, self.rows
            return
        values = dict.fromkeys(self.rows[key]) if self.panel_values is None else self.panel_values
        for value in values:
            yield value, self.rows[self.rows[key] == value]

    def series_values(self) -> list[object]:
        """Return the values of the series over all panels: numbers by size, words in the order of the plan."""
        key = self.chosen.series
        return [] if key is None else in_order(self.measured[key].tolist())

    def spread(self) -> "pd.Series[float]":
        """Return all numbers along the value axis, with the ends of their intervals."""
        ends: pd.Series[float] = pd.concat([self.rows[VALUE], self.rows[LOW], self.rows[HIGH]])
        return ends.dropna()


def in_order(cells: list[Any]) -> list[object]:
    """Return the distinct cells: sorted if all are numbers or quantities, otherwise as they come."""
    distinct = list(dict.fromkeys(cells))
    numbers = {cell: as_number(cell) for cell in distinct}
    return distinct if None in numbers.values() else sorted(distinct, key=lambda cell: numbers[cell] or 0.0)


def write_numbers(numbers: Numbers, file: BinaryIO) -> None:
    """Write the numbers as CSV."""
    numbers.rows.to_csv(file, index=False, float_format=DIGITS, lineterminator="\n")


def read_numbers(file: Path | BinaryIO) -> pd.DataFrame:
    """Read what `write_numbers` has written; keys are numbers or words, as tables have them."""
    rows = pd.read_csv(file, dtype=str, keep_default_na=False)
    for name in rows:
        rows[name] = pd.to_numeric(rows[name]) if name in MEASURED[1:] else rows[name].map(_cell)
    return rows


def _cell(text: str) -> object:
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def line_id(line: str, series: object, ys: tuple[str, ...]) -> str:
    """Return the name of a line in an SVG."""
    if line.startswith(THEORY):
        return line
    of_series = "" if series is None else readable(series)
    return f"series:{', '.join(filter(None, [line if len(ys) > 1 else '', of_series]))}"
