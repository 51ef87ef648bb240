"""The mean at each value of x, one line for each series, with intervals, and the bounds for comparison."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes

from testbed.experiment import Plan
from testbed.experiment.schema.figures import Figure
from testbed.results.figures.layout import Frame, height_of, height_of_words
from testbed.results.figures.numbers import HIGH, LINE, LOW, THEORY, VALUE, Chosen, N, Numbers
from testbed.results.figures.pairs import NO_CHANGE, compared_rows, compared_values
from testbed.results.figures.panel import Kind, Line, Panel, frame_of_lines, panel_widths, x_words
from testbed.results.figures.rows import FigureError, FigureSource
from testbed.results.figures.scales import Places, finish_value_axis, finish_x_axis, value_unit, x_places
from testbed.results.figures.style import REFERENCE
from testbed.results.figures.units import Unit
from testbed.results.statistics import summarise
from testbed.tasks.columns import TableColumns

_CAP: Final = 2.0
"""Points: half the width of the end of an interval."""


def choose(figure: Figure, plan: Plan, columns: TableColumns) -> Chosen:
    """Choose the first swept key for x, and for compared values a line for each value of the paired key."""
    x = figure.x or next((key for key in plan.keys if key != figure.series), None)
    if x is None:
        raise FigureError("nothing is swept: write `x:` and a column")
    is_split = figure.compared is not None and plan.pair not in {x, figure.panels} and compared_values(plan) > 1
    series = figure.series or (plan.pair if is_split else None)
    return Chosen((x,), figure.ys or (columns.defaults["curve"],), series)


def measure(source: FigureSource, chosen: Chosen) -> pd.DataFrame:
    """Return the means of one panel, and the times of theory."""
    (x,), (y,), figure = chosen.x, chosen.ys, source.figure
    columns = (x, y, *filter(None, [chosen.series]))
    table = source.table_having(*columns)
    rows = source.rows(table, *columns)
    _check_theory(source, y)
    if figure.compared is not None:
        rows = compared_rows(source, table, rows, y)
    return pd.DataFrame([*_points(source, chosen, rows), *_theory(source, rows, x, y)])


def _points(source: FigureSource, chosen: Chosen, rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the mean at each x of the trials' values, each of which is the mean over the trial's rows."""
    (x,), (y,) = chosen.x, chosen.ys
    keys = list(dict.fromkeys([*filter(None, [chosen.series]), x]))
    for values, part in rows.groupby(keys, sort=False, dropna=False):
        of_trials = part.groupby("trial", sort=False)[y].mean()
        found = summarise(of_trials, f"{source.name} {' '.join(map(str, values))}")
        if found.n:
            is_range = source.figure.interval == "range"
            low, high = (of_trials.min(), of_trials.max()) if is_range else (found.low, found.high)
            yield {**dict(zip(keys, values, strict=True)), LINE: y, VALUE: found.mean, LOW: low, HIGH: high, N: found.n}


def _check_theory(source: FigureSource, y: str) -> None:
    figure, columns = source.figure, source.columns
    if figure.theory and figure.compared is None and not columns.has_bounds(y):
        raise FigureError(f"figure {source.name}: {columns.needed_beside_bounds('curve')}, not {y}")


def _theory(source: FigureSource, rows: pd.DataFrame, x: str, y: str) -> Iterator[dict[str, Any]]:
    """Yield times of theory at each x, divided by y's own bound where y is a ratio; a bound is then 1 everywhere."""
    curves, bound = source.columns.curves, source.columns.bound_of_ratio.get(y)
    for name in source.figure.theory if source.figure.compared is None else ():
        if bound is not None and curves[name].is_bound:
            continue
        column = source.columns.column_of(name, y)
        times = rows[column] / (1.0 if bound is None else rows[bound])
        means = times.groupby(rows[x], sort=False).mean().dropna()
        if means.empty:
            why = f"{column} is empty: {name} does not apply to any of its trials"
            raise FigureError(f"figure {source.name}: {why}")
        for value, mean in means.items():
            yield {x: value, LINE: f"{THEORY}{name}", VALUE: mean}


def draw(axes: Axes, panel: Panel) -> None:
    """Draw one panel."""
    drawing = _Drawing(axes, panel, x_places(panel), value_unit(panel.numbers))
    drawing.levels()
    drawing.theory()
    lines = list(panel.lines())
    for number, line in enumerate(lines):
        drawing.line(line, drawing.places.offset(number, len(lines)))
    finish_x_axis(axes, panel, drawing.places)
    finish_value_axis(axes, panel, drawing.unit)


@dataclass(frozen=True)
class _Drawing:
    """A panel while it is drawn, and where its points go."""

    axes: Axes
    panel: Panel
    places: Places
    unit: Unit

    def levels(self) -> None:
        """Draw a line where nothing changed, and one where a ratio is that of its bound."""
        numbers, figure = self.panel.numbers, self.panel.numbers.figure
        if figure.compared is not None:
            self.axes.axhline(NO_CHANGE[figure.compared], gid="theory:no change", **REFERENCE)
        elif numbers.is_gain:
            self.axes.axhline(NO_CHANGE["gain"], gid="theory:no difference", **REFERENCE)
        elif numbers.chosen.ys[0] in numbers.columns.bound_of_ratio:
            bounds = [name for name in figure.theory if numbers.columns.curves[name].is_bound]
            if bounds:
                self.axes.axhline(1.0, label="bound", gid="theory:bound", **self.panel.theory_look(bounds[0]))

    def theory(self) -> None:
        """Draw what was calculated."""
        for name, rows in self.panel.theory():
            x, y = self._placed(rows)
            label = self.panel.numbers.columns.curves[name].label
            self.axes.plot(x, y, label=label, gid=f"{THEORY}{name}", **self.panel.theory_look(name))

    def line(self, line: Line, offset: float) -> None:
        """Draw what was measured, `offset` beside its place."""
        x, y = self._placed(line.rows)
        drawn = line.look.of_marks if self.places.is_of_words else line.look.of_points
        self.axes.plot([place + offset for place in x], y, label=line.name or None, gid=line.id, **drawn)
        if self.panel.numbers.figure.interval != "none":
            self._intervals(line, offset)

    def _placed(self, rows: pd.DataFrame) -> tuple[list[float], list[float]]:
        """Return the places of some points along both axes, from left to right."""
        (x,) = self.panel.numbers.chosen.x
        places = [self.places.of[value] for value in rows[x]]
        points = sorted(zip(places, rows[VALUE] / self.unit.worth, strict=True))
        return [place for place, _ in points], [float(value) for _, value in points]

    def _intervals(self, line: Line, offset: float) -> None:
        """Draw the intervals of the points that have one: a single trial has none."""
        rows = line.rows.dropna(subset=[LOW, HIGH])
        (x,) = self.panel.numbers.chosen.x
        at = [self.places.of[value] + offset for value in rows[x]]
        below, above = (rows[VALUE] - rows[LOW]).clip(lower=0.0), (rows[HIGH] - rows[VALUE]).clip(lower=0.0)
        if at:
            reach = [below / self.unit.worth, above / self.unit.worth]
            style: dict[str, Any] = {"ecolor": line.look.color, "elinewidth": 0.9, "capsize": _CAP}
            self.axes.errorbar(at, rows[VALUE] / self.unit.worth, yerr=reach, fmt="none", **style)


def _frame(numbers: Numbers, font: float) -> Frame:
    """Return the size of the figure; words along the x axis may need more room than numbers."""
    frame = frame_of_lines(numbers, font)
    panels = zip(numbers.panels(), panel_widths(numbers, frame), strict=True)
    words = [(x_words(numbers, rows), width) for (_, rows), width in panels]
    heights = [height_of_words(names, width, font - 1) for names, width in words if names]
    more = max([0.0, *(height - height_of(1, font - 1) for height in heights)])
    return replace(frame, heights=tuple(height + more for height in frame.heights))


CURVE: Final = Kind(choose, measure, draw, _frame)
