"""What can be removed from a folder of runs: leftovers of killed commands, copies of suspect trials, whole runs.

A run that is in use is never touched: its lock is held while something of it is removed. Nor is a run of another user,
or a link. What is not recognised as made by `testbed run` is not looked at.
"""

import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from testbed.errors import RunError
from testbed.runfolder.folder import SET_ASIDE, TRIALS, WORK, locked
from testbed.runfolder.overview import Overview, RunName, find_runs, overview, space_of
from testbed.runfolder.owners import Owner, own_runs

IN_USE: Final = "in use"
_REMOVED: Final = ".removed"


@dataclass(frozen=True)
class Choice:
    """What to remove besides leftovers. A whole run is removed if every condition that is given holds for it."""

    suspect: bool = False
    unfinished: bool = False
    older_than_days: float | None = None
    keep_latest: int | None = None
    """This many finished runs of each experiment stay, and whatever is newer than they are."""

    @property
    def has_whole_runs(self) -> bool:
        """Whether whole runs may be removed."""
        return self.unfinished or self.older_than_days is not None or self.keep_latest is not None


@dataclass(frozen=True)
class Removal:
    """Something to remove, and what it is."""

    run: Path
    """The folder whose lock protects it."""
    path: Path
    what: str
    bytes: int


def removals(runs: Path, choice: Choice, now: datetime) -> Iterator[Removal]:
    """Yield what the choice selects, without removing it."""
    found = [overview(run) for run in find_runs(runs) if _is_ours(run.path)]
    whole = {run.path for run in _whole_runs(found, choice, now)} if choice.has_whole_runs else set()
    for run in found:
        if run.path in whole:
            yield Removal(run.path, run.path, f"{run.state} run", run.bytes)
        else:
            yield from _parts(run.path, choice)
    for hidden in _hidden(runs):
        what = "rest of a removed run" if hidden.name.endswith(_REMOVED) else "run that never began"
        yield Removal(hidden, hidden, what, space_of(hidden))


def _whole_runs(found: Iterable[Overview], choice: Choice, now: datetime) -> Iterator[Overview]:
    by_experiment = defaultdict[str, list[Overview]](list)
    for run in found:
        by_experiment[run.name.experiment].append(run)
    longest = None if choice.older_than_days is None else timedelta(days=choice.older_than_days)
    for latest_first in by_experiment.values():
        for run in _after_latest(latest_first, choice.keep_latest or 0):
            is_old = longest is None or now - run.name.began > longest
            if is_old and (run.is_unfinished or not choice.unfinished):
                yield run


def _after_latest(latest_first: Iterable[Overview], count: int) -> Iterator[Overview]:
    """Yield the runs that are older than `count` finished ones, so that a killed run displaces no result."""
    for run in latest_first:
        if count == 0:
            yield run
        elif run.state == "finished":
            count -= 1


def _parts(run: Path, choice: Choice) -> Iterator[Removal]:
    leftovers = [(path, "unfinished trial") for path in sorted((run / TRIALS).glob(".*.part"))]
    leftovers += [(path, "unfinished table") for path in sorted(run.glob(".*.part"))]
    if (run / WORK).exists():
        leftovers.append((run / WORK, "files of a killed run"))
    for path, what in leftovers:
        yield Removal(run, path, what, space_of(path))
    for path in sorted((run / SET_ASIDE).iterdir()) if choice.suspect and (run / SET_ASIDE).is_dir() else ():
        if path.is_dir() and any(path.iterdir()):
            yield Removal(run, path, "trial that was measured again", space_of(path))


def _hidden(runs: Path) -> Iterator[Path]:
    """Yield run folders that were never completed, and those whose removal was interrupted."""
    own = own_runs(runs)
    for path in sorted(own.glob(".*")) if own.is_dir() else ():
        name = path.name.removeprefix(".").removesuffix(_REMOVED)
        if RunName.read(name) and path.is_dir() and not path.is_symlink() and _is_ours(path):
            yield path


def foreign_runs(runs: Path) -> list[Path]:
    """Return the runs that belong to other users."""
    return [run.path for run in find_runs(runs) if not _is_ours(run.path)]


def _is_ours(path: Path) -> bool:
    return Owner.of(path.stat(follow_symlinks=False)).is_us


def remove(chosen: Sequence[Removal]) -> Iterator[tuple[Removal, str]]:
    """Remove everything; yields each with the reason why it stays, which is empty if it is gone."""
    for removal in chosen:
        try:
            with locked(removal.run):
                _remove(removal)
        except RunError:
            yield removal, IN_USE
        except OSError as error:
            yield removal, (error.strerror or str(error)).lower()
        else:
            yield removal, ""


def _remove(removal: Removal) -> None:
    """Remove one thing. A run loses its name first, so that no half of it is taken for a run."""
    path = removal.path
    if path.parent == removal.run / SET_ASIDE:
        _empty(path)  # the folder itself says that the trial was measured once more
    elif path == removal.run:
        hidden = path if path.name.startswith(".") else path.rename(path.with_name(f".{path.name}{_REMOVED}"))
        shutil.rmtree(hidden)
    elif path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
