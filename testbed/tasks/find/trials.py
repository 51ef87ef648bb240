"""Trials of this task, whose records have the task's own types."""

from testbed.experiment.plan.trials import Trial
from testbed.tasks.find.plan.records import FindHosts, FindSettings, FindTheory


def settings_of(trial: Trial) -> FindSettings:
    """Return the settings of a trial."""
    if not isinstance(trial.settings, FindSettings):
        raise TypeError(f"{trial.id} looks for no content")
    return trial.settings


def hosts_of(trial: Trial) -> FindHosts:
    """Return the hosts of a trial."""
    if not isinstance(trial.hosts, FindHosts):
        raise TypeError(f"{trial.id} looks for no content")
    return trial.hosts


def theory_of(trial: Trial) -> FindTheory:
    """Return what a trial is compared with."""
    if not isinstance(trial.theory, FindTheory):
        raise TypeError(f"{trial.id} looks for no content")
    return trial.theory
