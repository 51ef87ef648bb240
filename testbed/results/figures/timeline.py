"""A column of the timeline over the seconds of a trial."""

from typing import Final

import pandas as pd
from matplotlib.axes import Axes

from testbed.experiment.columns import TIMELINE, axis_label
from testbed.results.figures.rows import FigureError, Material
from testbed.results.figures.style import look

DEFAULT_Y: Final = "peer_utilisation"
_PARTS: Final = ("server_utilisation", "peer_utilisation", "completion")
"""What is at most about 1 has the axis of all figures of its kind."""


def draw_timeline(axes: Axes, material: Material) -> None:
    """Draw the figure: a line is the mean of its trials, for as long as half of them ran."""
    y = material.figure.y or DEFAULT_Y
    if y not in TIMELINE:
        raise FigureError(f"figure {material.name}: y can be {', '.join(list(TIMELINE)[2:])}; not {y}")
    rows = material.rows("timeline", y, *filter(None, [material.figure.series]))
    if rows[y].isna().all():
        needs = "it needs `trace_level: pieces`" if y.startswith("copies") else "nothing was counted"
        raise FigureError(f"figure {material.name}: {y} is empty in every trial: {needs}")
    for number, (name, part) in enumerate(material.series(rows)):
        mean = mean_line(part, y)
        axes.plot(mean.index, mean.to_numpy(), label=name or None, gid=f"series:{name}", **look(number).of_lines)
    axes.set_xlabel(axis_label("t"))
    axes.set_ylabel(axis_label(y))
    axes.set_xlim(left=0)
    axes.set_ylim(0, 1.05 if y in _PARTS and axes.get_ylim()[1] < 1.05 else None)


def mean_line(rows: pd.DataFrame, y: str) -> "pd.Series[float]":
    """Return the mean at each second of which at least half of the trials have one."""
    by_time = rows.groupby("t")[y]
    return by_time.mean()[by_time.size() * 2 >= rows["trial"].nunique()]
