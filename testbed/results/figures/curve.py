"""A mean over each value of x, one line a series, with intervals, and the bounds beside it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from testbed.experiment.columns import axis_label
from testbed.experiment.language.cells import readable
from testbed.results.figures.pairs import (
    NO_CHANGE,
    compared_rows,
    label_of,
    lines_of,
)
from testbed.results.figures.rows import FigureError, Material, as_number
from testbed.results.figures.style import in_height, look, theory_look
from testbed.results.statistics.statistics import summarise

DEFAULT_Y: Final = "distribution_s"
_THEORY: Final[Mapping[str, tuple[str, str]]] = {
    "client-server": ("client_server_bound_s", "client-server, bound"),
    "p2p": ("p2p_bound_s", "p2p, bound"),
    "pieces": ("pieces_bound_s", "F/u (1 + ⌊log₂ N⌋/M)"),
}
"""The column that has the times, and what the legend says."""
_BOUND_OF: Final[Mapping[str, str]] = {"ratio": "bound_s", "payload_ratio": "payload_bound_s"}
"""What a ratio is a ratio to."""
_BESIDE: Final = 0.12
_ROOM: Final = 0.6
"""Of the room between two words: how far apart series are, and how much all may take."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Where the values of x stand: numbers where they are, quantities too but with their own words, words in order."""

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
        """Whether each value is the one before it times the same."""
        places = sorted(self.places.values())
        if len(places) < 3 or places[0] <= 0:
            return False
        factors = [after / before for before, after in pairwise(places)]
        return max(factors) < min(factors) * (1 + 1e-6)

    def aside(self, number: int, count: int) -> float:
        """Return how far the n-th of so many series is drawn beside its place: between words there is room."""
        return (number - (count - 1) / 2) * min(_BESIDE, _ROOM / count) if self.is_of_words else 0.0

    def label(self, axes: Axes) -> None:
        """Write values that are no plain numbers below their places; between whole numbers there is nothing."""
        if self.is_geometric:
            axes.set_xscale("log")
            axes.set_xticks(list(self.places.values()), [readable(value) for value in self.places])
            axes.minorticks_off()
        elif self.is_plain:
            is_whole = all(place.is_integer() for place in self.places.values())
            axes.xaxis.set_major_locator(MaxNLocator("auto", integer=is_whole))
        else:
            axes.set_xticks(list(self.places.values()), [in_lines(readable(value)) for value in self.places])


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """A mean, and its interval."""

    x: float
    y: float
    low: float
    high: float

    @property
    def reach(self) -> tuple[float, float]:
        """How far the interval goes below and above the mean; a single trial has none."""
        below, above = self.y - self.low, self.high - self.y
        return max(0.0, below) if isfinite(below) else 0.0, max(0.0, above) if isfinite(above) else 0.0


def draw_curve(axes: Axes, material: Material) -> None:
    """Draw the figure."""
    x, y = material.figure.x or _default_x(material), material.figure.y or DEFAULT_Y
    columns = (x, y, *filter(None, [material.figure.series]))
    table = material.table_having(*columns)
    rows = material.rows(table, *columns)
    label = axis_label(y)
    if material.figure.compared is not None:
        rows, label = compared_rows(material, table, rows, y), label_of(material, y)
        material = material.with_series(lines_of(material, rows, x))
    _Curve(axes, material, rows, x, y, label, Scale.of(rows[x].tolist())).draw()


def in_lines(words: str) -> str:
    """Break a label where it has a comma: names with parameters are long, and stand side by side."""
    return words.replace(", ", ",\n")


def _default_x(material: Material) -> str:
    candidates = [key for key in material.plan.keys if key != material.figure.series]
    if not candidates:
        raise FigureError(f"figure {material.name}: nothing is swept: write `x:` and a column")
    return candidates[0]


@dataclass(frozen=True)
class _Curve:
    """One figure of this kind while it is drawn."""

    axes: Axes
    material: Material
    rows: pd.DataFrame
    x: str
    y: str
    label: str
    scale: Scale

    def draw(self) -> None:
        self._draw_theory()
        series = list(self.material.series(self.rows))
        for number, (name, rows) in enumerate(series):
            self._draw_series(number, len(series), name, sorted(self._points(name, rows)))
        self.scale.label(self.axes)
        self.axes.set_xlabel(axis_label(self.x))
        self.axes.set_ylabel(in_height(self.label))
        self.axes.set_ylim(bottom=min(0.0, self.axes.get_ylim()[0]))

    def _points(self, name: str, rows: pd.DataFrame) -> Iterator[Point]:
        """Yield the mean at each x of the trials' values, each of which is the mean over the trial's rows."""
        for value, at_x in rows.groupby(self.x, sort=False, dropna=False):
            of_trials = at_x.groupby("trial", sort=False)[self.y].mean()
            found = summarise(of_trials, f"{self.material.name} {name} {value}")
            if found.n:
                is_range = self.material.figure.interval == "range"
                low, high = (of_trials.min(), of_trials.max()) if is_range else (found.low, found.high)
                yield Point(self.scale.places[value], found.mean, low, high)

    def _draw_series(self, number: int, count: int, name: str, points: Sequence[Point]) -> None:
        aside = self.scale.aside(number, count)
        places, means = [point.x + aside for point in points], [point.y for point in points]
        style = look(number)
        drawn = style.of_marks if self.scale.is_of_words else style.of_points
        self.axes.plot(places, means, label=name or None, gid=f"series:{name}", **drawn)
        if points and self.material.figure.interval != "none":
            reaches = list(zip(*(point.reach for point in points), strict=True))
            self.axes.errorbar(places, means, yerr=reaches, fmt="none", ecolor=style.color, elinewidth=1, capsize=2.5)

    def _draw_theory(self) -> None:
        """Draw times where y is a time, and what they are over y's own bound where y is a ratio."""
        figure = self.material.figure
        if figure.compared is not None:
            self.axes.axhline(NO_CHANGE[figure.compared], gid="theory:no change", **theory_look("p2p"))
        elif figure.theory and self.y not in _BOUND_OF and not self.y.endswith("_s"):
            problem = f"bounds are times: y can be {DEFAULT_Y}, or a ratio, not {self.y}"
            raise FigureError(f"figure {self.material.name}: {problem}")
        else:
            self._draw_bounds(figure.theory)

    def _draw_bounds(self, theory: Sequence[str]) -> None:
        if self.y in _BOUND_OF and set(theory) - {"pieces"}:
            self.axes.axhline(1.0, label="bound", gid="theory:bound", **theory_look(theory[0]))
        for scheme in theory:
            if scheme == "pieces" or self.y not in _BOUND_OF:
                self._draw_times(scheme)

    def _draw_times(self, scheme: str) -> None:
        column, label = _THEORY[scheme]
        seconds = self.rows[column] / (self.rows[_BOUND_OF[self.y]] if self.y in _BOUND_OF else 1.0)
        means = seconds.groupby(self.rows[self.x], sort=False).mean().dropna()
        if means.empty:
            raise FigureError(f"figure {self.material.name}: {column} is empty: {scheme} holds for no trial of it")
        places, values = zip(*sorted((self.scale.places[value], mean) for value, mean in means.items()), strict=True)
        self.axes.plot(places, values, label=label, gid=f"theory:{scheme}", **theory_look(scheme))
