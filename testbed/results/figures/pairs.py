"""A column of each trial against the same of the trial with which it is paired."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from testbed.experiment.columns import axis_label
from testbed.experiment.language.cells import readable
from testbed.results.figures.rows import FigureError, Material
from testbed.tasks.distribute.tables.trials import point_cells

_IDENTITY: Final[Mapping[str, tuple[str, ...]]] = {
    "trials": (),
    "groups": ("group",),
    "peers": ("peer",),
    "timeline": ("t",),
    "transfers": ("giver", "receiver"),
}
"""What tells the rows of one trial apart: a row is compared with that of the same name."""

NO_CHANGE: Final[Mapping[str, float]] = {"difference": 0.0, "gain": 1.0}
"""What a comparison comes to where there is nothing to tell."""


def compared_rows(material: Material, table: str, rows: pd.DataFrame, y: str) -> pd.DataFrame:
    """Return the rows of trials that have a partner, with what became of y; both must be valid, unless all are wanted.

    The partner's row need not be among those that the figure's `where:` takes.
    """
    key, first = pair_of(material)
    names = ["pair", *_IDENTITY[table]]
    everyone = material.trusted(table)
    partners = everyone.loc[everyone[key] == first, [*names, y]]
    both = rows[rows[key] != first].merge(partners, on=names, suffixes=("", "_first"))
    if both.empty:
        raise FigureError(f"figure {material.name}: no trial has a partner to compare it with")
    is_gain = material.figure.compared == "gain"
    both[y] = both[f"{y}_first"] / both[y] if is_gain else both[y] - both[f"{y}_first"]
    return both


def pair_of(material: Material) -> tuple[str, object]:
    """Return the paired key, and its first value as tables have it."""
    key = material.plan.pair
    if key is None:
        raise FigureError(f"figure {material.name}: `compared:` needs `pair:` and a swept key")
    return key, point_cells(material.plan.trials[0])[key]


def lines_of(material: Material, rows: pd.DataFrame, x: str) -> str | None:
    """Return the column that tells lines apart: what the figure says, or the paired key where x is another one."""
    key, _ = pair_of(material)
    return material.figure.series or (key if key != x and rows[key].nunique() > 1 else None)


def label_of(material: Material, y: str) -> str:
    """Return what the axis says; a gain is a ratio, and has no unit."""
    first = readable(pair_of(material)[1])
    if material.figure.compared == "gain":
        return f"gain over {first}: {axis_label(y, with_unit=False)}"
    return f"{axis_label(y)}, minus that of {first}"
