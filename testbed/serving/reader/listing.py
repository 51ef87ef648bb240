"""The list of all runs. A run is looked at again when its folder has changed."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from testbed.runfolder.folder import EXPECTATIONS, PLAN, PROVENANCE, TRIALS, is_locked
from testbed.runfolder.overview import FoundRun, Overview, overview
from testbed.serving.reader.states import Stamp, stamp_of

Json: TypeAlias = dict[str, Any]

_TELLING: Final = (PLAN, PROVENANCE, EXPECTATIONS, TRIALS)
_SHOWN: Final = ("name", "began", "planned", "complete", "verdicts", "expected", "held", "state", "in_use", "damage")


@dataclass
class Listing:
    """Lists runs, and remembers what it has seen of each."""

    _known: dict[Path, tuple[tuple[Stamp, ...], Overview]] = field(default_factory=dict)

    def rows(self, found: list[FoundRun]) -> list[Json]:
        """Return a row for each run; what was removed is forgotten."""
        seen = {run.path: self._seen(run) for run in found}
        self._known = seen
        return [_row(each) for _, each in seen.values()]

    def _seen(self, run: FoundRun) -> tuple[tuple[Stamp, ...], Overview]:
        stamps, known = tuple(_stamps(run.path)), self._known.get(run.path)
        if known is None or known[0] != stamps:
            return stamps, overview(run)
        # A command that was killed leaves everything as it is.
        is_open = not known[1].is_finished and not known[1].damage
        return stamps, replace(known[1], is_in_use=is_locked(run.path)) if is_open else known[1]


def _stamps(run: Path) -> Iterator[Stamp]:
    yield from (stamp_of(run / name) for name in _TELLING)


def _row(run: Overview) -> Json:
    row = run.row()
    return {"title": run.title, **{name: row[name] for name in _SHOWN}}
