"""One panel of a figure while it is drawn, and what a kind of figure is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes

from testbed.experiment import Plan
from testbed.experiment.schema.figures import Figure
from testbed.results.figures.layout import Frame
from testbed.results.figures.numbers import LINE, THEORY, Chosen, Numbers, line_id
from testbed.results.figures.rows import FigureSource, as_number
from testbed.results.figures.style import Look, look, theory_look
from testbed.tasks.columns import TableColumns

_HEIGHT: Final = 2.05
"""Inches: a panel with the labels of its axes."""


@dataclass(frozen=True)
class Line:
    """The points of one line, and how it is drawn."""

    id: str
    name: str
    look: Look
    rows: pd.DataFrame


@dataclass(frozen=True)
class Panel:
    """The part of a figure's numbers that is in one panel."""

    numbers: Numbers
    rows: pd.DataFrame
    frame: Frame
    width: float
    """Inches, without the labels of the y axis."""

    def lines(self) -> Iterator[Line]:
        """Yield the measured lines. A line looks the same in every panel."""
        chosen, values = self.numbers.chosen, self.numbers.series_values() or [None]
        for k, y in enumerate(chosen.ys):
            for i, value in enumerate(values):
                rows = self._rows(y, value)
                if len(rows):
                    how = look(k) if value is None else look(i, k if len(chosen.ys) > 1 else None)
                    yield Line(line_id(y, value, chosen.ys), line_name(self.numbers, y, value), how, rows)

    def theory(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield the names and rows of the calculated lines."""
        for name in self.numbers.figure.theory:
            rows = self.rows[self.rows[LINE] == f"{THEORY}{name}"]
            if len(rows):
                yield name, rows

    def theory_look(self, name: str) -> dict[str, Any]:
        """Return the look of a calculated line, which is the same in every figure."""
        return theory_look(list(self.numbers.columns.curves).index(name))

    def _rows(self, y: str, value: object) -> pd.DataFrame:
        rows = self.rows[self.rows[LINE] == y]
        key = self.numbers.chosen.series
        return rows if key is None else rows[rows[key] == value]


def line_name(numbers: Numbers, y: str, value: object) -> str:
    """Return what the legend calls a line; empty for the only one."""
    phrases = numbers.phrases
    of_column = [phrases.label(y)] if len(numbers.chosen.ys) > 1 else []
    return ", ".join([*of_column, *([] if value is None else [phrases.name(value)])])


def frame_of_lines(numbers: Numbers, font: float) -> Frame:
    """Return the size of a figure with lines."""
    return Frame.of(numbers.figure.size, len(list(numbers.panels())), font, _HEIGHT)


@dataclass(frozen=True)
class Kind:
    """How figures of a kind are made: what they show, the numbers of a panel, and the drawing of these."""

    choose: Callable[[Figure, Plan, TableColumns], Chosen]
    measure: Callable[[FigureSource, Chosen], pd.DataFrame]
    draw: Callable[[Axes, Panel], None]
    frame: Callable[[Numbers, float], Frame] = frame_of_lines
    """The size of a figure with letters of a size."""
    is_matrix: bool = False
    """Whether a panel is a matrix with colours, and no axes with lines."""


def x_words(numbers: Numbers, rows: pd.DataFrame) -> list[str]:
    """Return what stands along the x axis of a panel if it is words; empty if it is numbers."""
    (x,) = numbers.chosen.x
    if all(as_number(value) is not None for value in numbers.rows[x]):
        return []
    return [numbers.phrases.name(value) for value in dict.fromkeys(rows[x])]


def panel_widths(numbers: Numbers, frame: Frame) -> list[float]:
    """Return the widths of the panels: a panel with more words along its x axis is wider."""
    panels = [rows for _, rows in numbers.panels()]
    even = [frame.panel_width] * len(panels)
    if frame.down > 1 or len(numbers.chosen.x) != 1:
        return even
    words = [len(x_words(numbers, rows)) for rows in panels]
    shares = [max(count, 2) for count in words]
    return [frame.panel_width * len(panels) * share / sum(shares) for share in shares] if any(words) else even
