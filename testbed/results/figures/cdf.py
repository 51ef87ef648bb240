"""Which share of the peers was done by when."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from testbed.experiment.columns import axis_label
from testbed.results.figures.rows import Material
from testbed.results.figures.style import look
from testbed.runfolder.counters import Numbers

DEFAULT_X: Final = "completed_s"


def draw_cdf(axes: Axes, material: Material) -> None:
    """Draw the figure; peers that were never done keep their line below 1."""
    column = material.figure.x or DEFAULT_X
    rows = material.rows("peers", column, *filter(None, [material.figure.series]))
    for number, (name, part) in enumerate(material.series(rows)):
        values, shares = distribution(part[column])
        axes.step(values, shares, where="post", label=name or None, gid=f"series:{name}", **look(number).of_lines)
    axes.set_xlabel(axis_label(column))
    axes.set_ylabel("share of the peers")
    axes.set_xlim(left=0)
    axes.set_ylim(0, 1.02)


def distribution(values: "pd.Series[float]") -> tuple[Numbers, Numbers]:
    """Return the steps of the empirical distribution, from 0 on; what is no number counts, and comes never."""
    ordered = np.sort(values.dropna().to_numpy(dtype=float))
    shares = np.arange(1, len(ordered) + 1) / len(values)
    return np.concatenate([[0.0], ordered]), np.concatenate([[0.0], shares])
