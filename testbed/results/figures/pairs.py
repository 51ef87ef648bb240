"""Comparisons within pairs: a column of a trial against the same column of its partner."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from testbed.experiment.language.cells import readable
from testbed.results.figures.rows import FigureError, FigureSource
from testbed.results.tables import point_cells

NO_CHANGE: Final[Mapping[str, float]] = {"difference": 0.0, "gain": 1.0}
"""The value of each comparison where nothing changed."""


def compared_rows(source: FigureSource, table: str, rows: pd.DataFrame, y: str) -> pd.DataFrame:
    """Return the rows of trials that have a partner, with y compared; both must be valid, unless suspect ones count.

    The partner's row need not meet the figure's `where:`.
    """
    key, first = pair_of(source)
    names = ["pair", *source.columns.row_names[table]]
    everyone = source.trusted(table)
    partners = everyone.loc[everyone[key] == first, [*names, y]]
    both = rows[rows[key] != first].merge(partners, on=names, suffixes=("", "_first"))
    if both.empty:
        raise FigureError(f"figure {source.name}: no trial has a partner to be compared with")
    is_gain = source.figure.compared == "gain"
    both[y] = both[f"{y}_first"] / both[y] if is_gain else both[y] - both[f"{y}_first"]
    return both


def pair_of(source: FigureSource) -> tuple[str, object]:
    """Return the paired key, and its first value as tables have it."""
    key = source.plan.pair
    if key is None:
        raise FigureError(f"figure {source.name}: `compared:` needs `pair:` and a swept key")
    return key, point_cells(source.plan.trials[0])[key]


def lines_of(source: FigureSource, rows: pd.DataFrame, x: str) -> str | None:
    """Return the column that has a line for each value: the figure's series, or the paired key unless it is x."""
    key, _ = pair_of(source)
    return source.figure.series or (key if key != x and rows[key].nunique() > 1 else None)


def label_of(source: FigureSource, y: str) -> str:
    """Return the label of the axis; a gain is a ratio and has no unit."""
    first = readable(pair_of(source)[1])
    if source.figure.compared == "gain":
        return f"gain over {first}: {source.columns.axis_label(y, with_unit=False)}"
    return f"{source.columns.axis_label(y)}, minus that of {first}"
