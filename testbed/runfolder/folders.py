"""Run folders: made whole, found again, continued by one command at a time.

RUN/experiment.yaml, plan.json      there from the beginning, and never changed
RUN/provenance.json                 one entry a session
RUN/trials/ID/                      a trial, whole; `.ID.part` while it is being written
RUN/suspect/ID.N/                   the same, set aside to be measured again
RUN/.work/                          files that are distributed; gone when a session ends
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from testbed.errors import RunError
from testbed.experiment.plan.plan import Plan
from testbed.experiment.plan.trials import Trial
from testbed.runfolder.writing import RECORD, VERSION, write_json

EXPERIMENT: Final = "experiment.yaml"
PLAN: Final = "plan.json"
PROVENANCE: Final = "provenance.json"
TRIALS: Final = "trials"
SET_ASIDE: Final = "suspect"
WORK: Final = ".work"


@dataclass(frozen=True)
class RunFolder:
    """A run on disk."""

    path: Path
    plan: Plan

    @property
    def trials(self) -> Path:
        """Where trials are kept."""
        return self.path / TRIALS

    @property
    def work(self) -> Path:
        """For what no result needs."""
        return self.path / WORK

    def done(self) -> frozenset[str]:
        """Return the ids of the trials that are there; one that is damaged is an error."""
        ids = [trial.id for trial in self.plan.trials if (self.trials / trial.id).exists()]
        for trial_id in ids:
            _check_record(self.trials / trial_id, trial_id)
        return frozenset(ids)

    def missing(self) -> list[Trial]:
        """Return the trials that are still to be run, in their order."""
        done = self.done()
        return [trial for trial in self.plan.trials if trial.id not in done]

    def set_aside(self, trial_ids: Iterable[str]) -> None:
        """Keep trials where no result is made of them, so that they are missing."""
        folder = self.path / SET_ASIDE
        for trial_id in trial_ids:
            folder.mkdir(exist_ok=True)
            places = (folder / f"{trial_id}.{number}" for number in count(1))
            (self.trials / trial_id).rename(next(place for place in places if not place.exists()))

    @property
    def is_finished(self) -> bool:
        """Whether all trials are there, and the session that ran the last one could say so."""
        return bool(self.sessions) and self.sessions[-1]["ended"] is not None and not self.missing()

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
        """Add what is now known of the present session."""
        *before, present = self.sessions
        self._write_sessions([*before, {**present, **changes}])

    def sweep(self) -> None:
        """Remove what a session that was killed left behind."""
        self.sweep_trials()
        self.drop_work()

    def sweep_trials(self) -> None:
        """Remove trials that are not whole."""
        for unfinished in self.trials.glob(".*.part"):
            shutil.rmtree(unfinished)

    def drop_work(self) -> None:
        """Remove what no result needs."""
        shutil.rmtree(self.work, ignore_errors=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Have the folder for oneself; another command that runs it is an error."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise RunError(f"{self.path} is being run by another command: wait for it, or use --fresh") from error
        finally:
            os.close(descriptor)

    def _write_sessions(self, entries: list[dict[str, Any]]) -> None:
        fresh = self.path / f".{PROVENANCE}"
        write_json(fresh, {"version": VERSION, "sessions": entries})
        fresh.rename(self.path / PROVENANCE)


def make_run(runs: Path, name: str, text: str, plan: Plan) -> RunFolder:
    """Make a folder for a run under a name that no other run has; it is there with all it needs, or not at all."""
    hidden = claim_folder(runs, f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    try:
        (hidden / EXPERIMENT).write_text(text, encoding="utf-8")
        (hidden / PLAN).write_text(plan.to_json(), encoding="utf-8")
        (hidden / TRIALS).mkdir()
        return RunFolder(hidden.rename(shown(hidden)), plan)
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)
        raise


def claim_folder(runs: Path, name: str) -> Path:
    """Make a hidden folder under a name that no other run has, be it one that began within the same second."""
    runs.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        hidden = runs / (f".{name}" if number == 1 else f".{name}-{number}")
        try:
            hidden.mkdir()
        except FileExistsError:
            continue
        if not shown(hidden).exists():
            break
        hidden.rmdir()
    return hidden


def shown(hidden: Path) -> Path:
    """Return the place that a hidden folder gets when it is whole."""
    return hidden.with_name(hidden.name.removeprefix("."))


def unfinished_run(runs: Path, name: str, plan: Plan) -> RunFolder | None:
    """Return the latest run of exactly this plan that is not finished."""
    wanted = plan.to_json()
    folders = (path for path in _latest_first(runs, name) if _plan_text(path) == wanted)
    return next((run for path in folders if not (run := RunFolder(path, plan)).is_finished), None)


def latest_run(runs: Path, name: str, plan: Plan) -> RunFolder:
    """Return the latest run of the same trials, finished or not; figures and expectations may be others."""
    wanted = [trial.id for trial in plan.trials]
    for path in _latest_first(runs, name):
        try:
            found = Plan.from_json(_plan_text(path))
        except ValidationError:
            continue
        if [trial.id for trial in found.trials] == wanted:
            return RunFolder(path, found)
    raise RunError(f"{runs} has no run of these trials of which some could be measured again: run the experiment first")


def _latest_first(runs: Path, name: str) -> list[Path]:
    return sorted((path for path in runs.glob(f"{name}-*") if (path / PLAN).is_file()), reverse=True)


def _plan_text(run: Path) -> str:
    return (run / PLAN).read_text(encoding="utf-8", errors="replace")


def _check_record(folder: Path, trial_id: str) -> None:
    """Raise RunError unless the folder holds the record of that trial."""
    advice = "remove that folder, and the trial is run again"
    try:
        record = json.loads((folder / RECORD).read_bytes())
        found = record["id"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{folder} is damaged (no readable {RECORD}): {advice}") from error
    if found != trial_id:
        raise RunError(f"{folder} holds another trial, {found}: {advice}")
