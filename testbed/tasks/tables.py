"""The tables of every task, by the task's name: to add a task, add a line."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import pandas as pd

from testbed.experiment import Plan, Trial
from testbed.runfolder.trial_data import MeasuredTrial, Row
from testbed.tasks.columns import TableColumns
from testbed.tasks.distribute.tables import DistributeTables
from testbed.tasks.find.tables import FindTables
from testbed.tasks.planning import TaskName
from testbed.tasks.searches import ShownSearches

Data = TypeVar("Data", bound=MeasuredTrial)


class TaskTables(Protocol[Data]):
    """What a task makes of its trials. Trials have other columns besides, which are the same for every task."""

    @property
    def columns(self) -> TableColumns:
        """The columns of all tables."""

    @property
    def traced_roles(self) -> tuple[str, ...]:
        """The roles of the hosts whose applications write a trace of the contract."""

    @property
    def has_replay(self) -> bool:
        """Whether traces tell who sent what to whom, so that the page can show it again."""

    def searches(self, folder: Path, trial: Trial) -> ShownSearches | None:
        """Read the searches of a trial that a replay shows; None of a task without any, whose replay shows payload.

        A DamageError names what is unusable.
        """

    def read(self, folder: Path, trial: Trial, attempts: int, *, from_captures: bool) -> Data:
        """Read a trial's folder; a DamageError names what is unusable.

        With `from_captures`, captures take the place of traces; only asked for where the columns say that they can.
        """

    def tables_of(self, data: Data) -> Mapping[str, pd.DataFrame]:
        """Return the rows of one trial in each table except trials and summary."""

    def trial_row(self, data: Data, tables: Mapping[str, pd.DataFrame]) -> Row:
        """Return the task's cells in the row of a trial whose other rows are `tables`."""

    def group_names(self, plan: Plan) -> Sequence[str]:
        """Return the names of all groups of hosts that take part."""

    def host_groups(self, tables: Mapping[str, pd.DataFrame], trials: Collection[object]) -> Mapping[str, str]:
        """Return the groups of some trials' hosts, in the order in which figures show hosts; others follow."""

    def complaints(self, trials: pd.DataFrame) -> Iterator[str]:
        """Yield what the report has to say of results that do not agree with each other."""


TABLES: Final[Mapping[TaskName, TaskTables[Any]]] = {"distribute": DistributeTables(), "find": FindTables()}


def tables_of(plan: Plan) -> TaskTables[Any]:
    """Return the tables of a plan's task, which all its trials have."""
    return TABLES[plan.trials[0].settings.task]
