"""Checks of an experiment that need several of its keys together, whatever its task."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from testbed.experiment.schema.experiment import Experiment
from testbed.tasks.task import Task
from testbed.values.findings import Finding, did_you_mean

FROM_GROUPS: Final = ("n", "names", "up", "down", "delay", "jitter", "loss")
"""Parameters of a topology that are set from the groups of hosts, where there are any."""


def check_experiment(experiment: Experiment, task: Task[Any]) -> Iterator[Finding]:
    """Yield what is wrong with values that are right by themselves."""
    for group in task.groups(experiment):
        yield from group.check()
    yield from task.check(experiment)
    if task.has_trials(experiment):
        yield from _check_topology(experiment, task)
    yield from _check_capture(experiment, task.capturable(experiment))


def _check_topology(experiment: Experiment, task: Task[Any]) -> Iterator[Finding]:
    groups = " and ".join(f"`{key}:`" for key in task.group_keys)
    for key in FROM_GROUPS:
        if key in experiment.topology.parameters:
            yield Finding(("topology", key), f"is set from {groups}: leave it out")


def _check_capture(experiment: Experiment, known: Sequence[str]) -> Iterator[Finding]:
    if isinstance(experiment.capture, list):
        for index, name in enumerate(experiment.capture):
            if name not in known:
                hint = did_you_mean(name, known)
                yield Finding(("capture", index), f"there is no {name!r}{hint}: write {', '.join(known)}")
