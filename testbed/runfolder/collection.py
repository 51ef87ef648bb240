"""The folder that holds all runs: a new run folder gets a free name in it, and an earlier run is found again."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from pydantic import ValidationError

from testbed.errors import RunError
from testbed.experiment import Plan
from testbed.runfolder.folder import EXPERIMENT, PLAN, TRIALS, RunFolder, locked


def make_run(runs: Path, name: str, text: str, plan: Plan) -> RunFolder:
    """Make a folder for a run, with what it needs before its first trial."""
    with unfinished_run_folder(runs, timestamped(name)) as hidden:
        (hidden / EXPERIMENT).write_text(text, encoding="utf-8")
        (hidden / PLAN).write_text(plan.to_json(), encoding="utf-8")
        (hidden / TRIALS).mkdir()
    return RunFolder(final_path(hidden), plan)


def timestamped(name: str) -> str:
    """Return the name of a run that begins now."""
    return f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


@contextmanager
def unfinished_run_folder(runs: Path, name: str) -> Iterator[Path]:
    """Make a hidden folder for a run. At the end it gets its name; after an error it is removed."""
    hidden = _claim_folder(runs, name)
    try:
        with locked(hidden):  # so that `testbed clean` sees that it is in use
            yield hidden
            hidden.rename(final_path(hidden))
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)
        raise


def _claim_folder(runs: Path, name: str) -> Path:
    """Make a hidden folder under a name that no other run has, even one that began within the same second."""
    runs.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        hidden = runs / (f".{name}" if number == 1 else f".{name}-{number}")
        try:
            hidden.mkdir()
        except FileExistsError:
            continue
        if not final_path(hidden).exists():
            break
        hidden.rmdir()
    return hidden


def final_path(hidden: Path) -> Path:
    """Return the path that a hidden folder gets when it is complete."""
    return hidden.with_name(hidden.name.removeprefix("."))


def unfinished_run(runs: Path, name: str, plan: Plan) -> RunFolder | None:
    """Return the latest unfinished run of exactly this plan."""
    wanted = plan.to_json()
    folders = (path for path in _latest_first(runs, name) if _plan_text(path) == wanted)
    return next((run for path in folders if not (run := RunFolder(path, plan)).is_finished), None)


def latest_run(runs: Path, name: str, plan: Plan) -> RunFolder:
    """Return the latest run of the same trials, finished or not; its figures and expectations may differ."""
    wanted = [trial.id for trial in plan.trials]
    for path in _latest_first(runs, name):
        try:
            found = Plan.from_json(_plan_text(path))
        except ValidationError:
            continue
        if [trial.id for trial in found.trials] == wanted:
            return RunFolder(path, found)
    raise RunError(f"{runs} has no run of these trials: run the experiment first")


def _latest_first(runs: Path, name: str) -> list[Path]:
    return sorted((path for path in runs.glob(f"{name}-*") if (path / PLAN).is_file()), reverse=True)


def _plan_text(run: Path) -> str:
    return (run / PLAN).read_text(encoding="utf-8", errors="replace")
