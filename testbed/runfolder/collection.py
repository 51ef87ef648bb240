"""The folder that holds all runs: a new run folder gets a free name in it, and an earlier run is found again."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from testbed.errors import RunError
from testbed.experiment import Plan
from testbed.runfolder.damage import DamageError
from testbed.runfolder.folder import EXPERIMENT, PLAN, TRIALS, RunFolder, lock_held
from testbed.runfolder.handles import IN_RUN, Folder, made, opened, read_file
from testbed.runfolder.owners import ForeignFolderError, Owner, may_all_write, own_runs, person


@dataclass(frozen=True)
class NewRun:
    """A run folder that is being made."""

    inside: Path
    """Where its files are to be written."""
    path: Path
    """What it is called when it is complete."""


_ELSEWHERE: Final = "name another folder with --runs (or TESTBED_RUNS), where you can write"


def make_run(runs: Path, name: str, text: str, plan: Plan) -> RunFolder:
    """Make a folder for a run, with what it needs before its first trial."""
    with unfinished_run_folder(runs, timestamped(name)) as new:
        (new.inside / EXPERIMENT).write_text(text, encoding="utf-8")
        (new.inside / PLAN).write_text(plan.to_json(), encoding="utf-8")
        (new.inside / TRIALS).mkdir()
    return RunFolder(new.path, plan)


def timestamped(name: str) -> str:
    """Return the name of a run that begins now."""
    return f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


@contextmanager
def unfinished_run_folder(runs: Path, name: str) -> Iterator[NewRun]:
    """Make a hidden folder for a run. At the end it gets its name; after an error it is removed.

    No other run has the name, even one that began within the same second.
    """
    with ExitStack() as stack:
        with _refusal_explained(runs):
            folder = stack.enter_context(_runs_folder(runs))
            new = _claim(folder, name, stack)
        yield new


def _claim(folder: Folder, name: str, stack: ExitStack) -> NewRun:
    for number in count(1):
        free = name if number == 1 else f"{name}-{number}"
        if free not in folder.names():
            with suppress(FileExistsError):
                inside = stack.enter_context(folder.new_folder(f".{free}", free))
                # So that `testbed clean` sees that it is in use.
                stack.enter_context(lock_held(stack.enter_context(opened(inside, may_be_link=True))))
                return NewRun(inside, folder.path / free)
    raise AssertionError("numbers do not end")


def _require_folder(runs: Path) -> None:
    """Refuse a folder of runs that is a file, or below one."""
    nearest = next((path for path in (runs, *runs.parents) if path.exists()), runs)
    if nearest.exists() and not nearest.is_dir():
        raise RunError(f"{runs} is not a folder: {_ELSEWHERE}")


@contextmanager
def _refusal_explained(runs: Path) -> Iterator[None]:
    _require_folder(runs)
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise RunError(f"{runs} is not a folder: {_ELSEWHERE}") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunError(f"{runs}: run folders cannot be created there ({reason}): {_ELSEWHERE}") from error


@contextmanager
def _runs_folder(runs: Path) -> Iterator[Folder]:
    """Open the folder of this user's runs; it is made unless it is there, and then belongs to who called sudo."""
    with made(runs, person()) as folder:
        if may_all_write(os.fstat(folder.handle)):
            with folder.given_to(person()).own_subfolder(person().name) as own:
                yield own
        else:
            yield folder


@dataclass(frozen=True)
class _Found:
    """A run folder, perhaps of another user."""

    path: Path
    owner: Owner
    plan: str


def unfinished_run(runs: Path, name: str, plan: Plan) -> RunFolder | None:
    """Return the latest unfinished run of exactly this plan; raises ForeignFolderError if only another user has one."""
    wanted = plan.to_json()
    same = [(found, RunFolder(found.path, plan)) for found in _latest_first(runs, name) if found.plan == wanted]
    for found, run in same:
        if found.owner.is_us and not run.is_finished:
            return run
    for found, run in same:
        if not found.owner.is_us and not run.looks_finished:
            raise ForeignFolderError(
                f"{found.path} is an unfinished run of this experiment, but it belongs to the user {found.owner.name},"
                " who alone can continue it: use --fresh to start a run of your own"
            )
    return None


def latest_run(runs: Path, name: str, plan: Plan) -> RunFolder:
    """Return this user's latest run of the same trials, finished or not; its figures and expectations may differ."""
    wanted = [trial.id for trial in plan.trials]
    for found in _latest_first(runs, name):
        try:
            its_plan = Plan.from_json(found.plan)
        except ValidationError:
            continue
        if [trial.id for trial in its_plan.trials] == wanted and found.owner.is_us:
            return RunFolder(found.path, its_plan)
    raise RunError(f"{own_runs(runs)} has no run of these trials that is yours: run the experiment first")


def _latest_first(runs: Path, name: str) -> Iterator[_Found]:
    """Yield the runs of an experiment, without following links: others may have put some there."""
    _require_folder(runs)
    place = own_runs(runs)
    if not place.exists():
        return
    with opened(place, may_be_link=place == runs) as folder:
        for each in reversed(folder.names()):
            if each.startswith(f"{name}-") and (found := _found(folder, each)) is not None:
                yield found


def _found(runs: Folder, name: str) -> _Found | None:
    try:
        with runs.subfolder(name) as run:
            text = read_file(run.inside / PLAN, IN_RUN).decode(errors="replace")
            return _Found(runs.path / name, Owner.of(os.fstat(run.handle)), text)
    except (OSError, DamageError):
        return None
