"""The share of peers that had completed by a time."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from testbed.results.figures.rows import FigureSource
from testbed.results.figures.style import look
from testbed.runfolder.counters import Numbers


def draw_cdf(axes: Axes, source: FigureSource) -> None:
    """Draw the figure; where some peers never completed, the line ends below 1."""
    column = source.figure.x or source.columns.defaults["cdf"]
    rows = source.rows(source.columns.table_of["cdf"], column, *filter(None, [source.figure.series]))
    for number, (name, part) in enumerate(source.series(rows)):
        values, shares = distribution(part[column])
        axes.step(values, shares, where="post", label=name or None, gid=f"series:{name}", **look(number).of_lines)
    axes.set_xlabel(source.columns.axis_label(column))
    axes.set_ylabel("share of the peers")
    axes.set_xlim(left=0)
    axes.set_ylim(0, 1.02)


def distribution(values: "pd.Series[float]") -> tuple[Numbers, Numbers]:
    """Return the steps of the empirical distribution from 0 on; missing values count as never reached."""
    ordered = np.sort(values.dropna().to_numpy(dtype=float))
    shares = np.arange(1, len(ordered) + 1) / len(values)
    return np.concatenate([[0.0], ordered]), np.concatenate([[0.0], shares])
