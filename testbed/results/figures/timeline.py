"""A column of the timeline over the seconds of a trial."""

import pandas as pd
from matplotlib.axes import Axes

from contract.events import Level
from testbed.results.figures.rows import FigureError, FigureSource
from testbed.results.figures.style import look


def draw_timeline(axes: Axes, source: FigureSource) -> None:
    """Draw the figure: a line is the mean of its trials, as long as half of them ran."""
    y = source.figure.y or source.columns.defaults["timeline"]
    possible = source.columns.tables["timeline"]
    if y not in possible:
        raise FigureError(f"figure {source.name}: y must be {' or '.join(list(possible)[2:])}, not {y}")
    rows = source.rows("timeline", y, *filter(None, [source.figure.series]))
    if rows[y].isna().all():
        level = possible[y].trace_level
        needs = "no trial has values" if level is Level.SUMMARY else f"it needs `trace_level: {level.name.lower()}`"
        raise FigureError(f"figure {source.name}: {y} is empty in every trial: {needs}")
    for number, (name, part) in enumerate(source.series(rows)):
        mean = mean_line(part, y)
        axes.plot(mean.index, mean.to_numpy(), label=name or None, gid=f"series:{name}", **look(number).of_lines)
    axes.set_xlabel(source.columns.axis_label("t"))
    axes.set_ylabel(source.columns.axis_label(y))
    axes.set_xlim(left=0)
    axes.set_ylim(0, 1.05 if possible[y].is_share and axes.get_ylim()[1] < 1.05 else None)


def mean_line(rows: pd.DataFrame, y: str) -> "pd.Series[float]":
    """Return the mean at each second that at least half of the trials reached."""
    by_time = rows.groupby("t")[y]
    return by_time.mean()[by_time.size() * 2 >= rows["trial"].nunique()]
