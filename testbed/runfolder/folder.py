"""A run folder: one model for the command that runs trials and for the one that reports them.

RUN/experiment.yaml, plan.json      there from the beginning, and never changed
RUN/provenance.json                 one entry for each session
RUN/trials/ID/                      a complete trial; `.ID.part` while it is being written
RUN/suspect/ID.N/                   a suspect trial that was set aside to be measured again
RUN/expectations.json               the outcomes of the expectations in the last report
RUN/.work/                          the files that are distributed; removed when a session ends
"""

import fcntl
import json
import os
import shutil
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
from testbed.runfolder.record import OTHER_VERSION, VERSION, read_record, read_trial_id
from testbed.runfolder.trial_folder import write_json

EXPERIMENT: Final = "experiment.yaml"
PLAN: Final = "plan.json"
PROVENANCE: Final = "provenance.json"
TRIALS: Final = "trials"
SET_ASIDE: Final = "suspect"
WORK: Final = ".work"
EXPECTATIONS: Final = "expectations.json"


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
        file = path / PLAN
        try:
            return cls(path, Plan.from_json(file.read_text(encoding="utf-8")))
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

    def complete(self) -> tuple[Trial, ...]:
        """Return the trials that were run to their end."""
        return tuple(trial for trial in self.plan.trials if self.folder_of(trial).exists())

    def missing(self) -> tuple[Trial, ...]:
        """Return the trials that are still to be run, in their order."""
        return tuple(trial for trial in self.plan.trials if not self.folder_of(trial).exists())

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
        for entry in sorted(self.trials.iterdir()) if self.trials.is_dir() else ():
            if entry.name not in planned and not entry.name.startswith("."):
                yield Damage(entry, 0, f"is not a trial of {PLAN}, and is not used: remove it")

    def suspect(self) -> list[str]:
        """Return the ids of the complete trials whose record says that they are suspect."""
        verdicts = {trial.id: read_record(self.folder_of(trial), trial).fidelity.verdict for trial in self.complete()}
        return [trial_id for trial_id, verdict in verdicts.items() if verdict == "suspect"]

    def attempts(self, trial: Trial) -> int:
        """Return how often a complete trial was measured: suspect ones can be set aside and measured again."""
        return 1 + sum(1 for _ in (self.path / SET_ASIDE).glob(f"{trial.id}.*"))

    def set_aside(self, trial_ids: Iterable[str]) -> None:
        """Move trials to where no result is made of them, so that they are missing."""
        folder = self.path / SET_ASIDE
        for trial_id in trial_ids:
            folder.mkdir(exist_ok=True)
            places = (folder / f"{trial_id}.{number}" for number in count(1))
            (self.trials / trial_id).rename(next(place for place in places if not place.exists()))

    @property
    def is_finished(self) -> bool:
        """Whether all trials are there, and the session that ran the last one ended by itself."""
        sessions = self.sessions
        has_ended = bool(sessions) and sessions[-1]["ended"] is not None
        return has_ended and len(self.complete_ids()) == len(self.plan.trials)

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """The entries of the provenance."""
        try:
            entries: list[dict[str, Any]] = json.loads((self.path / PROVENANCE).read_text())["sessions"]
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
        fresh = self.path / f".{PROVENANCE}"
        write_json(fresh, {"version": VERSION, "sessions": entries})
        fresh.rename(self.path / PROVENANCE)

    def remove_leftovers(self) -> None:
        """Remove what a killed session left behind."""
        for unfinished in self.trials.glob(".*.part"):
            shutil.rmtree(unfinished)
        self.remove_work()

    def remove_work(self) -> None:
        """Remove the files that no result needs."""
        shutil.rmtree(self.work, ignore_errors=True)

    def locked(self) -> AbstractContextManager[None]:
        """Hold the lock of the folder; where another command holds it, raise RunError."""
        return locked(self.path)


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold the lock of a run folder; where another command holds it, raise RunError."""
    descriptor = os.open(run, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise RunError(f"{run} is being run by another command: wait for it, or use --fresh") from error
    finally:
        os.close(descriptor)


def is_locked(run: Path) -> bool:
    """Whether a command is using a run folder."""
    try:
        with locked(run):
            return False
    except RunError:
        return True
