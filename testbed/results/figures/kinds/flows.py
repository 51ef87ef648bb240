"""A matrix of the payload that each host sent to each other."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from testbed.experiment import Plan
from testbed.experiment.schema.figures import Figure
from testbed.results.figures.layout import Frame, height_of, width_of
from testbed.results.figures.numbers import HIGH, LINE, LOW, VALUE, Chosen, N, Numbers
from testbed.results.figures.panel import Kind, Panel
from testbed.results.figures.rows import FigureError, FigureSource
from testbed.results.figures.style import WIDTHS
from testbed.results.figures.units import unit_of
from testbed.tasks.columns import TableColumns
from testbed.tasks.tables import tables_of

GIVER: Final = "giver"
RECEIVER: Final = "receiver"
PAYLOAD: Final = "bytes_sent"
_GROUP: Final = "_group"
_OUTSIDE: Final = "others"
"""What hosts outside the experiment are called."""
_LEAST_FONT: Final = 4.5
"""Points: smaller names cannot be read, and only their groups are named."""
_SHAPE: Final = 0.86
"""The height of the figure over its width."""
_BELOW: Final = 0.7
"""Inches that names take below the matrix."""
_BETWEEN: Final = 10
"""Points between the names of hosts and those of their groups."""
_SEPARATOR: Final[Mapping[str, Any]] = {"color": "0.35", "linewidth": 0.7}


def choose(figure: Figure, _: Plan, __: TableColumns) -> Chosen:
    """Choose the payload."""
    if figure.y or figure.series:
        raise FigureError("flows show payload, in one matrix: leave `y:` and `series:` out")
    return Chosen((RECEIVER,), (PAYLOAD,), GIVER)


def measure(source: FigureSource, _: Chosen) -> pd.DataFrame:
    """Return the mean payload over the chosen trials, groups side by side."""
    rows = source.rows(source.columns.table_of["flows"], GIVER, RECEIVER)
    groups = _groups(source, rows)
    matrix = flow_matrix(rows, list(groups))
    trials = rows["trial"].nunique()
    return pd.DataFrame(
        {
            GIVER: giver,
            RECEIVER: receiver,
            f"{GIVER}{_GROUP}": groups[giver],
            f"{RECEIVER}{_GROUP}": groups[receiver],
            LINE: PAYLOAD,
            VALUE: sent,
            LOW: np.nan,
            HIGH: np.nan,
            N: trials,
        }
        for giver, row in zip(matrix.index, matrix.to_numpy(), strict=True)
        for receiver, sent in zip(matrix.columns, row, strict=True)
    )


def flow_matrix(rows: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Return the payload from each host (row) to each other (column) in bytes, the mean over trials."""
    sent = rows["bytes_sent"].fillna(rows["bytes_received"])
    sums = rows.assign(sent=sent).pivot_table(index=GIVER, columns=RECEIVER, values="sent", aggfunc="sum")
    givers = [name for name in order if name in sums.index]
    receivers = [name for name in order if name in sums.columns]
    return sums.reindex(index=givers, columns=receivers).fillna(0.0) / rows["trial"].nunique()


def _groups(source: FigureSource, rows: pd.DataFrame) -> Mapping[str, str]:
    """Return the groups of hosts in the order of their task, then hosts outside the experiment."""
    known = tables_of(source.plan).host_groups(source.tables.by_name, set(rows["trial"]))
    outside = dict.fromkeys([*rows[GIVER], *rows[RECEIVER]], _OUTSIDE)
    return {**known, **{name: group for name, group in outside.items() if name not in known}}


def draw(axes: Axes, panel: Panel) -> None:
    """Draw the matrix, with lines between groups and the groups' names beside it."""
    rows, numbers = panel.rows, panel.numbers
    givers, receivers = list(dict.fromkeys(rows[GIVER])), list(dict.fromkeys(rows[RECEIVER]))
    unit = unit_of(numbers.columns.column(PAYLOAD), rows[VALUE], None)
    matrix = rows.pivot_table(index=GIVER, columns=RECEIVER, values=VALUE).reindex(index=givers, columns=receivers)
    shown = matrix.to_numpy() / unit.worth
    image = axes.imshow(shown, cmap="Greys", vmin=0, aspect="auto", interpolation="nearest")
    image.set_gid("flows")
    canvas = axes.get_figure()
    if isinstance(canvas, Canvas):
        canvas.colorbar(image, ax=axes, label=unit.after(numbers.phrases.label(PAYLOAD)), pad=0.02)
    axes.grid(visible=False)
    _label_side(axes, panel, GIVER, givers)
    _label_side(axes, panel, RECEIVER, receivers)


def _label_side(axes: Axes, panel: Panel, side: str, hosts: Sequence[str]) -> None:
    """Name the hosts along one axis if they can be read, and beyond them their groups, with lines between groups."""
    is_down, phrases = side == GIVER, panel.numbers.phrases
    inches = panel.frame.heights[0] - _BELOW if is_down else panel.width * 0.8
    font = min(panel.frame.font - 1, 72 * inches / (1.2 * len(hosts)))
    has_names = font >= _LEAST_FONT
    groups_of = panel.rows.drop_duplicates(side).set_index(side)[f"{side}{_GROUP}"].reindex(list(hosts))
    names = ["" if host == group else phrases.name(host) for host, group in groups_of.items()] if has_names else []
    axis = axes.yaxis if is_down else axes.xaxis
    axis.set_ticks(range(len(names)), names, fontsize=font, rotation=0 if is_down else 90)
    depth = 72 * max((width_of(name, font) for name in names), default=0.0) + _BETWEEN
    chosen = phrases.chosen("y" if is_down else "x")
    label = side if chosen is None else chosen
    groups = [(str(name), len(list(members))) for name, members in groupby(groups_of)]
    if len(groups) < 2:
        axis.set_label_text(label)
        return
    _label_groups(axes, panel, [(phrases.name(name), size) for name, size in groups], depth, label, is_down=is_down)


def _label_groups(
    axes: Axes, panel: Panel, groups: Sequence[tuple[str, int]], depth: float, label: str, *, is_down: bool
) -> None:
    """Write the groups' names on an axis of their own, `depth` points from the matrix, with ticks between groups."""
    ends = np.cumsum([size for _, size in groups]) - 0.5
    starts = np.concatenate([[-0.5], ends[:-1]])
    for end in ends[:-1]:
        (axes.axhline if is_down else axes.axvline)(end, **_SEPARATOR)
    outer = axes.secondary_yaxis("left") if is_down else axes.secondary_xaxis("bottom")
    spine = "left" if is_down else "bottom"
    outer.spines[spine].set_position(("outward", depth))
    outer.spines[spine].set_visible(True)
    axis = outer.yaxis if is_down else outer.xaxis
    axis.set_ticks([-0.5, *ends], [""] * (len(ends) + 1))
    axis.set_ticks((starts + ends) / 2, [name for name, _ in groups], minor=True, fontsize=panel.frame.font - 1)
    outer.tick_params(axis="y" if is_down else "x", which="minor", length=0)
    outer.tick_params(axis="y" if is_down else "x", which="major", length=4, direction="inout")
    if not is_down and _is_crowded([name for name, _ in groups], [size for _, size in groups], panel):
        outer.tick_params(axis="x", which="minor", rotation=90)
    axis.set_label_text(label)


def _is_crowded(names: Sequence[str], sizes: Sequence[int], panel: Panel) -> bool:
    """Whether names of groups, each centred under its hosts, may touch."""
    font, each = panel.frame.font - 1, panel.width * 0.8 / sum(sizes)
    centres = np.cumsum(sizes) - np.array(sizes) / 2
    halves = [width_of(name, font) / 2 for name in names]
    gap = height_of(1, font) / 3
    pairs = zip(range(len(names) - 1), range(1, len(names)), strict=True)
    return any((centres[k] - centres[i]) * each < halves[i] + halves[k] + gap for i, k in pairs)


def _frame(numbers: Numbers, font: float) -> Frame:
    width = WIDTHS[numbers.figure.size or "column"]
    return Frame(width, (width * _SHAPE,), 1, font)


FLOWS: Final = Kind(choose, measure, draw, _frame, is_matrix=True)
