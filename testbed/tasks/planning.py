"""The tasks that there are, for reading and planning; another task is added here.

Only schemas and plans are imported: how programs start and what tables say is in each task's `programs` and `tables`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Discriminator, Tag

from testbed.tasks.distribute.plan.records import Settings as DistributionSettings
from testbed.tasks.distribute.plan.records import Theory as DistributionTheory
from testbed.tasks.distribute.plan.records import TrialHosts as DistributionHosts
from testbed.tasks.distribute.task import DISTRIBUTE
from testbed.tasks.find.plan.records import FindHosts, FindSettings, FindTheory
from testbed.tasks.find.task import FIND
from testbed.tasks.task import Task

TaskName: TypeAlias = Literal["distribute", "find"]
DEFAULT_TASK: Final[TaskName] = "distribute"
TASKS: Final[Mapping[TaskName, Task[Any]]] = {"distribute": DISTRIBUTE, "find": FIND}


def _task_named(record: object) -> object:
    """Return the task that a record belongs to; those of the default task do not name it."""
    if isinstance(record, Mapping):
        return record.get("task", DEFAULT_TASK)
    return getattr(record, "task", DEFAULT_TASK)


_BY_TASK: Final = Discriminator(_task_named)

# What a trial records: of each task its own.
AnySettings: TypeAlias = DistributionSettings | FindSettings
Settings: TypeAlias = Annotated[
    Annotated[DistributionSettings, Tag("distribute")] | Annotated[FindSettings, Tag("find")], _BY_TASK
]
Theory: TypeAlias = Annotated[
    Annotated[DistributionTheory, Tag("distribute")] | Annotated[FindTheory, Tag("find")], _BY_TASK
]
TrialHosts: TypeAlias = Annotated[
    Annotated[DistributionHosts, Tag("distribute")] | Annotated[FindHosts, Tag("find")], _BY_TASK
]


def task_of(settings: AnySettings) -> Task[Any]:
    """Return the task that a trial's settings belong to."""
    return TASKS[settings.task]
