"""Summaries of points: means over trials with intervals, and comparisons within pairs."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import log
from typing import Final

import numpy as np
import pandas as pd

from testbed.experiment import Plan
from testbed.experiment.language.cells import as_cell
from testbed.results.statistics import PairedTest, Summary, paired_test, summarise
from testbed.runfolder.trial_data import Row
from testbed.tasks.columns import SUMMARY, TableColumns

ROUNDING: Final = 1e-9
"""Values whose relative difference is smaller are equal: a test must not find a pattern in the last digits."""
VERDICTS: Final = ("valid", "suspect", "failed")
"""From the best to the worst: a pair is as good as its worse trial."""
_CHANGES: Final[Mapping[str, Callable[["pd.Series[float]"], "pd.Series[float]"]]] = {
    "difference": lambda differences: differences,
    "gain": lambda gains: gains.map(log),
}
"""The comparisons within pairs, each with a scale on which no change is 0 and opposite changes have opposite signs."""


def summary_table(
    plan: Plan, columns: TableColumns, trials: pd.DataFrame, groups: pd.DataFrame | None, *, with_suspect: bool
) -> pd.DataFrame:
    """Sum up each point of the sweep, of valid trials unless `with_suspect`; `groups` has its trials' columns.

    Where the experiment has several groups, each has rows of its own, also in points in which it is the only one.
    """
    rows = list(_rows(plan, trials, columns.trial_measures, with_suspect=with_suspect))
    by_group = [] if groups is None else list(groups.groupby("group", sort=False))
    for group, members in by_group if len(by_group) > 1 else ():
        of_group = _rows(plan, members, columns.group_measures, with_suspect=with_suspect)
        rows.extend({**row, "group": group} for row in of_group)
    return pd.DataFrame(rows, columns=[*plan.keys, *SUMMARY])


def _rows(plan: Plan, trials: pd.DataFrame, measures: Sequence[str], *, with_suspect: bool) -> Iterator[Row]:
    for values, point in by_point(trials, plan.keys):
        for measure in measures:
            yield _mean_row(values, point, measure, with_suspect=with_suspect)
    if plan.pair is not None:
        cells = [{key: as_cell(value) for key, value in trial.point.items()} for trial in plan.trials]
        together = _keys_within_pairs(plan, plan.pair, cells)
        for values, points in by_point(trials, [key for key in plan.keys if key not in together]):
            planned = next(each for each in cells if values.items() <= each.items())
            first = {key: planned[key] for key in together}
            for measure in measures:
                yield from _pair_rows(values, points, first, measure, with_suspect=with_suspect)


def _keys_within_pairs(plan: Plan, pair: str, cells: Sequence[Row]) -> list[str]:
    """Return the keys in which trials of one pair differ: the paired one, and those that change with it."""
    values: dict[tuple[str | None, str], set[object]] = {}
    for trial, row in zip(plan.trials, cells, strict=True):
        for key in plan.keys:
            values.setdefault((trial.pair, key), set()).add(row[key])
    varied = {key for (_, key), found in values.items() if len(found) > 1}
    return [pair, *(key for key in plan.keys if key != pair and key in varied)]


def is_used(verdicts: "pd.Series[str]", *, with_suspect: bool) -> "pd.Series[bool]":
    """Return which trials count: valid ones, suspect ones only if they are asked for, and failed ones never."""
    return verdicts.isin(VERDICTS[:2] if with_suspect else VERDICTS[:1])


def by_point(trials: pd.DataFrame, keys: Sequence[str]) -> Iterator[tuple[Row, pd.DataFrame]]:
    """Yield the values of some swept keys, and the rows that have them."""
    if not keys:
        if len(trials):
            yield {}, trials
        return
    for values, rows in trials.groupby(list(keys), sort=False, dropna=False):
        yield dict(zip(keys, values, strict=True)), rows


def _mean_row(values: Row, point: pd.DataFrame, measure: str, *, with_suspect: bool) -> Row:
    used = point[is_used(point["verdict"], with_suspect=with_suspect)]
    found = summarise(used[measure], f"{values} {measure}")
    counts = [int((point["verdict"] == verdict).sum()) for verdict in VERDICTS]
    return {**values, **_cells(measure, ("", ""), counts, found), "p_permutation": None, "p_t": None}


def _pair_rows(values: Row, points: pd.DataFrame, first: Row, measure: str, *, with_suspect: bool) -> Iterator[Row]:
    """Compare trials with those of their pair that have the values `first` of some keys, the paired one in front.

    The trials with these values may be missing: then there is no pair, and no other value takes their place.
    """
    by_values = list(by_point(points, list(first)))
    partners = next((rows for changed, rows in by_values if changed == first), points.iloc[:0])
    against = str(next(iter(first.values())))
    for changed, rows in by_values:
        if changed == first:
            continue
        pairs = _pairs(rows, partners, measure)
        used = pairs[is_used(pairs["worse"], with_suspect=with_suspect)]
        counts = [int((pairs["worse"] == verdict).sum()) for verdict in VERDICTS]
        for compared, change in _CHANGES.items():
            stream = f"{values} {measure} {against} {' '.join(map(str, changed.values()))} {compared}"
            found, test = summarise(used[compared], stream), paired_test(change(used[compared]), stream)
            yield {**values, **changed, **_cells(measure, (compared, against), counts, found), **_p_values(test)}


def _pairs(rows: pd.DataFrame, first: pd.DataFrame, measure: str) -> pd.DataFrame:
    columns = ["pair", measure, "verdict"]
    both = rows[columns].merge(first[columns], on="pair", suffixes=("", "_first"))
    found, before = both[measure].to_numpy(dtype=float), both[f"{measure}_first"].to_numpy(dtype=float)
    is_same = np.isclose(found, before, rtol=ROUNDING, atol=0)
    both["difference"] = np.where(is_same, 0.0, found - before)
    has_gain = (found > 0) & (before > 0)
    both["gain"] = np.where(is_same, 1.0, np.divide(before, found, out=np.full_like(found, np.nan), where=has_gain))
    both["worse"] = [max(pair, key=VERDICTS.index) for pair in zip(both["verdict"], both["verdict_first"], strict=True)]
    return both


def _cells(measure: str, against: tuple[str, str], counts: Iterable[int], found: Summary) -> Row:
    valid, suspect, failed = counts
    compared, first = against
    return {
        "group": "",
        "measure": measure,
        "compared": compared,
        "against": first,
        "n": found.n,
        "n_valid": valid,
        "n_suspect": suspect,
        "n_failed": failed,
        "mean": found.mean,
        "sd": found.sd,
        "low": found.low,
        "high": found.high,
    }


def _p_values(test: PairedTest) -> Row:
    return {"p_permutation": test.p_permutation, "p_t": test.p_t}
