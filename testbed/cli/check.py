"""`testbed check`: all that is wrong with an experiment file, at once."""

from pathlib import Path

from testbed.cli.targets import target_of, trial_topology
from testbed.experiment import read_experiment
from testbed.experiment.plan import Plan, make_plan
from testbed.units import format_duration


def check_experiment(file: Path) -> None:
    """Read the file, fill in its trials and make their topologies; what cannot be is raised."""
    if read_experiment(file).experiment.peers:
        print(f"{file} is in order: {summary(checked_plan(file))}")
    else:
        target_of(file)
        print(f"{file} is in order: a network without peers")


def checked_plan(file: Path) -> Plan:
    """Plan an experiment, and make the topology of each of its points to see that it can be."""
    plan = make_plan(read_experiment(file))
    for trial in plan.trials:
        if trial.repetition == 1:
            trial_topology(file, trial)
    return plan


def summary(plan: Plan) -> str:
    """Say in words how much a plan is."""
    count = len(plan.trials)
    seconds = sum(trial.estimate.seconds for trial in plan.trials)
    return f"{count} {'trial' if count == 1 else 'trials'}, about {_in_words(seconds)}"


def _in_words(seconds: float) -> str:
    unit = 1 if seconds < 120 else 60 if seconds < 7200 else 3600
    return format_duration(round(seconds / unit) * unit)
