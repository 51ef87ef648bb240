"""What is compared: runs, or the trials of one run by the values of a swept key; and which of their points match."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from contract.wording import counted
from testbed.errors import ExplainedError
from testbed.experiment import Trial
from testbed.results.left_out import MISSING
from testbed.results.page.words import listed
from testbed.results.report import read_tables
from testbed.results.tables import Tables, point_cells
from testbed.runfolder.damage import Damage
from testbed.runfolder.folder import RunFolder
from testbed.values.findings import did_you_mean

Point = tuple[tuple[str, object], ...]
"""Swept keys with their values, as tables have them."""

_ADVICE: Final = {
    "suspect": "--with-suspect compares suspect ones, and `testbed run --redo-suspect` measures them again",
    "failed": "mend what failed, and measure it again with `testbed run --redo-failed`",
    MISSING: "run the experiment again to complete it",
}
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Side:
    """A run, or a part of one. The first is what the others are compared with."""

    letter: str
    name: str
    run: RunFolder
    trials: tuple[Trial, ...]
    """As they were planned."""
    tables: Tables
    damages: tuple[Damage, ...] = ()

    @cached_property
    def cells(self) -> list[tuple[Trial, Mapping[str, object]]]:
        """The swept values of each trial."""
        return [(trial, point_cells(trial)) for trial in self.trials]

    def values_of(self, key: str) -> list[object]:
        """Return the values of a swept key, in their order; none if it is not swept."""
        return list(dict.fromkeys(cells[key] for _, cells in self.cells if key in cells))

    def by_point(self, keys: Sequence[str]) -> dict[Point, list[Trial]]:
        """Return the trials of each point, which some keys tell apart."""
        found: dict[Point, list[Trial]] = {}
        for trial, cells in self.cells:
            found.setdefault(tuple((key, cells[key]) for key in keys), []).append(trial)
        return found

    @cached_property
    def verdicts(self) -> Mapping[str, str]:
        """The verdict of each planned trial, by its id; that of one without a result is `missing`."""
        known = dict(zip(self.tables.trials["trial"], self.tables.trials["verdict"], strict=True))
        return {trial.id: known.get(trial.id, MISSING) for trial in self.trials}

    def excluded(self, *, with_suspect: bool) -> list[str]:
        """Say how many trials are not compared for their verdicts: `2 failed`."""
        found = Counter(self.verdicts.values())
        verdicts = ("failed", MISSING, *(() if with_suspect else ("suspect",)))
        return [f"{found[verdict]} {verdict}" for verdict in verdicts if found[verdict]]

    def refuse_if_empty(self, *, with_suspect: bool) -> None:
        """Explain that no trial of it can be compared, and what helps."""
        allowed = {"valid", "suspect"} if with_suspect else {"valid"}
        verdicts = set(self.verdicts.values())
        if not verdicts & allowed:
            told = listed(self.excluded(with_suspect=with_suspect))
            advice = "; ".join(text for verdict, text in _ADVICE.items() if verdict in verdicts)
            raise ExplainedError(f"{self.name} has no trial that can be compared ({told}): {advice}")

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """What its provenance says."""
        return self.run.sessions


def sides_of_runs(paths: Sequence[Path]) -> list[Side]:
    """Read runs; each is a side."""
    _refuse_bad_number(paths)
    runs = [RunFolder.open(path) for path in paths]
    tasks = {run.plan.trials[0].settings.task for run in runs}
    if len(tasks) > 1:
        raise ExplainedError(f"these runs are of different tasks ({', '.join(sorted(tasks))}): compare runs of one")
    names = _names(paths)
    return [
        Side(letter, name, run, run.plan.trials, *_read(run))
        for letter, name, run in zip(LETTERS, names, runs, strict=False)
    ]


def _read(run: RunFolder) -> tuple[Tables, tuple[Damage, ...]]:
    return read_tables(run, with_suspect=False)


def _refuse_bad_number(paths: Sequence[Path]) -> None:
    if len(paths) < 2:
        raise ExplainedError("name two runs to compare, or a swept key of one run with --by KEY")
    if len(paths) > len(LETTERS):
        raise ExplainedError(f"{len(paths)} runs are too many for one comparison: name at most {len(LETTERS)}")
    seen: dict[Path, Path] = {}
    for path in paths:
        if (real := path.resolve()) in seen:
            advice = "name another: `testbed runs` lists them, and an experiment's name stands for its latest run"
            raise ExplainedError(f"{path} is named twice: {advice}")
        seen[real] = path


def _names(paths: Sequence[Path]) -> list[str]:
    """Name runs by their folders; where these have the same name, by their paths."""
    names = [path.resolve().name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def sides_by_key(path: Path, key: str) -> list[Side]:
    """Read a run; each value of one of its swept keys is a side, and the first value is compared with."""
    run = RunFolder.open(path)
    known = run.plan.keys
    chosen = [each for each in known if each == key] or [each for each in known if each.endswith(f".{key}")]
    if len(chosen) != 1:
        swept = f"swept are {', '.join(known)}" if known else "nothing is swept"
        raise ExplainedError(f"--by {key}: {path.name} sweeps no such key{did_you_mean(key, known)}: {swept}")
    whole = Side("", "", run, run.plan.trials, *_read(run))
    values = whole.values_of(chosen[0])
    if not 2 <= len(values) <= len(LETTERS):
        raise ExplainedError(
            f"--by {key}: {path.name} has {counted(len(values), 'value')} of it, which leaves nothing to"
            f" compare: a comparison is of 2 to {len(LETTERS)}"
        )
    return [
        Side(letter, f"{chosen[0]} = {value}", run, _having(whole, chosen[0], value), whole.tables, whole.damages)
        for letter, value in zip(LETTERS, values, strict=False)
    ]


def _having(side: Side, key: str, value: object) -> tuple[Trial, ...]:
    return tuple(trial for trial, cells in side.cells if cells[key] == value)


def keys_to_match(sides: Sequence[Side]) -> tuple[str, ...]:
    """Return the swept keys that tell points apart: those that have several values in a run.

    A key with one value in each run says what the runs differ in, and not which of their points match.
    """
    keys = dict.fromkeys(key for side in sides for key in side.run.plan.keys)
    return tuple(key for key in keys if _tells_points_apart(key, sides))


def _tells_points_apart(key: str, sides: Sequence[Side]) -> bool:
    counts = [len(side.values_of(key)) for side in sides]
    if max(counts) < 2:
        return False
    if min(counts) == 0:
        has, lacks = sides[counts.index(max(counts))], sides[counts.index(0)]
        raise ExplainedError(f"{has.name} sweeps {key} and {lacks.name} does not: compare runs of one experiment")
    return True


@dataclass(frozen=True)
class Unmatched:
    """A point that only one of two sides has."""

    point: Point
    only: Side


@dataclass(frozen=True)
class Match:
    """The trials of a point in the first side, and in another one."""

    point: Point
    first: Sequence[Trial]
    other: Sequence[Trial]


def matched(first: Side, other: Side, keys: Sequence[str]) -> tuple[list[Match], list[Unmatched]]:
    """Match the points of two sides."""
    ours, theirs = first.by_point(keys), other.by_point(keys)
    both = [Match(point, trials, theirs[point]) for point, trials in ours.items() if point in theirs]
    if not both:
        what = f"points of {', '.join(keys)}" if keys else "trials"
        raise ExplainedError(f"{first.name} and {other.name} have no {what} in common: compare runs of one experiment")
    return both, list(_unmatched(first, ours, other, theirs))


def _unmatched(
    first: Side, ours: Mapping[Point, object], other: Side, theirs: Mapping[Point, object]
) -> Iterator[Unmatched]:
    yield from (Unmatched(point, first) for point in ours if point not in theirs)
    yield from (Unmatched(point, other) for point in theirs if point not in ours)
