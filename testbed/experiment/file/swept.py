"""What the figures and expectations of an experiment can refer to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.experiment.schema.experiment import Experiment
from testbed.tasks.columns import Column, TableColumns
from testbed.tasks.task import ColumnWords, Task


@dataclass(frozen=True)
class SweptExperiment:
    """What figures and expectations can refer to; a file with errors may have no points."""

    swept: Mapping[str, Sequence[Any] | None]
    """The values of each swept key; None if they are invalid."""
    points: tuple[Experiment, ...]
    pair: str | None
    task: Task[Any]

    @property
    def tables(self) -> TableColumns:
        """The tables of the task."""
        return self.task.columns

    def column(self, name: str) -> Column | None:
        """Find a column in any table."""
        return next(
            (columns[name] for table in self.tables.expected_of if name in (columns := self.columns(table))), None
        )

    def columns(self, table: str) -> dict[str, Column]:
        """Return the columns of a table, with those of the sweep."""
        return self.tables.columns_of(table, self.swept)

    def words(self) -> dict[str, ColumnWords]:
        return {
            "verdict": ColumnWords(frozenset({"valid", "suspect", "failed"})),
            "measure": ColumnWords(frozenset({*self.tables.trial_measures, *self.tables.group_measures})),
            "compared": ColumnWords(frozenset({"difference", "gain"})),
            **self.task.column_words(self.points),
        }
