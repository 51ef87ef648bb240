"""`testbed run`: run the trials of an experiment that have no result yet, then make tables and figures."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from testbed.cli.check import checked_plan, warning
from testbed.cli.experiments import STANDARD_INPUT, open_experiment
from testbed.cli.network.run import run_network
from testbed.cli.plan import this_machine
from testbed.cli.report import make_report
from testbed.cli.terminal.views import View, choose_view
from testbed.doctor.tools import versions
from testbed.errors import ExplainedError
from testbed.experiment import ExperimentFile, Plan
from testbed.experiment.plan.doubts import doubts
from testbed.experiment.plan.naming import trial_named
from testbed.runfolder.collection import latest_run, make_run, unfinished_run
from testbed.runfolder.folder import RunFolder
from testbed.runs.provenance import session
from testbed.runs.run_all import Tally, finish_session, run_trials
from testbed.trial.events import RunEnded

INTERRUPTED: Final = 130


def run_experiment(
    experiment: Path,
    runs: Path,
    *,
    settings: Sequence[str] = (),
    only: Sequence[str] = (),
    fresh: bool,
    redo_suspect: bool,
    quiet: bool,
    json_lines: bool,
) -> int:
    """Run the missing trials of an experiment, or only those named, and report; returns the exit status."""
    if fresh and redo_suspect:
        raise ExplainedError("--fresh starts a new run and --redo-suspect continues an old one: use only one of them")
    file = _open(experiment, settings)
    if not file.has_trials:
        return _run_network(file, runs, only, quiet=quiet or json_lines)
    plan = checked_plan(file)
    chosen = frozenset(trial_named(plan, name).id for name in only) or None
    if not (quiet or json_lines):
        _warn(plan)
    run = latest_run(runs, experiment.stem, plan) if redo_suspect else None
    if run is None and not fresh:
        run = unfinished_run(runs, experiment.stem, plan)
    run = run or make_run(runs, experiment.stem, file.text, plan)
    view = choose_view(quiet=quiet, json_lines=json_lines)
    with run.locked():
        if redo_suspect:
            run.set_aside(trial_id for trial_id in run.suspect() if chosen is None or trial_id in chosen)
        tally = _run(run, chosen, view)
        # The figures and expectations in the file may be newer than those of the run.
        declared = plan if redo_suspect else None
        status = make_report(run.path, declared=declared, quiet=quiet or json_lines)
        finish_session(run)
    status = INTERRUPTED if tally.is_interrupted else status if chosen is None else _status_of(run, chosen)
    view(RunEnded(run.path, len(run.missing()), status))
    return status


def _open(experiment: Path, settings: Sequence[str]) -> ExperimentFile:
    if experiment == STANDARD_INPUT:
        raise ExplainedError("a run is named by its file, and kept with it: write the experiment into a file")
    return open_experiment(experiment, settings)


def _run_network(file: ExperimentFile, runs: Path, only: Sequence[str], *, quiet: bool) -> int:
    if only:
        raise ExplainedError(f"{file.path} describes a network without peers, which has no trials: leave --only out")
    return run_network(file, runs, quiet=quiet)


def _status_of(run: RunFolder, chosen: frozenset[str]) -> int:
    """Whether the chosen trials have results. Others may be missing, so expectations say nothing."""
    return int(any(trial.id in chosen for trial in run.missing()))


def _warn(plan: Plan) -> None:
    for doubt in doubts(plan.trials, this_machine()):
        print(f"testbed: warning: {warning(doubt, plan)}", file=sys.stderr)


def _run(run: RunFolder, chosen: frozenset[str] | None, view: View) -> Tally:
    try:
        return run_trials(run, session(versions()), view, only=chosen)
    finally:
        view.close()
