"""`testbed check` and `testbed schema`: check an experiment file, or print the schema of such files."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contract.wording import counted
from testbed.cli.experiment.files import open_experiment
from testbed.cli.network.targets import target_of, trial_topology
from testbed.cli.terminal.as_json import print_json
from testbed.cli.terminal.complaints import complain
from testbed.cli.terminal.output import in_words
from testbed.errors import ExplainedError, TrialError
from testbed.experiment import ExperimentError, ExperimentFile, refused_values
from testbed.experiment.file.sweep import Point
from testbed.experiment.plan.doubts import Doubt, Machine, doubts
from testbed.experiment.plan.plan import Plan, make_plan
from testbed.experiment.plan.refusals import ANY_MACHINE, refusals
from testbed.experiment.plan.trials import Trial
from testbed.experiment.schema.experiment import experiment_schema
from testbed.tasks.programs import programs_of
from testbed.trial.capture.filters import filter_findings

_ANY_MACHINE: Final = Machine()
"""An unknown machine: what is doubtful on it is doubtful on every machine. `testbed plan` asks about this one."""


@dataclass(frozen=True)
class Checked:
    """What there is to say about a file: what is wrong with it, or else its trials and warnings."""

    file: str
    trials: int = 0
    seconds: float = 0.0
    """An estimate for all trials."""
    text: str = ""
    warnings: tuple[str, ...] = ()
    error: ExplainedError | None = None

    def row(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return {
            "file": self.file,
            "valid": self.error is None,
            "trials": self.trials,
            "seconds": self.seconds,
            "warnings": list(self.warnings),
            "problems": [] if self.error is None else _problems(self.error),
        }


def check_experiments(paths: Sequence[Path], settings: Sequence[str], *, json: bool) -> int:
    """Check each file, and print what is found; returns 2 if one cannot be used."""
    found = [_checked(path, settings) for path in paths]
    if json:
        print_json([checked.row() for checked in found])
    else:
        for checked in found:
            _print(checked)
    return 2 if any(checked.error for checked in found) else 0


def _checked(path: Path, settings: Sequence[str]) -> Checked:
    """Read the file, plan its trials and make their topologies; the first kind of error found is that of the file."""
    try:
        file = open_experiment(path, settings)
        if not file.has_trials:
            target_of(file)
            return Checked(str(file.path), text=f"a network without {file.task.participants}")
        plan = checked_plan(file)
        if refused := refusals(plan.trials, ANY_MACHINE):
            raise ExplainedError("\n".join(f"{file.path}: {warning(reason, plan)}" for reason in refused))
    except ExplainedError as error:
        return Checked(str(path), error=error)
    warnings = tuple(warning(doubt, plan) for doubt in doubts(plan.trials, _ANY_MACHINE))
    return Checked(str(file.path), len(plan.trials), _seconds(plan), summary(plan), warnings)


def _print(checked: Checked) -> None:
    if checked.error is not None:
        complain(str(checked.error))
        return
    print(f"{checked.file} is valid: {checked.text}")
    for text in checked.warnings:
        print(f"warning: {text}")


def _problems(error: ExplainedError) -> list[dict[str, object]]:
    """Return what to correct, each with its place; line and column are 0 for the file as a whole."""
    if not isinstance(error, ExperimentError):
        return [{"place": "", "line": 0, "column": 0, "key": "", "message": str(error)}]
    return [
        {
            "place": str(problem.place.file),
            "line": problem.place.line,
            "column": problem.place.column,
            "key": problem.key,
            "message": problem.message,
        }
        for problem in error.problems
    ]


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
    _check_filters(file, first)
    return plan


def _check_filters(file: ExperimentFile, trials: Sequence[Trial]) -> None:
    """Raise an ExperimentError for filters of captures that libpcap cannot read."""
    found = list(filter_findings(trials))
    if found:
        raise refused_values(file, ((_points(file)[repr(trial.point)], finding) for trial, finding in found))


def check_findings(file: ExperimentFile, trials: Sequence[Trial]) -> None:
    """Raise an ExperimentError for what the programs of these trials, all of one task, cannot do."""
    found = list(programs_of(trials[0]).findings(trials, file.path))
    if found:
        raise refused_values(file, ((_points(file)[repr(trial.point)], finding) for trial, finding in found))


def _points(file: ExperimentFile) -> dict[str, Point]:
    """Return each point of the sweep by the swept values, as trials have them."""
    return {repr(variant.point.values): variant.point for variant in file.variants}


def check_programs(file: ExperimentFile, trial: Trial) -> None:
    """Raise an ExplainedError for programs or options that do not exist."""
    try:
        programs_of(trial).check(trial)
    except TrialError as error:
        raise ExplainedError(f"{file.path}: {error}") from error


def summary(plan: Plan) -> str:
    """Summarise the size of a plan."""
    return f"{counted(len(plan.trials), 'trial')}, about {in_words(_seconds(plan))}"


def _seconds(plan: Plan) -> float:
    return sum(trial.estimate.seconds for trial in plan.trials)


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
