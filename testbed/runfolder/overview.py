"""A run at a glance: what its plan, its records and its last report say. No trace is read."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from testbed.errors import ExplainedError, RunError
from testbed.runfolder.folder import EXPECTATIONS, EXPERIMENT, PLAN, PROVENANCE, RunFolder, is_locked
from testbed.runfolder.owners import own_runs
from testbed.runfolder.record import read_record

_NAME: Final = re.compile(r"(?P<experiment>.+)-(?P<began>\d{8}T\d{6}Z)(?:-(?P<number>\d+))?")
_BLOCK: Final = 512


@dataclass(frozen=True)
class RunName:
    """The name of a run folder, in its parts."""

    experiment: str
    began: datetime
    number: int = 1
    """Runs that began within the same second are numbered."""

    @classmethod
    def read(cls, name: str) -> "RunName | None":
        """Read a name; None if `testbed run` does not give such names."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        try:
            began = datetime.strptime(found["began"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(found["experiment"], began, int(found["number"] or 1))


@dataclass(frozen=True)
class Overview:
    """A run, or what was measured of a network without peers, which has no trials."""

    path: Path
    name: RunName
    title: str = ""
    planned: int = 0
    complete: int = 0
    verdicts: Mapping[str, int] | None = None
    """The number of complete trials by verdict."""
    expected: int = 0
    held: int | None = None
    """How many expectations there are, and how many of them held in the last report; None without a report."""
    bytes: int = 0
    """The space that it takes on the disk."""
    is_finished: bool = True
    is_in_use: bool = False
    damage: str = ""
    """Why its plan or a record cannot be read."""

    @property
    def is_unfinished(self) -> bool:
        """Whether the run can be resumed. One that cannot be read may be complete: of another version, for example."""
        return not self.is_finished and not self.damage

    @property
    def state(self) -> str:
        """One word: finished, unfinished or damaged."""
        return "damaged" if self.damage else "finished" if self.is_finished else "unfinished"

    def row(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "name": self.path.name,
            "folder": str(self.path),
            "experiment": self.name.experiment,
            "began": self.name.began.isoformat(),
            "planned": self.planned,
            "complete": self.complete,
            "verdicts": dict(self.verdicts or {}),
            "expected": self.expected,
            "held": self.held,
            "bytes": self.bytes,
            "state": self.state,
            "in_use": self.is_in_use,
            "damage": self.damage,
        }


class FoundRun(NamedTuple):
    """A run folder and its name, in parts."""

    path: Path
    name: RunName


def find_runs(runs: Path) -> list[FoundRun]:
    """Return the run folders of a folder, the latest first; of a shared one, our own. Links are not among them."""
    own = own_runs(runs)
    named = [(path, RunName.read(path.name)) for path in (own.iterdir() if own.is_dir() else ())]
    found = [FoundRun(path, name) for path, name in named if name is not None and _is_run(path)]
    return sorted(found, key=lambda run: (run.name.began, run.name.number, run.path), reverse=True)


def _is_run(path: Path) -> bool:
    """Whether `testbed run` made a folder; one that only its owner can look into may be a run by its name."""
    if path.is_symlink() or not path.is_dir():
        return False
    try:
        return (path / PLAN).is_file() or all((path / name).is_file() for name in (EXPERIMENT, PROVENANCE))
    except PermissionError:
        return True


def overview(found: FoundRun) -> Overview:
    """Look at a run."""
    bare = Overview(*found, bytes=space_of(found.path))
    try:
        bare = replace(bare, is_in_use=is_locked(found.path))
        return _with_trials(bare, RunFolder.open(found.path)) if (found.path / PLAN).exists() else bare
    except ExplainedError as error:
        return replace(bare, is_finished=False, damage=str(error))
    except OSError as error:
        return replace(bare, is_finished=False, damage=(error.strerror or str(error)).lower())


def _with_trials(bare: Overview, run: RunFolder) -> Overview:
    verdicts = Counter[str](read_record(run.folder_of(trial), trial).verdict for trial in run.complete())
    held, expected = expectations_of(run.path)
    return replace(
        bare,
        title=run.plan.title,
        planned=len(run.plan.trials),
        complete=verdicts.total(),
        verdicts=verdicts,
        expected=len(run.plan.expect) if held is None else expected,
        held=held,
        is_finished=run.is_finished,
    )


def expectations_of(run: Path) -> tuple[int | None, int]:
    """Return how many expectations held in the last report, and how many it found; None before the first report."""
    try:
        outcomes: list[dict[str, Any]] = json.loads((run / EXPECTATIONS).read_text(encoding="utf-8"))
        held = [outcome["holds"] is True for outcome in outcomes]
    except FileNotFoundError:
        return None, 0
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{run / EXPECTATIONS} is damaged: `testbed report` writes it again") from error
    return sum(held), len(held)


def space_of(path: Path) -> int:
    """Return the bytes that a file, or a folder with all that is in it, takes on the disk."""
    return sum(map(_space, _everything(path)))


def _everything(path: Path) -> Iterator[Path]:
    """Yield a path and all below it; no link is followed."""
    yield path
    for folder, folders, files in os.walk(path):
        yield from (Path(folder, name) for name in (*folders, *files))


def _space(path: Path) -> int:
    try:
        return path.stat(follow_symlinks=False).st_blocks * _BLOCK
    except FileNotFoundError:  # a run that is being performed removes files
        return 0
