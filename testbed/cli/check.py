"""`testbed check` and `testbed schema`: check an experiment file, or print the schema of such files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from testbed.cli.experiments import open_experiment
from testbed.cli.network.targets import target_of, trial_topology
from testbed.cli.terminal.output import in_words
from testbed.errors import ExplainedError, TrialError
from testbed.experiment import ExperimentFile, refused_values
from testbed.experiment.plan.doubts import Doubt, Machine, doubts
from testbed.experiment.plan.plan import Plan, make_plan
from testbed.experiment.plan.refusals import ANY_MACHINE, refusals
from testbed.experiment.plan.trials import Trial
from testbed.experiment.schema.experiment import experiment_schema
from testbed.tasks.programs import programs_of

_ANY_MACHINE: Final = Machine()
"""An unknown machine: what is doubtful on it is doubtful on every machine. `testbed plan` asks about this one."""


def check_experiment(path: Path) -> None:
    """Read the file, plan its trials and make their topologies; raises the first kind of error found."""
    file = open_experiment(path)
    if file.has_trials:
        plan = checked_plan(file)
        if refused := refusals(plan.trials, ANY_MACHINE):
            raise ExplainedError("\n".join(f"{file.path}: {warning(reason, plan)}" for reason in refused))
        print(f"{file.path} is valid: {summary(plan)}")
        for doubt in doubts(plan.trials, _ANY_MACHINE):
            print(f"warning: {warning(doubt, plan)}")
    else:
        target_of(file)
        print(f"{file.path} is valid: a network without peers")


def print_schema() -> None:
    """Print the JSON Schema of experiment files."""
    print(json.dumps(experiment_schema(), indent=2))


def checked_plan(file: ExperimentFile) -> Plan:
    """Plan an experiment, and check the topology and the programs of each point."""
    plan = make_plan(file)
    first = plan.trials[: len(file.variants)]
    for trial in first:
        trial_topology(file, trial)
        check_programs(file, trial)
    check_findings(file, first)
    return plan


def check_findings(file: ExperimentFile, trials: Sequence[Trial]) -> None:
    """Raise an ExperimentError for what the programs of these trials, all of one task, cannot do."""
    points = {repr(variant.point.values): variant.point for variant in file.variants}
    found = list(programs_of(trials[0]).findings(trials, file.path))
    if found:
        raise refused_values(file, ((points[repr(trial.point)], finding) for trial, finding in found))


def check_programs(file: ExperimentFile, trial: Trial) -> None:
    """Raise an ExplainedError for programs or options that do not exist."""
    try:
        programs_of(trial).check(trial)
    except TrialError as error:
        raise ExplainedError(f"{file.path}: {error}") from error


def summary(plan: Plan) -> str:
    """Summarise the size of a plan."""
    count = len(plan.trials)
    seconds = sum(trial.estimate.seconds for trial in plan.trials)
    return f"{count} {'trial' if count == 1 else 'trials'}, about {in_words(seconds)}"


def warning(doubt: Doubt, plan: Plan) -> str:
    """Describe a doubt with the numbers of its trials."""
    if not doubt.trials:
        return doubt.text
    numbers = _numbers(doubt, plan)
    if len(numbers) == 1:
        return f"trial {numbers[0]}: {doubt.text}"
    few = ", ".join([*numbers[:6], "..."] if len(numbers) > 6 else numbers)
    return f"{len(numbers)} of {len(plan.trials)} trials ({few}), in the worst case: {doubt.text}"


def _numbers(doubt: Doubt, plan: Plan) -> list[str]:
    concerned = frozenset(doubt.trials)
    return [str(k) for k, trial in enumerate(plan.trials, start=1) if trial.id in concerned]
