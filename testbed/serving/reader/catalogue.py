"""The runs that are served: those of one folder, and one more if it was named."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from testbed.errors import ExplainedError
from testbed.runfolder.overview import FoundRun, RunName, find_runs


class UnknownRunError(ExplainedError):
    """There is no such run, or no longer."""


@dataclass(frozen=True)
class Catalogue:
    """Finds runs by their names. A name is only ever compared with those that exist, and never made part of a path."""

    runs: Path
    named: Path | None = None
    """A run that was named by its path, wherever it is."""

    def all(self) -> list[FoundRun]:
        """Return all runs, the latest first."""
        found = find_runs(self.runs)
        if self.named is None or not self.named.is_dir() or any(run.path.name == self.named.name for run in found):
            return found
        return [FoundRun(self.named, _name_of(self.named)), *found]

    def path_of(self, name: str) -> Path:
        """Return the folder of a run."""
        for run in self.all():
            if run.path.name == name:
                return run.path
        raise UnknownRunError(f"there is no run {name!r} in {self.runs}, or it was removed")


def _name_of(path: Path) -> RunName:
    """Return the name of a run folder; one that was renamed is as old as its folder."""
    began = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return RunName.read(path.name) or RunName(path.name, began)
