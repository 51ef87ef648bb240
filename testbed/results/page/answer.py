"""The answer to an experiment's question: a sentence with its interval, and the numbers of all points.

With pairs it is how much faster the varied peers were than their partners; without, the most important measure.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, TypeAlias

import pandas as pd

from contract.wording import counted
from testbed.results.page.words import Words, number
from testbed.results.tables import Tables

Json: TypeAlias = dict[str, Any]
Row: TypeAlias = Mapping[str, Any]

MOST_NAMED: Final = 3
"""The most numbers that the sentence names; of more, it names the ends of their range."""
_PERCENT: Final = "%"


@dataclass(frozen=True)
class Answer:
    """What a run found."""

    words: Words
    tables: Tables

    def sentence(self) -> str:
        """Return the answer; it says so if there is none yet."""
        if self.words.plan.pair is not None:
            gains = self._of_interest(self._gains())
            return self._of_gains(gains) if gains else "No pair of trials that count has a result yet."
        means = self._means(next(iter(self._measures()), ""))
        return self._of_means(means) if means else "No trial that counts has a result yet."

    def comparisons(self) -> Json | None:
        """Return the gain of each point over its partner; None without pairs."""
        rows = self._gains()
        if not rows:
            return None
        title = f"gain in {self.words.label(rows[0]['measure'])} over {self.words.value(rows[0]['against'])}"
        measures = [{"name": "gain", "label": title, "unit": "", "gain": True}]
        return self._table(rows, [[_interval(row)] for row in rows], measures, with_groups=True)

    def means(self) -> Json | None:
        """Return the means of the most important measures at each point; None if there are none."""
        measures = self._measures()
        if not measures:
            return None
        by_measure = [self._means(measure, all_points=True) for measure in measures]
        headings = [
            {"name": name, "label": self.words.label(name), "unit": self._unit(name), "gain": False}
            for name in measures
        ]
        intervals = [
            [_interval(row, 100 if self._unit(row["measure"]) == _PERCENT else 1) for row in rows]
            for rows in zip(*by_measure, strict=True)
        ]
        return self._table(by_measure[0], intervals, headings, with_groups=False)

    def _table(self, rows: Sequence[Row], intervals: Sequence[object], measures: object, *, with_groups: bool) -> Json:
        keys = self.words.varying(rows) or self.words.keys
        fixed = [key for key in self.words.keys if key not in keys]
        return {
            "fixed": f"In all of these: {self.words.point(rows[0], fixed)}." if fixed else "",
            "keys": [{"name": key, "label": self.words.label(key)} for key in keys],
            "groups": with_groups and any(row["group"] for row in rows),
            "measures": measures,
            "rows": [
                {
                    "point": [self.words.value(row[key]) for key in keys],
                    "group": row["group"],
                    "n": int(row["n"]),
                    "p": _known(row["p_permutation"]),
                    "values": values,
                }
                for row, values in zip(rows, intervals, strict=True)
            ],
        }

    def _gains(self) -> list[Row]:
        """Return the gains that could be computed: of the groups if there are several, else of all peers together.

        The group that the paired key varies comes first.
        """
        summary = self.tables.summary
        gains = summary[(summary["compared"] == "gain") & (summary["n"] > 0)]
        of_group, of_trial = self.tables.columns.paired
        of_groups = gains[gains["measure"] == of_group]
        rows = _rows(gains[gains["measure"] == of_trial] if of_groups.empty else of_groups)
        return sorted(rows, key=lambda row: not self._is_varied(row))

    def _is_varied(self, row: Row) -> bool:
        return row["group"] in (self.words.plan.pair or "").split(".")

    def _of_interest(self, gains: Sequence[Row]) -> Sequence[Row]:
        """Return the gains of the varied group, if there is one; else all."""
        return [row for row in gains if self._is_varied(row)] or gains

    def _means(self, measure: str, *, all_points: bool = False) -> list[Row]:
        summary = self.tables.summary
        means = summary[(summary["group"] == "") & (summary["compared"] == "") & (summary["measure"] == measure)]
        return _rows(means if all_points else means[means["n"] > 0])

    def _measures(self) -> list[str]:
        return [measure for measure in self.tables.columns.headline if self._means(measure)]

    def _unit(self, measure: str) -> str:
        column = self.tables.columns.column(measure)
        return "" if column is None else _PERCENT if column.is_share else column.unit

    def _of_means(self, rows: Sequence[Row]) -> str:
        label, unit = self.words.label(rows[0]["measure"]), self._unit(rows[0]["measure"])
        worth = 100 if unit == _PERCENT else 1
        return self._told(
            f"{label[:1].upper()}{label[1:]}",
            rows,
            lambda row: number(worth * row["mean"], unit),
            lambda row: _certainty(row, unit, worth),
            self.words.varying(rows),
        )

    def _of_gains(self, rows: Sequence[Row]) -> str:
        varying = self.words.varying(rows)
        pair, against = str(self.words.plan.pair), self.words.value(rows[0]["against"])
        is_one = pair in rows[0] and pair not in varying
        subject = f"With {self.words.value(rows[0][pair])} instead of" if is_one else "Compared with"
        return self._told(
            f"{subject} {against}",
            rows,
            lambda row: f"{row['group']} {number(row['mean'])} times as fast".strip(),
            lambda row: _certainty(row, "", 1),
            varying,
        )

    def _told(
        self,
        subject: str,
        rows: Sequence[Row],
        said: Callable[[Row], str],
        certainty: Callable[[Row], str],
        varying: Sequence[str],
    ) -> str:
        """Say the numbers with their points, or of many the lowest and the highest."""
        is_all = len(rows) <= MOST_NAMED
        chosen = rows if is_all else sorted(rows, key=lambda row: float(row["mean"]))[:: len(rows) - 1]
        parts = [f"{said(row)}{self.words.at(row, varying)} ({certainty(row)})" for row in chosen]
        if is_all:
            return f"{subject}: {'; '.join(parts)}."
        return f"{subject}: from {parts[0]} to {parts[1]}, over {counted(len(rows), 'point')}."


def _certainty(row: Row, unit: str, worth: float) -> str:
    """Say how certain a mean is: its interval, its test, and how many values it has."""
    n, noun = int(row["n"]), "pair" if row["compared"] else "trial"
    if n < 2:
        return f"one {noun}, so no interval"
    return ", ".join([*_ends(row, unit, worth), *_test(row), counted(n, noun)])


def _ends(row: Row, unit: str, worth: float) -> Iterator[str]:
    low, high = (number(worth * row[end], unit).split(" ", 1) for end in ("low", "high"))
    yield f"95 % interval {' '.join(low[:1] if low[1:] == high[1:] else low)} to {' '.join(high)}"


def _test(row: Row) -> Iterator[str]:
    p = _known(row["p_permutation"])
    if p is not None:
        yield f"p = {number(p)}"


def _interval(row: Row, worth: float = 1) -> list[float | None]:
    """Return a mean and the ends of its interval; None for what is unknown."""
    ends = [row["mean"], *([row["low"], row["high"]] if row["n"] > 1 else [None, None])]
    return [None if _known(end) is None else worth * float(end) for end in ends]


def _known(value: Any) -> float | None:
    return float(value) if value is not None and isfinite(value) else None


def _rows(table: pd.DataFrame) -> list[Row]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
