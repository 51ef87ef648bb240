"""A matrix of the payload that each host sent to each other."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
from matplotlib.axes import Axes

from testbed.results.figures.rows import FigureError, FigureSource
from testbed.tasks.tables import tables_of

MOST_NAMES: Final = 40
"""With more hosts, the names along the axes cannot be read."""
_MIB: Final = 1 << 20


def draw_flows(axes: Axes, source: FigureSource) -> None:
    """Draw the figure: the mean over the chosen trials, groups side by side."""
    rows = source.rows("transfers", "giver", "receiver")
    if source.figure.y or source.figure.series:
        raise FigureError(f"figure {source.name}: flows show payload, in one matrix: leave `y:` and `series:` out")
    matrix = flow_matrix(rows, _order(source, rows))
    image = axes.imshow(matrix.to_numpy(), cmap="Greys", vmin=0, aspect="auto", interpolation="nearest")
    image.set_gid("flows")
    figure = axes.get_figure()
    if figure is not None:
        figure.colorbar(image, ax=axes, label="payload (MiB)")
    _label(axes, list(matrix.index), list(matrix.columns))


def flow_matrix(rows: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Return the payload from each host (row) to each other (column) in MiB, the mean over trials."""
    sent = rows["bytes_sent"].fillna(rows["bytes_received"]) / _MIB
    sums = rows.assign(sent=sent).pivot_table(index="giver", columns="receiver", values="sent", aggfunc="sum")
    givers = [name for name in order if name in sums.index]
    receivers = [name for name in order if name in sums.columns]
    return sums.reindex(index=givers, columns=receivers).fillna(0.0) / rows["trial"].nunique()


def _order(source: FigureSource, rows: pd.DataFrame) -> list[str]:
    """Return the hosts in the order of their task, then hosts outside the experiment."""
    known = tables_of(source.plan).host_order(source.tables.by_name, set(rows["trial"]))
    return list(dict.fromkeys([*known, *rows["giver"], *rows["receiver"]]))


def _label(axes: Axes, givers: list[str], receivers: list[str]) -> None:
    axes.grid(visible=False)
    axes.set_xlabel("receiver")
    axes.set_ylabel("giver")
    if max(len(givers), len(receivers)) <= MOST_NAMES:
        axes.set_xticks(range(len(receivers)), receivers, rotation=90, fontsize=6)
        axes.set_yticks(range(len(givers)), givers, fontsize=6)
