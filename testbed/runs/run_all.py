"""A run: the trials of a plan, each complete or absent, until all are there or someone stops it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from testbed.errors import RunError
from testbed.runfolder.folder import RunFolder
from testbed.runs import provenance
from testbed.runs.executor import EXECUTORS, SEQUENTIAL, Executor, TrialOutcome
from testbed.trial.engine import EMULATED, ENGINES, Engine
from testbed.trial.events import Notify, RunBegan, TrialAborted, TrialEnded, TrialOrder
from testbed.trial.interrupts import BuildingInterruptedError

MOST_FAILURES: Final = 3
"""A run ends after this many trials in a row without a result."""
_DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass
class Tally:
    """The outcomes of a session."""

    ended: list[TrialEnded] = field(default_factory=list)
    aborted: list[TrialAborted] = field(default_factory=list)
    is_interrupted: bool = False
    was_building: bool = False
    """Whether it was interrupted before a trial began."""


def run_trials(
    run: RunFolder,
    session: dict[str, Any],
    notify: Notify,
    *,
    only: frozenset[str] | None = None,
    engine: Engine = ENGINES[EMULATED],
    executor: Executor = EXECUTORS[SEQUENTIAL],
) -> Tally:
    """Run the missing trials in their order; of these, only those with an id in `only`.

    Complete trials are kept, however this ends. The folder must be locked.
    """
    tally = Tally()
    with _full_disk_explained(run):
        run.remove_leftovers()
        run.add_session(session)
        notify(RunBegan(run.path, run.plan, run.complete_ids(), only))
        with run.work_folder() as work:
            try:
                _add_outcomes(run, tally, executor(_orders(run, work, only), engine, notify), notify)
            except KeyboardInterrupt as error:
                tally.is_interrupted = True
                tally.was_building = isinstance(error, BuildingInterruptedError)
    return tally


def _orders(run: RunFolder, work: Path, only: frozenset[str] | None) -> list[TrialOrder]:
    missing = {trial.id for trial in run.missing() if only is None or trial.id in only}
    program = provenance.program()
    return [
        TrialOrder(number, trial, run.trials, work, run.plan.seed, program)
        for number, trial in enumerate(run.plan.trials, start=1)
        if trial.id in missing
    ]


def _add_outcomes(run: RunFolder, tally: Tally, outcomes: Iterator[TrialOutcome], notify: Notify) -> None:
    """Take outcomes until a trial was the last one, or too many in a row have no result."""
    failures = 0
    for outcome in outcomes:
        notify(outcome)
        if isinstance(outcome, TrialAborted):
            tally.aborted.append(outcome)
            failures += 1
            if failures == MOST_FAILURES:
                raise RunError(f"{failures} trials in a row have no result, so the run stops: {outcome.why}")
            continue
        failures = 0
        if not tally.ended:
            run.change_session(host_settings=outcome.settings)
        tally.ended.append(outcome)
        if outcome.is_last:
            tally.is_interrupted = True
            return


@contextmanager
def _full_disk_explained(run: RunFolder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        raise RunError(
            f"{run.path}: the disk is full. Complete trials are kept: make room, and run the same command again"
        ) from error


def finish_session(run: RunFolder) -> None:
    """Record that the session has ended."""
    run.change_session(ended=provenance.now())
