"""`testbed run`: run the trials of an experiment that have no result yet, then make tables and figures."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from testbed.cli.check import checked_plan, warning
from testbed.cli.experiments import open_experiment
from testbed.cli.network.run import run_network
from testbed.cli.plan import this_machine
from testbed.cli.report import make_report
from testbed.cli.terminal.layout import line_width, wrapped
from testbed.cli.terminal.views import View, choose_view
from testbed.doctor.resources import find_resources
from testbed.errors import ExplainedError
from testbed.experiment import Plan
from testbed.experiment.plan.doubts import doubts
from testbed.experiment.plan.refusals import refusals
from testbed.runfolder.collection import latest_run, make_run, unfinished_run
from testbed.runfolder.folder import RunFolder
from testbed.runs.provenance import session
from testbed.runs.run_all import Tally, finish_session, run_trials
from testbed.trial.events import RunEnded

INTERRUPTED: Final = 130
_STOPPED_BUILDING: Final = (
    "stopped before the trial began, so nothing that was measured is lost; the same command continues the run"
)


def run_experiment(
    experiment: Path, runs: Path, *, fresh: bool, redo: Sequence[str], force: bool, quiet: bool, json_lines: bool
) -> int:
    """Run the missing trials of an experiment, and those with a verdict in `redo`; returns the exit status."""
    if fresh and redo:
        raise ExplainedError(
            f"--fresh starts a new run and --redo-{redo[0]} continues an old one: use only one of them"
        )
    file = open_experiment(experiment)
    if not file.has_trials:
        return run_network(file, runs, force=force, quiet=quiet or json_lines)
    plan = checked_plan(file)
    if not (quiet or json_lines):
        _warn(plan)
    run = latest_run(runs, experiment.stem, plan) if redo else None
    if run is None and not fresh:
        run = unfinished_run(runs, experiment.stem, plan)
    if not force:
        _refuse_impossible(plan, run, runs)
    run = run or make_run(runs, experiment.stem, file.text, plan)
    view = choose_view(quiet=quiet, json_lines=json_lines)
    with run.locked():
        if redo:
            run.set_aside(run.judged(*redo))
        tally = _run(run, view)
        # The figures and expectations in the file may be newer than those of the run.
        declared = plan if redo else None
        status = 1
        if run.complete() or not tally.is_interrupted:
            status = make_report(run.path, declared=declared, quiet=quiet or json_lines)
        finish_session(run)
    status = INTERRUPTED if tally.is_interrupted else status
    view(RunEnded(run.path, len(run.missing()), status))
    return status


def _warn(plan: Plan) -> None:
    for doubt in doubts(plan.trials, this_machine()):
        print(wrapped(f"testbed: warning: {warning(doubt, plan)}", line_width(sys.stderr)), file=sys.stderr)


def _refuse_impossible(plan: Plan, run: RunFolder | None, runs: Path) -> None:
    """Refuse a run whose missing trials need more than this machine has."""
    reasons = refusals(run.missing() if run else plan.trials, find_resources(runs))
    if reasons:
        texts = [f"this machine cannot run it: {warning(reason, plan)}" for reason in reasons]
        raise ExplainedError("\n".join([*texts, "--force runs it all the same"]))


def _run(run: RunFolder, view: View) -> Tally:
    try:
        tally = run_trials(run, session(), view)
    finally:
        view.close()
    if tally.was_building:
        print(f"testbed: {_STOPPED_BUILDING}", file=sys.stderr)
    return tally
