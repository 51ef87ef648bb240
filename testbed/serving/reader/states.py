"""How far a run is, as its folder tells: which trials have ended, which one is being performed, and by whom."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias

from testbed.errors import ExplainedError
from testbed.experiment import Plan
from testbed.experiment.plan.naming import short_names_of
from testbed.runfolder.folder import PLAN, PROVENANCE, SET_ASIDE, TRIALS, RunFolder, is_locked

Stamp: TypeAlias = tuple[int, int]
"""What a file was: its inode and when it changed. Whatever is written into a run folder is renamed into place."""
Json: TypeAlias = dict[str, Any]

_UNFINISHED: Final = ".part"
_NOT_THERE: Final = (0, 0)


def stamp_of(path: Path) -> Stamp:
    """Return the stamp of a file or a folder; zeros if there is none."""
    try:
        found = path.stat(follow_symlinks=False)
    except OSError:
        return _NOT_THERE
    return found.st_ino, found.st_mtime_ns


@dataclass
class Plans:
    """Reads the plan of each run once."""

    _known: dict[Path, tuple[Stamp, RunFolder]] = field(default_factory=dict)

    def run(self, path: Path) -> RunFolder:
        """Return a run; an ExplainedError says why it cannot be read."""
        stamp, known = stamp_of(path / PLAN), self._known.get(path)
        if known is None or known[0] != stamp:
            known = self._known[path] = stamp, RunFolder.open(path)
        return known[1]


def state_of(run: RunFolder) -> Json:
    """Return how far a run is; its `signature` changes with whatever its page shows."""
    ended, begun = _trials(run.path)
    planned = {trial.id for trial in run.plan.trials}
    done = len(planned & ended)
    is_running = is_locked(run.path)
    return {
        "signature": _signature(run.path, ended, is_running=is_running),
        "planned": len(planned),
        "done": done,
        "phase": _phase(is_running=is_running, is_complete=done == len(planned)),
        "now": _now(run.plan, run.path, begun) if is_running else None,
        "trouble": "",
    }


def _phase(*, is_running: bool, is_complete: bool) -> str:
    if is_running:
        return "reporting" if is_complete else "running"
    return "ended" if is_complete else "stopped"


def _trials(run: Path) -> tuple[set[str], list[str]]:
    """Return the ids of the trials that have ended, and of those that have begun."""
    try:
        names = os.listdir(run / TRIALS)  # noqa: PTH208
    except FileNotFoundError:
        names = []
    begun = [name[1 : -len(_UNFINISHED)] for name in names if name.startswith(".") and name.endswith(_UNFINISHED)]
    return {name for name in names if not name.startswith(".")}, begun


def _now(plan: Plan, run: Path, begun: list[str]) -> Json | None:
    """Describe the trial that is being performed. When it began, its folder was made among the others."""
    numbers = {trial.id: number for number, trial in enumerate(plan.trials, start=1)}
    for trial_id in begun:
        if trial_id in numbers:
            since = stamp_of(run / TRIALS)[1] // 1_000_000_000
            return {"number": numbers[trial_id], "name": short_names_of(plan)[trial_id], "since": since}
    return None


def _signature(run: Path, ended: set[str], *, is_running: bool) -> str:
    text = repr([is_running, *_stamps(run), *((name, stamp_of(run / TRIALS / name)) for name in sorted(ended))])
    return sha256(text.encode()).hexdigest()[:16]


def _stamps(run: Path) -> Iterator[Stamp]:
    for name in (PLAN, PROVENANCE, SET_ASIDE):
        yield stamp_of(run / name)


def troubled(known: Json | None, error: ExplainedError | OSError) -> Json:
    """Return the last state of a run that cannot be read any more, with the reason."""
    text = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
    nothing = {"signature": "", "planned": 0, "done": 0}
    return {**(known or nothing), "phase": "stopped", "now": None, "trouble": text}
