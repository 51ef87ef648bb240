"""The answer to an experiment's question: a sentence with its interval, and the numbers of all points.

With pairs it is how much faster the varied peers were than their partners; without, the most important measure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, TypeAlias

import pandas as pd

from testbed.results.page.words import Words, counted, number
from testbed.results.tables import Tables

Json: TypeAlias = dict[str, Any]
Row: TypeAlias = Mapping[str, Any]

MOST_NAMED: Final = 4
"""The most numbers that the sentence names; of more, it names the ends of their range."""


@dataclass(frozen=True)
class Answer:
    """What a run found."""

    words: Words
    tables: Tables

    def sentence(self) -> str:
        """Return the answer; it says so if there is none yet."""
        rows = self._gains() or self._means(self._first_measure())
        if not rows:
            return "No valid trial has a result yet."
        return self._of_gains(rows) if rows[0]["compared"] else self._of_means(rows)

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
        intervals = [list(map(_interval, rows)) for rows in zip(*by_measure, strict=True)]
        return self._table(by_measure[0], intervals, headings, with_groups=False)

    def _table(self, rows: Sequence[Row], intervals: Sequence[object], measures: object, *, with_groups: bool) -> Json:
        keys = self.words.keys
        return {
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
        """Return the gains that could be computed: of the groups if there are several, else of all peers together."""
        summary = self.tables.summary
        gains = summary[(summary["compared"] == "gain") & (summary["n"] > 0)]
        of_group, of_trial = self.tables.columns.paired
        of_groups = gains[gains["measure"] == of_group]
        return _rows(gains[gains["measure"] == of_trial] if of_groups.empty else of_groups)

    def _means(self, measure: str, *, all_points: bool = False) -> list[Row]:
        summary = self.tables.summary
        means = summary[(summary["group"] == "") & (summary["compared"] == "") & (summary["measure"] == measure)]
        return _rows(means if all_points else means[means["n"] > 0])

    def _measures(self) -> list[str]:
        return [measure for measure in self.tables.columns.headline if self._means(measure)]

    def _first_measure(self) -> str:
        return next(iter(self._measures()), self.tables.columns.headline[0])

    def _unit(self, measure: str) -> str:
        column = self.tables.columns.column(measure)
        return "" if column is None else column.unit

    def _of_means(self, rows: Sequence[Row]) -> str:
        measure = rows[0]["measure"]
        label, unit = self.words.label(measure), self._unit(measure)
        parts = list(self._named(rows, lambda row: number(row["mean"], unit), "with" if self.words.keys else ""))
        return _sentence(f"{label[:1].upper()}{label[1:]}", parts, len(rows), "point")

    def _of_gains(self, rows: Sequence[Row]) -> str:
        against, label = self.words.value(rows[0]["against"]), self.words.label(rows[0]["measure"])
        parts = list(self._named(rows, lambda row: f"{number(row['mean'])} times as fast", "with"))
        return _sentence(f"Compared with {against}, by {label}", parts, len(rows), "comparison")

    def _named(self, rows: Sequence[Row], said: Any, preposition: str) -> Iterator[str]:
        """Yield each number with its point; of many, only the lowest and the highest."""
        chosen = rows if len(rows) <= MOST_NAMED else sorted(rows, key=lambda row: row["mean"])[:: len(rows) - 1]
        for row in chosen:
            who = f"{row['group']} " if row["group"] else ""
            where = f" {preposition} {self.words.point(row)}" if self.words.keys else ""
            yield f"{who}{said(row)}{where} ({_certainty(row, self._unit_of(row))})"

    def _unit_of(self, row: Row) -> str:
        return "" if row["compared"] else self._unit(row["measure"])


def _sentence(subject: str, parts: Sequence[str], count: int, noun: str) -> str:
    if len(parts) == count:
        return f"{subject}: {'; '.join(parts)}."
    return f"{subject}: from {parts[0]} to {parts[1]}, over {counted(count, noun)}."


def _certainty(row: Row, unit: str) -> str:
    """Say how certain a mean is: its interval, its test, and how many values it has."""
    n, noun = int(row["n"]), "pair" if row["compared"] else "trial"
    if n < 2:
        return f"one {noun}, so no interval"
    low, high = number(row["low"], unit), number(row["high"], unit)
    of_same_unit = low.rpartition(" ")[2] == high.rpartition(" ")[2] and unit
    parts = [f"95 % interval {low.rpartition(' ')[0] if of_same_unit else low} to {high}"]
    if (p := _known(row["p_permutation"])) is not None:
        parts.append(f"p = {number(p)}")
    return ", ".join([*parts, counted(n, noun)])


def _interval(row: Row) -> list[float | None]:
    """Return a mean and the ends of its interval; None for what is unknown."""
    has_interval = row["n"] > 1
    return [_known(row["mean"]), *(_known(row[end]) if has_interval else None for end in ("low", "high"))]


def _known(value: Any) -> float | None:
    return float(value) if value is not None and isfinite(value) else None


def _rows(table: pd.DataFrame) -> list[Row]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
