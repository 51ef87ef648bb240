"""A mean in each cell of a matrix: one swept key down, the others across; the number stands in the cell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize

from testbed.experiment.cells import readable
from testbed.experiment.figures import rows_key
from testbed.experiment.measured import axis_label
from testbed.results.counters import Numbers
from testbed.results.figures.pairs import compared_rows, label_of
from testbed.results.figures.rows import FigureError, Material
from testbed.results.statistics import Summary, summarise

DEFAULT_Y: Final = "distribution_s"
_DARK: Final = 0.55
"""From here on of the scale, black letters cannot be read."""


def draw_heatmap(axes: Axes, material: Material) -> None:
    """Draw the figure."""
    y = material.figure.y or DEFAULT_Y
    down, across = _keys(material)
    columns = (y, down, *across)
    table = material.table_having(*columns)
    rows = material.rows(table, *columns)
    label = axis_label(y)
    if material.figure.compared is not None:
        rows, label = compared_rows(material, table, rows, y), label_of(material, y)
    matrix = _Matrix.of(rows, down, across, y)
    norm = _norm(matrix.means, material)
    image = axes.imshow(matrix.means, cmap="Greys", norm=norm, aspect="auto")
    image.set_gid("heatmap")
    for (i, j), cell in matrix.cells():
        is_dark = float(norm(np.array([cell.mean]))[0]) > _DARK
        axes.text(j, i, _words(cell), ha="center", va="center", fontsize=6, color="white" if is_dark else "black")
    figure = axes.get_figure()
    if figure is not None:
        figure.colorbar(image, ax=axes, label=label)
    axes.grid(visible=False)
    axes.set_yticks(range(len(matrix.down)), [readable(value) for value in matrix.down], fontsize=7)
    axes.set_xticks(
        range(len(matrix.across)), ["\n".join(map(readable, values)) for values in matrix.across], fontsize=6
    )
    axes.set_xlabel(", ".join(across))


def _keys(material: Material) -> tuple[str, list[str]]:
    """Return what the rows are, and the columns: what the figure says, or all that is swept besides."""
    x, keys = material.figure.x, material.plan.keys
    down = rows_key(material.figure.series or material.plan.pair, x, keys)
    across = [x] if x else [key for key in keys if key != down]
    if down is None or not across:
        raise FigureError(f"figure {material.name}: two keys have to be swept, or `x:` and `series:` written")
    return down, across


@dataclass(frozen=True)
class _Matrix:
    """What stands where."""

    down: Sequence[object]
    across: Sequence[tuple[object, ...]]
    found: dict[tuple[int, int], Summary]

    @classmethod
    def of(cls, rows: pd.DataFrame, down: str, across: Sequence[str], y: str) -> "_Matrix":
        """Sum up the trials of each cell, each of which is the mean over its rows."""
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
        """Yield what has a number, and where it stands."""
        yield from ((place, cell) for place, cell in self.found.items() if cell.n)


def _norm(means: Numbers, material: Material) -> Normalize:
    """Return how dark a number is; twice and half as fast are as far from no gain."""
    if np.isnan(means).all():
        raise FigureError(f"figure {material.name}: no cell has a number")
    least, most = float(np.nanmin(means)), float(np.nanmax(means))
    is_gain = material.figure.compared == "gain" and least > 0
    return LogNorm(least, most) if is_gain and least < most else Normalize(least, most)


def _words(cell: Summary) -> str:
    interval = f"\n{cell.low:.3g}\N{EN DASH}{cell.high:.3g}" if cell.n > 1 else ""
    return f"{cell.mean:.3g}{interval}"
