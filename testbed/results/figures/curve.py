"""The mean at each value of x, one line for each series, with intervals, and the bounds for comparison."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from testbed.experiment.language.cells import readable
from testbed.results.figures.pairs import (
    NO_CHANGE,
    compared_rows,
    label_of,
    lines_of,
)
from testbed.results.figures.rows import FigureError, FigureSource, as_number
from testbed.results.figures.style import REFERENCE, look, theory_look, wrapped
from testbed.results.statistics import summarise
from testbed.tasks.columns import TheoryCurve

_BESIDE: Final = 0.12
_ROOM: Final = 0.6
"""The distance of series and the most that all may take, as shares of the distance between two words."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The places of the values of x: numbers and quantities at their value, words in their order."""

    places: Mapping[object, float]
    is_plain: bool
    is_of_words: bool = False

    @classmethod
    def of(cls, values: Sequence[object]) -> "Scale":
        """Find the place of each value."""
        distinct = list(dict.fromkeys(values))
        numbers = [as_number(value) for value in distinct]
        if None in numbers:
            return cls({value: float(k) for k, value in enumerate(distinct)}, is_plain=False, is_of_words=True)
        places = {value: number for value, number in zip(distinct, numbers, strict=True) if number is not None}
        return cls(places, is_plain=not any(isinstance(value, str) for value in distinct))

    @property
    def is_geometric(self) -> bool:
        """Whether each value is the same multiple of the one before."""
        places = sorted(self.places.values())
        if len(places) < 3 or places[0] <= 0:
            return False
        factors = [after / before for before, after in pairwise(places)]
        return max(factors) < min(factors) * (1 + 1e-6)

    def offset(self, number: int, count: int) -> float:
        """Return how far a series is drawn from its place: series of words stand side by side."""
        return (number - (count - 1) / 2) * min(_BESIDE, _ROOM / count) if self.is_of_words else 0.0

    def label(self, axes: Axes) -> None:
        """Label the axis: values that are no plain numbers at their places, whole numbers without fractions."""
        if self.is_geometric:
            axes.set_xscale("log")
            axes.set_xticks(list(self.places.values()), [readable(value) for value in self.places])
            axes.minorticks_off()
        elif self.is_plain:
            is_whole = all(place.is_integer() for place in self.places.values())
            axes.xaxis.set_major_locator(MaxNLocator("auto", integer=is_whole))
        else:
            axes.set_xticks(list(self.places.values()), [broken_at_commas(readable(value)) for value in self.places])


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """A mean and its interval."""

    x: float
    y: float
    low: float
    high: float

    @property
    def reach(self) -> tuple[float, float]:
        """The interval below and above the mean; that of a single trial is empty."""
        below, above = self.y - self.low, self.high - self.y
        return max(0.0, below) if isfinite(below) else 0.0, max(0.0, above) if isfinite(above) else 0.0


def draw_curve(axes: Axes, source: FigureSource) -> None:
    """Draw the figure."""
    x, y = source.figure.x or _default_x(source), source.figure.y or source.columns.defaults["curve"]
    columns = (x, y, *filter(None, [source.figure.series]))
    table = source.table_having(*columns)
    rows = source.rows(table, *columns)
    label = source.columns.axis_label(y)
    if source.figure.compared is not None:
        rows, label = compared_rows(source, table, rows, y), label_of(source, y)
        source = source.with_series(lines_of(source, rows, x))
    _Curve(axes, source, rows, x, y, label, Scale.of(rows[x].tolist())).draw()


def broken_at_commas(words: str) -> str:
    """Break a label at its commas: names with parameters are long, and stand side by side."""
    return words.replace(", ", ",\n")


def _default_x(source: FigureSource) -> str:
    candidates = [key for key in source.plan.keys if key != source.figure.series]
    if not candidates:
        raise FigureError(f"figure {source.name}: nothing is swept: write `x:` and a column")
    return candidates[0]


@dataclass(frozen=True)
class _Curve:
    """One figure of this kind while it is drawn."""

    axes: Axes
    source: FigureSource
    rows: pd.DataFrame
    x: str
    y: str
    label: str
    scale: Scale

    def draw(self) -> None:
        self._draw_theory()
        series = list(self.source.series(self.rows))
        for number, (name, rows) in enumerate(series):
            self._draw_series(number, len(series), name, sorted(self._points(name, rows)))
        self.scale.label(self.axes)
        self.axes.set_xlabel(self.source.columns.axis_label(self.x))
        self.axes.set_ylabel(wrapped(self.label))
        self.axes.set_ylim(bottom=min(0.0, self.axes.get_ylim()[0]))

    def _points(self, name: str, rows: pd.DataFrame) -> Iterator[Point]:
        """Yield the mean at each x of the trials' values, each of which is the mean over the trial's rows."""
        for value, at_x in rows.groupby(self.x, sort=False, dropna=False):
            of_trials = at_x.groupby("trial", sort=False)[self.y].mean()
            found = summarise(of_trials, f"{self.source.name} {name} {value}")
            if found.n:
                is_range = self.source.figure.interval == "range"
                low, high = (of_trials.min(), of_trials.max()) if is_range else (found.low, found.high)
                yield Point(self.scale.places[value], found.mean, low, high)

    def _draw_series(self, number: int, count: int, name: str, points: Sequence[Point]) -> None:
        offset = self.scale.offset(number, count)
        places, means = [point.x + offset for point in points], [point.y for point in points]
        style = look(number)
        drawn = style.of_marks if self.scale.is_of_words else style.of_points
        self.axes.plot(places, means, label=name or None, gid=f"series:{name}", **drawn)
        if points and self.source.figure.interval != "none":
            reaches = list(zip(*(point.reach for point in points), strict=True))
            self.axes.errorbar(places, means, yerr=reaches, fmt="none", ecolor=style.color, elinewidth=1, capsize=2.5)

    def _draw_theory(self) -> None:
        """Draw bounds as times where y is a time, and divided by y's own bound where y is a ratio."""
        figure, columns = self.source.figure, self.source.columns
        if figure.compared is not None:
            self.axes.axhline(NO_CHANGE[figure.compared], gid="theory:no change", **REFERENCE)
        elif figure.theory and not columns.has_bounds(self.y):
            problem = f"bounds are times: y must be {columns.defaults['curve']} or a ratio, not {self.y}"
            raise FigureError(f"figure {self.source.name}: {problem}")
        else:
            self._draw_bounds(figure.theory)

    def _draw_bounds(self, theory: Sequence[str]) -> None:
        curves = self.source.columns.curves
        is_ratio = self.y in self.source.columns.bound_of_ratio
        if is_ratio and any(curves[name].is_bound for name in theory):
            self.axes.axhline(1.0, label="bound", gid="theory:bound", **self._look(theory[0]))
        for name in theory:
            if not (is_ratio and curves[name].is_bound):
                self._draw_times(name, curves[name])

    def _look(self, theory: str) -> dict[str, Any]:
        return theory_look(list(self.source.columns.curves).index(theory))

    def _draw_times(self, name: str, curve: TheoryCurve) -> None:
        divisor = self.source.columns.bound_of_ratio.get(self.y)
        seconds = self.rows[curve.column] / (1.0 if divisor is None else self.rows[divisor])
        means = seconds.groupby(self.rows[self.x], sort=False).mean().dropna()
        if means.empty:
            raise FigureError(
                f"figure {self.source.name}: {curve.column} is empty: {name} does not apply to any of its trials"
            )
        places, values = zip(*sorted((self.scale.places[value], mean) for value, mean in means.items()), strict=True)
        self.axes.plot(places, values, label=curve.label, gid=f"theory:{name}", **self._look(name))
