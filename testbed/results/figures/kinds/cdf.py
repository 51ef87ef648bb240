"""The share of peers that had completed by a time."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from testbed.experiment import Plan
from testbed.experiment.schema.figures import AxisUnits, Figure, Scales
from testbed.results.figures.numbers import HIGH, LINE, LOW, VALUE, Chosen, N
from testbed.results.figures.panel import Kind, Panel
from testbed.results.figures.rows import FigureError, FigureSource
from testbed.results.figures.scales import label_x, x_label
from testbed.results.figures.units import unit_of
from testbed.runfolder.counters import Numbers as Array
from testbed.tasks.columns import TableColumns


def share_of(columns: TableColumns) -> str:
    """Return what the y axis shows."""
    return f"share of the {columns.cdf_of}"


def choose(figure: Figure, _: Plan, columns: TableColumns) -> Chosen:
    """Choose the time of completion for x."""
    return Chosen((figure.x or columns.defaults["cdf"],), (share_of(columns),), figure.series)


def measure(source: FigureSource, chosen: Chosen) -> pd.DataFrame:
    """Return the steps of each distribution in one panel."""
    (x,) = chosen.x
    rows = source.rows(source.columns.table_of["cdf"], x, *filter(None, [chosen.series]))
    return pd.concat(_steps(rows, chosen), ignore_index=True)


def _steps(rows: pd.DataFrame, chosen: Chosen) -> Iterator[pd.DataFrame]:
    (x,), (shown,), series = chosen.x, chosen.ys, chosen.series
    parts = [(None, rows)] if series is None else rows.groupby(series, sort=False, dropna=False)
    for name, part in parts:
        values, shares = distribution(part[x])
        key = {} if series is None else {series: name}
        yield pd.DataFrame({**key, x: values, LINE: shown, VALUE: shares, LOW: np.nan, HIGH: np.nan, N: len(part)})


def distribution(values: "pd.Series[float]") -> tuple[Array, Array]:
    """Return the steps of the empirical distribution from 0 on; missing values count as never reached."""
    ordered = np.sort(values.dropna().to_numpy(dtype=float))
    shares = np.arange(1, len(ordered) + 1) / len(values)
    return np.concatenate([[0.0], ordered]), np.concatenate([[0.0], shares])


def draw(axes: Axes, panel: Panel) -> None:
    """Draw one panel; where some peers never completed, the line ends below 1."""
    numbers = panel.numbers
    (x,) = numbers.chosen.x
    unit = unit_of(numbers.columns.column(x), numbers.rows[x], (numbers.figure.units or AxisUnits()).x)
    for line in panel.lines():
        axes.step(
            line.rows[x] / unit.worth,
            line.rows[VALUE],
            where="post",
            label=line.name or None,
            gid=line.id,
            **line.look.of_lines,
        )
    label_x(axes, panel, unit.after(x_label(numbers, x)))
    chosen = numbers.phrases.chosen("y")
    axes.set_ylabel(share_of(numbers.columns) if chosen is None else chosen)
    axes.set_ylim(0, 1.02)
    _set_range(axes, panel, float(numbers.rows[x].max()) / unit.worth)


def _set_range(axes: Axes, panel: Panel, most: float) -> None:
    """All panels have the same range. A log axis begins at the first completion."""
    numbers = panel.numbers
    if (numbers.figure.scale or Scales()).x == "log":
        if most <= 0:
            raise FigureError(f"figure {numbers.name}: its x has no values above 0, which a log axis needs")
        axes.set_xscale("log")
    else:
        axes.set_xlim(0.0, most * 1.03 or 1.0)


CDF: Final = Kind(choose, measure, draw)
