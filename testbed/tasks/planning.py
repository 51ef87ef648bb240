"""The tasks that there are, for reading and planning; another task is added here.

Only schemas and plans are imported: how programs start and what tables say is in each task's `programs` and `tables`.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from testbed.tasks.distribute.plan.records import Settings as DistributionSettings
from testbed.tasks.distribute.plan.records import Theory as DistributionTheory
from testbed.tasks.distribute.plan.records import TrialHosts as DistributionHosts
from testbed.tasks.distribute.task import DISTRIBUTE
from testbed.tasks.task import Task

TaskName: TypeAlias = Literal["distribute"]
DEFAULT_TASK: Final[TaskName] = "distribute"
TASKS: Final[Mapping[TaskName, Task[Any]]] = {"distribute": DISTRIBUTE}

# What a trial records. With a second task, these become unions of the records of all tasks.
Settings: TypeAlias = DistributionSettings
Theory: TypeAlias = DistributionTheory
TrialHosts: TypeAlias = DistributionHosts


def task_of(settings: Settings) -> Task[Any]:
    """Return the task that a trial's settings belong to."""
    return TASKS[settings.task]
