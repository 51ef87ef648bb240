"""A matrix of means: one swept key down, the others across, with the number in each cell.

Where trials are compared, the colour of a cell shows the direction and size of the change, and its numbers are bold if
its interval excludes no change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log2
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure as Canvas

from testbed.experiment.language.cells import readable
from testbed.experiment.schema.figures import rows_key
from testbed.results.figures.pairs import NO_CHANGE, compared_rows, label_of
from testbed.results.figures.rows import FigureError, FigureSource
from testbed.results.figures.style import wrapped
from testbed.results.statistics import Summary, summarise
from testbed.runfolder.counters import Numbers

_CELL: Final = 0.62
_BESIDE: Final = 1.9
"""Inches: the width of an interval in words, and of everything beside the matrix."""
_LEAST_REACH: Final = 2.0
"""Colours of gains range at least from half to twice as fast, so that they mean the same in most figures."""


def draw_heatmap(axes: Axes, source: FigureSource) -> None:
    """Draw the figure."""
    y = source.figure.y or source.columns.defaults["heatmap"]
    down, across = _keys(source)
    columns = (y, down, *across)
    table = source.table_having(*columns)
    rows = source.rows(table, *columns)
    label = source.columns.axis_label(y)
    if source.figure.compared is not None:
        rows, label = compared_rows(source, table, rows, y), label_of(source, y)
    matrix = _Matrix.of(rows, down, across, y)
    colours = _Colours.of(matrix.means, source)
    image = axes.imshow(matrix.means, cmap=colours.name, norm=colours.norm, aspect="auto")
    image.set_gid("heatmap")
    no_change = NO_CHANGE.get(source.figure.compared or "")
    for (i, j), cell in matrix.cells():
        ink = "white" if colours.is_dark(cell.mean) else "black"
        is_clear = no_change is not None and cell.n > 1 and not cell.low <= no_change <= cell.high
        weight = "bold" if is_clear else "normal"
        axes.text(j, i, _words(cell), ha="center", va="center", fontsize=6, color=ink, fontweight=weight)
    canvas = axes.get_figure()
    if isinstance(canvas, Canvas):
        canvas.set_figwidth(max(canvas.get_figwidth(), _BESIDE + _CELL * len(matrix.across)))
        bar = canvas.colorbar(image, ax=axes, label=wrapped(label))
        if colours.marks:
            bar.set_ticks(colours.marks, labels=[f"{mark:.2g}" for mark in colours.marks])
            bar.minorticks_off()
    axes.grid(visible=False)
    axes.set_yticks(range(len(matrix.down)), [readable(value) for value in matrix.down], fontsize=7)
    axes.set_xticks(
        range(len(matrix.across)), ["\n".join(map(readable, values)) for values in matrix.across], fontsize=6
    )
    axes.set_xlabel(", ".join(across))


def _keys(source: FigureSource) -> tuple[str, list[str]]:
    """Return the key of the rows and the keys of the columns: those of the figure, or all other swept keys."""
    x, keys = source.figure.x, source.plan.keys
    down = rows_key(source.figure.series or source.plan.pair, x, keys)
    across = [x] if x else [key for key in keys if key != down]
    if down is None or not across:
        raise FigureError(f"figure {source.name}: sweep two keys, or write `x:` and `series:`")
    return down, across


@dataclass(frozen=True)
class _Matrix:
    """The rows, the columns, and the cells that have trials."""

    down: Sequence[object]
    across: Sequence[tuple[object, ...]]
    found: dict[tuple[int, int], Summary]

    @classmethod
    def of(cls, rows: pd.DataFrame, down: str, across: Sequence[str], y: str) -> "_Matrix":
        """Sum up the trials of each cell; a trial counts as the mean of its rows."""
        names = list(dict.fromkeys(rows[down]))
        places = list(dict.fromkeys(rows[list(across)].itertuples(index=False, name=None)))
        found = {}
        for (name, *place), part in rows.groupby([down, *across], sort=False, dropna=False):
            of_trials = part.groupby("trial", sort=False)[y].mean()
            found[names.index(name), places.index(tuple(place))] = summarise(of_trials, f"{name} {place} {y}")
        return cls(names, places, found)

    @property
    def means(self) -> Numbers:
        """The mean of each cell; nan where there is none."""
        means = np.full((len(self.down), len(self.across)), np.nan)
        for place, cell in self.found.items():
            means[place] = cell.mean
        return means

    def cells(self) -> Iterator[tuple[tuple[int, int], Summary]]:
        """Yield the places of the cells that have a number, and the cells."""
        yield from ((place, cell) for place, cell in self.found.items() if cell.n)


@dataclass(frozen=True)
class _Colours:
    """How numbers are coloured."""

    name: str
    norm: Normalize
    darkest: tuple[float, float]
    """Outside this range of the scale, black letters cannot be read."""
    marks: Sequence[float] = ()
    """The numbers beside the scale; empty for the usual ones."""

    @classmethod
    def of(cls, means: Numbers, source: FigureSource) -> "_Colours":
        """Choose colours: less than the partner is blue, more is red; half and twice as fast are equally dark."""
        if np.isnan(means).all():
            raise FigureError(f"figure {source.name}: no cell has a number")
        least, most = float(np.nanmin(means)), float(np.nanmax(means))
        if source.figure.compared == "gain" and least > 0:
            reach = max(most, 1 / least, _LEAST_REACH)
            steps = int(2 * log2(reach))
            marks = [2 ** (step / 2) for step in range(-steps, steps + 1)]
            return cls("RdBu", LogNorm(1 / reach, reach), (0.15, 0.85), marks)
        if source.figure.compared == "difference":
            reach = max(-least, most)
            return cls("RdBu_r", Normalize(-reach, reach), (0.15, 0.85))
        return cls("Greys", Normalize(least, most), (0.0, 0.55))

    def is_dark(self, number: float) -> bool:
        """Whether letters on the colour of a number must be white."""
        place = float(self.norm(np.array([number]))[0])
        return not self.darkest[0] <= place <= self.darkest[1]


def _words(cell: Summary) -> str:
    interval = f"\n{cell.low:.3g}\N{EN DASH}{cell.high:.3g}" if cell.n > 1 else ""
    return f"{cell.mean:.3g}{interval}"
