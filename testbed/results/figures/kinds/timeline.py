"""Columns of the timeline over the seconds of a trial."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from contract.events import Level
from testbed.experiment import Plan
from testbed.experiment.schema.figures import AxisUnits, Figure
from testbed.results.figures.numbers import HIGH, LINE, LOW, VALUE, Chosen, N
from testbed.results.figures.panel import Kind, Panel
from testbed.results.figures.rows import FigureError, FigureSource
from testbed.results.figures.scales import finish_value_axis, label_x, value_unit, x_label
from testbed.results.figures.units import unit_of
from testbed.tasks.columns import TableColumns

_TIME: Final = "t"


def choose(figure: Figure, _: Plan, columns: TableColumns) -> Chosen:
    """Choose the use of the peers' uplinks for y."""
    possible = columns.by_second
    ys = figure.ys or (columns.defaults["timeline"],)
    for y in ys:
        if y not in possible:
            raise FigureError(f"y must be {' or '.join(list(possible)[2:])}, not {y}")
    return Chosen((_TIME,), ys, figure.series)


def measure(source: FigureSource, chosen: Chosen) -> pd.DataFrame:
    """Return the mean lines of one panel."""
    rows = source.rows(source.columns.table_of["timeline"], *chosen.ys, *filter(None, [chosen.series]))
    for y in chosen.ys:
        _require_values(source, rows, y)
    return pd.concat([part for y in chosen.ys for part in _lines(rows, y, chosen.series)], ignore_index=True)


def _require_values(source: FigureSource, rows: pd.DataFrame, y: str) -> None:
    if rows[y].isna().all():
        level = source.columns.by_second[y].trace_level
        needs = "no trial has values" if level is Level.SUMMARY else f"it needs `trace_level: {level.name.lower()}`"
        raise FigureError(f"figure {source.name}: {y} is empty in every trial: {needs}")


def _lines(rows: pd.DataFrame, y: str, series: str | None) -> Iterator[pd.DataFrame]:
    parts = [(None, rows)] if series is None else rows.groupby(series, sort=False, dropna=False)
    for name, part in parts:
        mean, trials = mean_line(part, y), part["trial"].nunique()
        key = {} if series is None else {series: name}
        numbers = {LINE: y, VALUE: mean.to_numpy(), LOW: np.nan, HIGH: np.nan, N: trials}
        yield pd.DataFrame({**key, _TIME: mean.index, **numbers})


def mean_line(rows: pd.DataFrame, y: str) -> "pd.Series[float]":
    """Return the mean at each second that at least half of the trials reached."""
    by_time = rows.groupby(_TIME)[y]
    return by_time.mean()[by_time.size() * 2 >= rows["trial"].nunique()]


def draw(axes: Axes, panel: Panel) -> None:
    """Draw one panel: a line is the mean of its trials, as long as half of them ran."""
    numbers = panel.numbers
    time = unit_of(numbers.columns.column(_TIME), numbers.rows[_TIME], (numbers.figure.units or AxisUnits()).x)
    unit = value_unit(numbers)
    for line in panel.lines():
        x, y = line.rows[_TIME] / time.worth, line.rows[VALUE] / unit.worth
        axes.plot(x, y, label=line.name or None, gid=line.id, **line.look.of_lines)
    label_x(axes, panel, time.after(x_label(numbers, _TIME)))
    finish_value_axis(axes, panel, unit)
    axes.set_xlim(0.0, float(numbers.rows[_TIME].max()) / time.worth)
    column = numbers.y
    if column is not None and column.is_share and axes.get_yscale() == "linear":
        axes.set_ylim(0, max(axes.get_ylim()[1], 1.05 / unit.worth))


TIMELINE: Final = Kind(choose, measure, draw)
