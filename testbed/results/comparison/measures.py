"""Which measures are compared, and their values in the planned trials."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Final

import pandas as pd

from testbed.errors import ExplainedError
from testbed.experiment import Trial
from testbed.results.comparison.samples import Observation
from testbed.results.comparison.sides import Side
from testbed.results.left_out import MISSING
from testbed.tasks.columns import IDENTITY, TableColumns
from testbed.values.findings import did_you_mean

_TRIALS: Final = "trials"


@dataclass(frozen=True)
class Measure:
    """A column of trials.csv, or of the table with a row for each group."""

    name: str
    table: str = _TRIALS

    @property
    def is_of_groups(self) -> bool:
        """Whether each group has a value of its own."""
        return self.table != _TRIALS


def measures_named(names: Iterable[str], columns: TableColumns) -> list[Measure]:
    """Find measures by their names; a column of both tables is that of the trials."""
    return [_measure(name, columns) for name in dict.fromkeys(names)]


def _measure(name: str, columns: TableColumns) -> Measure:
    tables = [_TRIALS, *([columns.group_table] if columns.group_table else [])]
    known = {table: list(_numbers(table, columns)) for table in tables}
    for table, names in known.items():
        if name in names:
            return Measure(name, table)
    hint = did_you_mean(name, [each for names in known.values() for each in names])
    raise ExplainedError(
        f"there is no measure {name!r}{hint}: write a column of {' or '.join(f'{table}.csv' for table in tables)}"
        " that has numbers, such as " + columns.headline[0]
    )


def _numbers(table: str, columns: TableColumns) -> Iterator[str]:
    for name, column in columns.tables[table].items():
        if not column.is_words and name not in IDENTITY:
            yield name


class Values:
    """The values of one measure in one side, by trial and group."""

    def __init__(self, measure: Measure, side: Side) -> None:
        table = side.tables.by_name[measure.table]
        verdicts = side.tables.trials
        self._verdicts: Mapping[str, str] = dict(zip(verdicts["trial"], verdicts["verdict"], strict=True))
        groups = table["group"] if measure.is_of_groups else [""] * len(table)
        numbers = pd.to_numeric(table[measure.name], errors="coerce")
        self._values = dict(zip(zip(table["trial"], groups, strict=True), map(float, numbers), strict=True))

    @property
    def groups(self) -> list[str]:
        """The groups that have rows; that of a whole trial has no name."""
        return list(dict.fromkeys(str(group) for _, group in self._values))

    def sample(self, trials: Sequence[Trial], group: str) -> list[Observation]:
        """Return the measure of some planned trials."""
        return [
            Observation(
                repetition=trial.repetition,
                seed=trial.seed,
                verdict=self._verdicts.get(trial.id, MISSING),
                value=self._values.get((trial.id, group), nan),
            )
            for trial in trials
        ]
