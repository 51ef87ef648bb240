"""`testbed try`: perform one trial in virtual time."""

import dataclasses
import json as jsonlib
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from testbed.cli.experiment.check import check_findings, check_programs
from testbed.cli.experiment.files import open_experiment
from testbed.cli.terminal.rehearsal import failure_lines, result_lines
from testbed.errors import ExplainedError, TrialError
from testbed.experiment import ExperimentFile, Plan, Trial, make_plan
from testbed.experiment.language.points import name_of
from testbed.experiment.plan.naming import trial_named
from testbed.tasks.programs import programs_of
from testbed.tasks.rehearsal import Ended, Failed, Happening, Running

INTERRUPTED: Final = 130
LEFT_OUT: Final = "virtual time has no TCP, no queues, no busy machine; headers are a fixed share"
_PLAIN_EVERY_SECONDS: Final = 30


def try_experiment(
    experiment: Path, settings: Sequence[str], named: str | None, seed: int | None, *, quiet: bool, json: bool
) -> int:
    """Perform a trial and print what became of it; returns the exit status."""
    file = _with_seed(open_experiment(experiment, settings), seed)
    plan = make_plan(file)
    trial = plan.trials[0] if named is None else trial_named(plan, named)
    check_programs(file, trial)
    _check_rehearsal(file, trial, plan)
    check_findings(file, [trial])
    if not json:
        print(f"{_title(trial, plan)}\n{LEFT_OUT}", flush=True)
    try:
        last = _perform(file, trial, Progress(trial, is_shown=not (quiet or json)))
    except KeyboardInterrupt:
        return INTERRUPTED
    _print(last, trial, json=json)
    return 1 if isinstance(last, Failed) else 0


def _with_seed(file: ExperimentFile, seed: int | None) -> ExperimentFile:
    if seed is None:
        return file
    variants = tuple(
        dataclasses.replace(variant, experiment=variant.experiment.model_copy(update={"seed": seed}))
        for variant in file.variants
    )
    return dataclasses.replace(file, variants=variants)


def _check_rehearsal(file: ExperimentFile, trial: Trial, plan: Plan) -> None:
    try:
        programs_of(trial).check_rehearsal(trial)
    except TrialError as error:
        possible = [number for number, each in enumerate(plan.trials, start=1) if _can_rehearse(each)]
        hint = f"; `--trial {possible[0]}` can be tried" if possible else ""
        raise ExplainedError(f"{file.path}: {error}{hint}") from error


def _can_rehearse(trial: Trial) -> bool:
    try:
        programs_of(trial).check_rehearsal(trial)
    except TrialError:
        return False
    return True


def _title(trial: Trial, plan: Plan) -> str:
    number = 1 + [each.id for each in plan.trials].index(trial.id)
    point = name_of(trial.point, [each.point for each in plan.trials])
    name = ", ".join(filter(None, (point, f"repetition {trial.repetition}" if plan.repeat > 1 else "")))
    return f"{plan.title}: trial {number} of {len(plan.trials)}" + (f": {name}" if name else "")


def _perform(file: ExperimentFile, trial: Trial, progress: "Progress") -> Ended | Failed:
    try:
        return _last(programs_of(trial).rehearse(trial, file.path, progress.print), progress)
    finally:
        progress.erase()


def _last(happenings: Iterable[Happening], progress: "Progress") -> Ended | Failed:
    for happening in happenings:
        if not isinstance(happening, Running):
            return happening
        progress.show(happening)
    raise ValueError("a rehearsal ends or fails")


def _print(last: Ended | Failed, trial: Trial, *, json: bool) -> None:
    if json:
        print(jsonlib.dumps({"trial": trial.id, **dataclasses.asdict(last)}, indent=2))
    elif isinstance(last, Ended):
        print("\n".join(result_lines(last, trial)))
    if isinstance(last, Failed):
        print("\n".join(failure_lines(last)), file=sys.stderr)


class Progress:
    """One line on standard error that changes on a terminal, among what strategies print."""

    def __init__(self, trial: Trial, *, is_shown: bool) -> None:
        self._trial: Final = trial
        self._is_shown: Final = is_shown
        self._is_live: Final = is_shown and sys.stderr.isatty()
        self._is_at_start = True
        """Whether the cursor is at the start of a line, but for a line of ours."""
        self._next = time.monotonic() + _PLAIN_EVERY_SECONDS

    def show(self, event: Running) -> None:
        """Show how far the trial is; where there is no terminal, only now and then."""
        if self._is_live and self._is_at_start:
            self._write(f"\r\x1b[K{self._text(event)}")
        elif self._is_shown and not self._is_live and time.monotonic() >= self._next:
            self._next = time.monotonic() + _PLAIN_EVERY_SECONDS
            self._write(f"testbed: {self._text(event)}\n")

    def print(self, chunk: bytes) -> None:
        """Print what a strategy printed."""
        if self._is_at_start:
            self.erase()
        self._is_at_start = chunk.endswith(b"\n")
        self._write(chunk.decode(errors="replace"))

    def erase(self) -> None:
        """Remove the line."""
        if self._is_live:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    def _text(self, event: Running) -> str:
        shares = event.progress.values()
        complete = sum(share >= 1 for share in shares)
        part = sum(shares) / max(len(shares), 1)
        participants = f"{complete} of {len(shares)} {self._trial.participants}"
        return f"{event.now:.0f} s: {participants} complete, {part:.0%} of all data"
