"""A run folder: one model for the command that runs trials and for the one that reports them.

RUN/experiment.yaml, plan.json      there from the beginning, and never changed
RUN/provenance.json                 one entry for each session
RUN/report.json                     what made the present tables and figures
RUN/trials/ID/                      a complete trial; `.ID.part` while it is being written
RUN/suspect/ID.N/                   a suspect trial that was set aside to be measured again
RUN/expectations.json               the outcomes of the expectations in the last report
RUN/.work/                          the files that are distributed; removed when a session ends
RUN/.lock                           locked by the command that runs the trials
"""

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from testbed.errors import ExplainedError, RunError
from testbed.experiment import Plan, Trial
from testbed.runfolder.damage import Damage, DamageError
from testbed.runfolder.handles import IN_RUN, Folder, opened, opened_own, read_file
from testbed.runfolder.owners import ForeignFolderError
from testbed.runfolder.record import OTHER_VERSION, VERSION, read_record, read_trial_id

EXPERIMENT: Final = "experiment.yaml"
PLAN: Final = "plan.json"
PROVENANCE: Final = "provenance.json"
REPORT: Final = "report.json"
TRIALS: Final = "trials"
SET_ASIDE: Final = "suspect"
WORK: Final = ".work"
LOCK: Final = ".lock"
EXPECTATIONS: Final = "expectations.json"
_PATIENCE: Final = 0.1
"""Seconds for which a command waits for a lock, in case somebody only looks at it."""


@dataclass(frozen=True)
class RunFolder:
    """A run, finished or not."""

    path: Path
    plan: Plan

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Read the plan of a run."""
        if not path.is_dir():
            raise ExplainedError(f"{path} is not a folder: name a run folder, which `testbed run` makes")
        if path.is_symlink():  # it was named by the user; what is in the folder was not
            path = path.resolve()
        file = path / PLAN
        try:
            return cls(path, Plan.from_json(read_file(file, IN_RUN).decode()))
        except FileNotFoundError as error:
            raise ExplainedError(f"{path} has no {PLAN}: name a run folder, which `testbed run` makes") from error
        except (ValidationError, UnicodeDecodeError) as error:
            advice = f"{OTHER_VERSION}, or run the experiment again"
            raise DamageError(file, f"is not a plan of this version of the testbed: {advice}") from error

    def declaring(self, plan: Plan) -> "RunFolder":
        """Return the same run with the figures and expectations of another plan, which must have the same trials."""
        if {trial.id for trial in plan.trials} != {trial.id for trial in self.plan.trials}:
            advice = "only figures and expectations can be changed after the measurement: run the experiment"
            raise ExplainedError(f"{self.path} does not have the trials of this experiment: {advice}")
        words = {"title": plan.title, "question": plan.question, "figures": plan.figures, "expect": plan.expect}
        return replace(self, plan=self.plan.model_copy(update=words))

    @property
    def trials(self) -> Path:
        """The folder of all trials."""
        return self.path / TRIALS

    @property
    def work(self) -> Path:
        """A folder for files that no result needs."""
        return self.path / WORK

    def folder_of(self, trial: Trial) -> Path:
        """Return where a trial is kept. A folder of that name is complete: it got the name when it was written."""
        return self.trials / trial.id

    @contextmanager
    def opened(self) -> Iterator[Folder]:
        """Open the folder to change it; raises ForeignFolderError if it belongs to another user."""
        with opened_own(self.path) as folder:
            yield folder

    def complete(self) -> tuple[Trial, ...]:
        """Return the trials that were run to their end."""
        names = self._names_in(TRIALS)
        return tuple(trial for trial in self.plan.trials if trial.id in names)

    def missing(self) -> tuple[Trial, ...]:
        """Return the trials that are still to be run, in their order."""
        names = self._names_in(TRIALS)
        return tuple(trial for trial in self.plan.trials if trial.id not in names)

    def _names_in(self, name: str) -> frozenset[str]:
        """Return what is in one of the folders of the run; nothing if that is missing."""
        try:
            with opened(self.path) as folder, folder.subfolder(name) as inner:
                return frozenset(inner.names())
        except FileNotFoundError:
            return frozenset()

    def complete_ids(self) -> frozenset[str]:
        """Return the ids of the complete trials; one whose folder is damaged raises RunError."""
        trials = self.complete()
        for trial in trials:
            self._check_id(trial)
        return frozenset(trial.id for trial in trials)

    def _check_id(self, trial: Trial) -> None:
        folder, advice = self.folder_of(trial), "remove that folder and run the experiment again"
        try:
            found = read_trial_id(folder)
        except DamageError as error:
            raise RunError(f"{folder} is damaged ({error}): {advice}") from error
        if found != trial.id:
            raise RunError(f"{folder} holds another trial, {found}: {advice}")

    def unplanned(self) -> Iterator[Damage]:
        """Yield each folder among the trials that belongs to no planned trial."""
        planned = {trial.id for trial in self.plan.trials}
        for name in sorted(self._names_in(TRIALS) - planned):
            if not name.startswith("."):
                yield Damage(self.trials / name, 0, f"is not a trial of {PLAN}, and is not used: remove it")

    def judged(self, *verdicts: str) -> list[str]:
        """Return the ids of the complete trials whose record has one of these verdicts."""
        found = {trial.id: read_record(self.folder_of(trial), trial).verdict for trial in self.complete()}
        return [trial_id for trial_id, verdict in found.items() if verdict in verdicts]

    def attempts(self, trial: Trial) -> int:
        """Return how often a complete trial was measured: suspect ones can be set aside and measured again."""
        return 1 + sum(1 for name in self._names_in(SET_ASIDE) if name.startswith(f"{trial.id}."))

    def set_aside(self, trial_ids: Iterable[str]) -> None:
        """Move trials to where no result is made of them, so that they are missing."""
        for trial_id in trial_ids:
            with self.opened() as run, run.subfolder(TRIALS) as trials, run.own_subfolder(SET_ASIDE) as aside:
                names = (f"{trial_id}.{number}" for number in count(1))
                trials.move(trial_id, aside, next(name for name in names if name not in aside.names()))

    @property
    def is_finished(self) -> bool:
        """Whether all trials are there, and the session that ran the last one ended by itself."""
        return self._has_last_session_ended and len(self.complete_ids()) == len(self.plan.trials)

    @property
    def looks_finished(self) -> bool:
        """The same as far as it can be seen without reading the trials; False where anything is damaged."""
        try:
            return self._has_last_session_ended and not self.missing()
        except (OSError, ExplainedError, LookupError, TypeError, RecursionError):
            return False

    @property
    def _has_last_session_ended(self) -> bool:
        sessions = self.sessions
        return bool(sessions) and sessions[-1]["ended"] is not None

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """The entries of the provenance."""
        try:
            entries: list[dict[str, Any]] = json.loads(read_file(self.path / PROVENANCE, IN_RUN))["sessions"]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{self.path / PROVENANCE} is damaged: remove the folder, or use --fresh") from error
        return entries

    def add_session(self, entry: dict[str, Any]) -> None:
        """Begin a session."""
        self._write_sessions([*self.sessions, entry])

    def change_session(self, **changes: object) -> None:
        """Add to the present session what became known later."""
        *before, present = self.sessions
        self._write_sessions([*before, {**present, **changes}])

    def _write_sessions(self, entries: list[dict[str, Any]]) -> None:
        text = json.dumps({"version": VERSION, "sessions": entries}, indent=1) + "\n"
        with self.opened() as run, run.new_file(PROVENANCE) as file:
            file.write(text.encode())

    def remove_leftovers(self) -> None:
        """Remove what a killed session left behind."""
        with self.opened() as run, run.own_subfolder(TRIALS) as trials:
            for name in trials.names():
                if name.startswith(".") and name.endswith(".part"):
                    trials.remove(name)
            run.remove(WORK)

    @contextmanager
    def work_folder(self) -> Iterator[Path]:
        """Make the folder for files that no result needs, and yield a path to its inside; at the end it is removed."""
        with self.opened() as run:
            run.remove(WORK)
            try:
                with run.private_folder(WORK) as work:
                    yield work.inside
            finally:
                run.remove(WORK)

    def locked(self) -> AbstractContextManager[None]:
        """Hold the lock of the folder; where another command holds it, raise RunError."""
        return locked(self.path)


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold the lock of a run folder of our own; where another command holds it, raise RunError."""
    with opened_own(run) as folder, lock_held(folder):
        yield


@contextmanager
def lock_held(run: Folder, patience: float = _PATIENCE) -> Iterator[None]:
    """Hold the lock of an open run folder. It may be held for a moment by who only looks whether it is held."""
    descriptor = run.open_lock(LOCK)
    try:
        _lock(descriptor, time.monotonic() + patience)
        yield
    except BlockingIOError as error:
        raise RunError(f"{run.path} is being run by another command: wait for it, or use --fresh") from error
    finally:
        os.close(descriptor)


def _lock(descriptor: int, until: float) -> None:
    """Take a lock; raises BlockingIOError if it is still held at that time."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
            time.sleep(_PATIENCE / 10)


def is_locked(run: Path) -> bool:
    """Whether a command is using a run folder; of those of others that cannot be known. Nothing is changed."""
    try:
        with opened_own(run) as folder:
            if LOCK not in folder.names():
                return False
            with lock_held(folder, patience=0):
                return False
    except ForeignFolderError:
        return False
    except RunError:
        return True
