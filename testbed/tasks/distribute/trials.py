"""Trials of this task, whose records have the task's own types."""

from testbed.experiment.plan.trials import Trial
from testbed.tasks.distribute.plan.records import Settings, Theory, TrialHosts


def settings_of(trial: Trial) -> Settings:
    """Return the settings of a trial."""
    if not isinstance(trial.settings, Settings):
        raise TypeError(f"{trial.id} distributes no file")
    return trial.settings


def hosts_of(trial: Trial) -> TrialHosts:
    """Return the hosts of a trial."""
    if not isinstance(trial.hosts, TrialHosts):
        raise TypeError(f"{trial.id} distributes no file")
    return trial.hosts


def theory_of(trial: Trial) -> Theory:
    """Return what a trial is compared with."""
    if not isinstance(trial.theory, Theory):
        raise TypeError(f"{trial.id} distributes no file")
    return trial.theory
