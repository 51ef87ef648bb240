"""Comparisons within pairs: a column of a trial against the same column of its partner."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from testbed.experiment import Plan
from testbed.results.figures.numbers import Chosen
from testbed.results.figures.rows import FigureError, FigureSource
from testbed.results.tables import point_cells

NO_CHANGE: Final[Mapping[str, float]] = {"difference": 0.0, "gain": 1.0}
"""The value of each comparison where nothing changed."""
_MISSING: Final = "missing"
_REASONS: Final[Mapping[str, str]] = {"suspect": "is suspect", _MISSING: "is missing"}


def compared_rows(source: FigureSource, table: str, rows: pd.DataFrame, y: str) -> pd.DataFrame:
    """Return the rows of trials that have a partner, with y compared; both must be valid, unless suspect ones count.

    The partner's row need not meet the figure's `where:`.
    """
    key, first = pair_of(source.plan)
    names = ["pair", *source.columns.row_names[table]]
    everyone = source.trusted(table)
    partners = everyone.loc[everyone[key] == first, [*names, y]]
    both = rows[rows[key] != first].merge(partners, on=names, suffixes=("", "_first"))
    if both.empty:
        why = _left_out(source, table, y) or "no trial has a partner to be compared with"
        raise FigureError(f"figure {source.name}: {why}")
    is_gain = source.figure.compared == "gain"
    both[y] = both[f"{y}_first"] / both[y] if is_gain else both[y] - both[f"{y}_first"]
    return both


def left_out_pairs(source: FigureSource, chosen: Chosen) -> str:
    """Say how many of the pairs that a figure could show are left out, and why; empty if there are none."""
    columns = (*chosen.x, *chosen.ys, *filter(None, [chosen.series]))
    return _left_out(source, source.table_having(*columns), chosen.ys[0])


def _left_out(source: FigureSource, table: str, y: str) -> str:
    key, first = pair_of(source.plan)
    shown = source.chosen(source.tables.with_trials(table), y)
    others = shown[shown[key] != first].drop_duplicates("trial")
    trials = source.tables.trials
    partners = trials[trials[key] == first].set_index("pair")["verdict"].to_dict()
    doubts = [
        _doubts(source, str(verdict), str(partners.get(pair, _MISSING)))
        for pair, verdict in zip(others["pair"], others["verdict"], strict=True)
    ]
    left_out = [each for each in doubts if each]
    if not left_out:
        return ""
    reasons = " or ".join(sorted({_REASONS.get(reason, reason) for each in left_out for reason in each}))
    are, trial = ("is", "one of its trials") if len(left_out) == 1 else ("are", "a trial of each")
    of = f"{len(left_out)} of {len(doubts)} pairs" if len(doubts) > 1 else "the only pair"
    return f"{of} {are} left out, as {trial} {reasons}"


def _doubts(source: FigureSource, *verdicts: str) -> set[str]:
    return {verdict for verdict in verdicts if verdict not in source.trusted_verdicts}


def pair_of(plan: Plan) -> tuple[str, object]:
    """Return the paired key, and its first value as tables have it."""
    if plan.pair is None:
        raise FigureError("`compared:` needs `pair:` and a swept key")
    return plan.pair, point_cells(plan.trials[0])[plan.pair]


def compared_values(plan: Plan) -> int:
    """Return how many values of the paired key are compared with the first one."""
    key, first = pair_of(plan)
    return len({str(point_cells(trial)[key]) for trial in plan.trials} - {str(first)})
