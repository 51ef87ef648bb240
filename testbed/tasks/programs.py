"""The programs of every task, by the task's name: to add a task, add a line."""

from collections.abc import Mapping
from typing import Final

from testbed.experiment.plan.trials import Trial
from testbed.tasks.distribute.programs.schemes import DistributePrograms
from testbed.tasks.find.programs.nodes import FindPrograms
from testbed.tasks.launches import TaskPrograms
from testbed.tasks.planning import TaskName

PROGRAMS: Final[Mapping[TaskName, TaskPrograms]] = {"distribute": DistributePrograms(), "find": FindPrograms()}


def programs_of(trial: Trial) -> TaskPrograms:
    """Return the programs of a trial's task."""
    return PROGRAMS[trial.settings.task]
