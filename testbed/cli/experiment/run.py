"""`testbed run`: run the trials of an experiment that have no result yet, then make tables and figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from testbed.cli.experiment.check import checked_plan, warning
from testbed.cli.experiment.files import STANDARD_INPUT, open_experiment
from testbed.cli.experiment.plan import this_machine
from testbed.cli.network.run import run_network
from testbed.cli.results.report import make_report
from testbed.cli.terminal.complaints import complain
from testbed.cli.terminal.views import View, choose_view
from testbed.doctor.resources import find_resources
from testbed.errors import ExplainedError
from testbed.experiment import ExperimentFile, Plan
from testbed.experiment.plan.doubts import doubts
from testbed.experiment.plan.naming import trial_named
from testbed.experiment.plan.refusals import refusals
from testbed.runfolder.collection import latest_run, make_run, unfinished_run
from testbed.runfolder.folder import RunFolder
from testbed.runs.provenance import session
from testbed.runs.run_all import Tally, finish_session, run_trials
from testbed.tasks.programs import programs_of
from testbed.trial.events import RunEnded

INTERRUPTED: Final = 130
_STOPPED_BUILDING: Final = (
    "stopped before the trial began, so nothing that was measured is lost; the same command continues the run"
)


@dataclass(frozen=True)
class RunOptions:
    """The options of `testbed run`."""

    settings: Sequence[str] = ()
    """`key=value`, in place of values in the file."""
    only: Sequence[str] = ()
    """The trials to run; all, if there are none."""
    fresh: bool = False
    redo: Sequence[str] = ()
    """The verdicts of trials that are measured again."""
    force: bool = False
    quiet: bool = False
    json_lines: bool = False

    @property
    def is_silent(self) -> bool:
        """Whether to print nothing for people."""
        return self.quiet or self.json_lines


def run_experiment(experiment: Path, runs: Path, options: RunOptions) -> int:
    """Run the missing trials of an experiment, or only those named, and report; returns the exit status."""
    if options.fresh and options.redo:
        both = f"--fresh starts a new run and --redo-{options.redo[0]} continues an old one"
        raise ExplainedError(f"{both}: use only one of them")
    file = _open(experiment, options.settings)
    if not file.has_trials:
        return _run_network(file, runs, options)
    plan = checked_plan(file)
    chosen = frozenset(trial_named(plan, name).id for name in options.only) or None
    if not options.is_silent:
        _warn(plan)
    run = _run_to_continue(experiment.stem, runs, plan, options)
    if not options.force:
        _refuse_impossible(plan, run, chosen, runs)
    clients = programs_of(plan.trials[0]).versions(plan.trials[: len(file.variants)], file.path)
    run = run or make_run(runs, experiment.stem, file.text, plan)
    return _run_and_report(run, plan, chosen, options, session(clients))


def _open(experiment: Path, settings: Sequence[str]) -> ExperimentFile:
    if experiment == STANDARD_INPUT:
        raise ExplainedError("a run is named by its file, and kept with it: write the experiment into a file")
    return open_experiment(experiment, settings)


def _run_network(file: ExperimentFile, runs: Path, options: RunOptions) -> int:
    if options.only:
        raise ExplainedError(
            f"{file.path} describes a network without {file.task.participants}, which has no trials: leave --only out"
        )
    return run_network(file, runs, force=options.force, quiet=options.is_silent)


def _run_to_continue(name: str, runs: Path, plan: Plan, options: RunOptions) -> RunFolder | None:
    if options.redo:
        return latest_run(runs, name, plan)
    return None if options.fresh else unfinished_run(runs, name, plan)


def _run_and_report(
    run: RunFolder, plan: Plan, chosen: frozenset[str] | None, options: RunOptions, provenance: dict[str, Any]
) -> int:
    view = choose_view(quiet=options.quiet, json_lines=options.json_lines)
    with run.locked():
        if options.redo:
            run.set_aside(trial for trial in run.judged(*options.redo) if chosen is None or trial in chosen)
        tally = _run(run, chosen, view, provenance)
        # The figures and expectations in the file may be newer than those of the run.
        declared = plan if options.redo else None
        status = 1
        if run.complete() or not tally.is_interrupted:
            status = make_report(run.path, declared=declared, quiet=options.is_silent)
        finish_session(run)
    status = INTERRUPTED if tally.is_interrupted else status if chosen is None else _status_of(run, chosen)
    view(RunEnded(run.path, len(run.missing()), status))
    return status


def _status_of(run: RunFolder, chosen: frozenset[str]) -> int:
    """Whether the chosen trials have results, and none failed. Others may be missing, so expectations say nothing."""
    bad = {*(trial.id for trial in run.missing()), *run.judged("failed")}
    return int(not chosen.isdisjoint(bad))


def _warn(plan: Plan) -> None:
    for doubt in doubts(plan.trials, this_machine()):
        complain(f"warning: {warning(doubt, plan)}")


def _refuse_impossible(plan: Plan, run: RunFolder | None, chosen: frozenset[str] | None, runs: Path) -> None:
    """Refuse a run whose missing trials need more than this machine has."""
    missing = [trial for trial in (run.missing() if run else plan.trials) if chosen is None or trial.id in chosen]
    reasons = refusals(missing, find_resources(runs))
    if reasons:
        texts = [f"this machine cannot run it: {warning(reason, plan)}" for reason in reasons]
        raise ExplainedError("\n".join([*texts, "--force runs it all the same"]))


def _run(run: RunFolder, chosen: frozenset[str] | None, view: View, provenance: dict[str, Any]) -> Tally:
    try:
        tally = run_trials(run, provenance, view, only=chosen)
    finally:
        view.close()
    if tally.was_building:
        complain(_STOPPED_BUILDING)
    return tally
