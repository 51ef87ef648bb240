"""A run: its trials one after the other, each whole or absent, until all are there or somebody says stop."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from testbed.experiment.plan.plan import Plan
from testbed.experiment.plan.trials import Trial
from testbed.network import ProcessError
from testbed.network.sandbox import SandboxError
from testbed.runfolder.folders import RunFolder
from testbed.runs import provenance
from testbed.tasks.distribute.programs import check_programs
from testbed.trial.errors import RunError, TrialError
from testbed.trial.events import (
    RunBegan,
    Tell,
    TrialBegan,
    TrialEnded,
    TrialFailed,
)
from testbed.trial.payload_file import make_original
from testbed.trial.run_trial import Order, conduct

MOST_FAILURES: Final = 3
"""So many trials in a row without a result, and it is not chance."""
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass
class Tally:
    """What a session came to."""

    ended: list[TrialEnded] = field(default_factory=list)
    failed: list[TrialFailed] = field(default_factory=list)
    is_interrupted: bool = False


def check_plan(plan: Plan) -> None:
    """Raise a TrialError if a trial asks for what no program here can do."""
    for trial in plan.trials:
        check_programs(trial)


def run_trials(run: RunFolder, session: dict[str, Any], tell: Tell) -> Tally:
    """Run the trials that are missing, in their order; what is there is kept, however this ends.

    The folder must be locked.
    """
    tally = Tally()
    with _room_explained(run):
        run.sweep()
        run.add_session(session)
        tell(RunBegan(run.path, run.plan, run.done()))
        try:
            _run_missing(run, tally, tell)
        except KeyboardInterrupt:
            tally.is_interrupted = True
        finally:
            run.drop_work()
    return tally


def _run_missing(run: RunFolder, tally: Tally, tell: Tell) -> None:
    failures = 0
    for trial in run.missing():
        tell(TrialBegan(1 + run.plan.trials.index(trial), trial))
        outcome = _run_one(run, trial, tell)
        tell(outcome)
        if isinstance(outcome, TrialFailed):
            tally.failed.append(outcome)
            failures += 1
            if failures == MOST_FAILURES:
                raise RunError(f"{failures} trials in a row have no result, so the rest is not tried: {outcome.why}")
            continue
        failures = 0
        if not tally.ended:
            run.change_session(host_settings=outcome.settings)
        tally.ended.append(outcome)
        if outcome.is_last:
            tally.is_interrupted = True
            return


def _run_one(run: RunFolder, trial: Trial, tell: Tell) -> TrialEnded | TrialFailed:
    original = make_original(run.work, run.plan.seed, trial.settings.file_size)
    try:
        return conduct(Order(trial, original, run.trials), tell)
    except (TrialError, ProcessError, SandboxError) as error:
        run.sweep_trials()
        return TrialFailed(trial, str(error))


@contextmanager
def _room_explained(run: RunFolder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise RunError(
            f"{run.path}: there is no room left on the disk; the trials that are complete are kept:"
            " make room, and run the same command again"
        ) from error


def finish_session(run: RunFolder) -> None:
    """Note that the session has ended."""
    run.change_session(ended=provenance.now())
