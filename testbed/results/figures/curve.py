"""A mean over each value of x, one line a series, with intervals, and the bounds beside it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from testbed.results.columns import axis_label
from testbed.results.figures.rows import FigureError, Material, as_number
from testbed.results.figures.style import look, theory_look
from testbed.results.statistics import summarise

DEFAULT_Y: Final = "distribution_s"
_BOUNDS: Final[Mapping[str, str]] = {"client-server": "client_server_bound_s", "p2p": "p2p_bound_s"}
_RATIOS: Final = ("ratio", "payload_ratio")


@dataclass(frozen=True, slots=True)
class Scale:
    """Where the values of x stand: numbers where they are, quantities too but with their own words, words in order."""

    places: Mapping[object, float]
    is_plain: bool

    @classmethod
    def of(cls, values: Sequence[object]) -> "Scale":
        """Find the place of each value."""
        distinct = list(dict.fromkeys(values))
        numbers = [as_number(value) for value in distinct]
        if None in numbers:
            return cls({value: float(k) for k, value in enumerate(distinct)}, is_plain=False)
        places = {value: number for value, number in zip(distinct, numbers, strict=True) if number is not None}
        return cls(places, is_plain=not any(isinstance(value, str) for value in distinct))

    def label(self, axes: Axes) -> None:
        """Write values that are no plain numbers below their places; between whole numbers there is nothing."""
        if self.is_plain:
            is_whole = all(place.is_integer() for place in self.places.values())
            axes.xaxis.set_major_locator(MaxNLocator("auto", integer=is_whole))
        else:
            axes.set_xticks(list(self.places.values()), [str(value) for value in self.places])


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
    rows = material.rows_having(x, y, *filter(None, [material.figure.series]))
    _Curve(axes, material, rows, x, y, Scale.of(rows[x].tolist())).draw()


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
    scale: Scale

    def draw(self) -> None:
        self._draw_theory()
        for number, (name, rows) in enumerate(self.material.series(self.rows)):
            self._draw_series(number, name, sorted(self._points(name, rows)))
        self.scale.label(self.axes)
        self.axes.set_xlabel(axis_label(self.x))
        self.axes.set_ylabel(axis_label(self.y))
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

    def _draw_series(self, number: int, name: str, points: Sequence[Point]) -> None:
        places, means = [point.x for point in points], [point.y for point in points]
        style = look(number)
        self.axes.plot(places, means, label=name or None, gid=f"series:{name}", **style.of_points)
        if points and self.material.figure.interval != "none":
            reaches = list(zip(*(point.reach for point in points), strict=True))
            self.axes.errorbar(places, means, yerr=reaches, fmt="none", ecolor=style.color, elinewidth=1, capsize=2.5)

    def _draw_theory(self) -> None:
        """Draw bounds where y is a time, and where y is a time over its bound, the one."""
        theory = self.material.figure.theory
        if theory and self.y in _RATIOS:
            self.axes.axhline(1.0, label="bound", gid="theory:bound", **theory_look(theory[0]))
        elif theory and not self.y.endswith("_s"):
            problem = f"bounds are times: y can be {DEFAULT_Y}, or a ratio, not {self.y}"
            raise FigureError(f"figure {self.material.name}: {problem}")
        for scheme in theory if self.y not in _RATIOS else ():
            means = self.rows.groupby(self.x, sort=False)[_BOUNDS[scheme]].mean()
            points = sorted((self.scale.places[value], mean) for value, mean in means.items())
            places, seconds = zip(*points, strict=True)
            self.axes.plot(places, seconds, label=f"{scheme}, bound", gid=f"theory:{scheme}", **theory_look(scheme))
