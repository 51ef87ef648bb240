"""Runs as objects: what `import testbed` gives to notebooks and scripts."""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from contract.wording import counted
from testbed.errors import ExplainedError
from testbed.experiment import Outcome, Plan
from testbed.experiment.schema.figures import Figure
from testbed.results.figures import draw, numbers_of
from testbed.results.figures.rows import FigureSource
from testbed.results.report import outcomes, read_tables
from testbed.results.tables import Tables
from testbed.runfolder.damage import Damage
from testbed.runfolder.folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Canvas

_REFUSED: Final = 2
_INTERRUPTED: Final = 130


@dataclass(frozen=True, repr=False)
class Run:
    """The results of a run folder. Tables are those of `testbed report`; docs/results.md explains their columns."""

    folder: RunFolder
    tables: Tables
    damages: tuple[Damage, ...]
    """Unusable files of the folder; no trial with one is in the tables."""
    with_suspect: bool

    @classmethod
    def open(cls, path: Path, *, with_suspect: bool = False) -> Self:
        """Read a run folder; nothing is written."""
        folder = RunFolder.open(path)
        tables, damages = read_tables(folder, with_suspect=with_suspect)
        return cls(folder, tables, damages, with_suspect)

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder.path

    @property
    def plan(self) -> Plan:
        """All trials with every value filled in, and the declared figures and expectations."""
        return self.folder.plan

    @property
    def outcomes(self) -> list[Outcome]:
        """Each expectation of the experiment, and whether it holds."""
        return outcomes(self.plan.expect, self.tables, with_suspect=self.with_suspect)

    def __getattr__(self, name: str) -> "pd.DataFrame":
        """Return a table: `trials`, `peers`, `summary` and the other tables of the run's task."""
        if name.startswith("_") or name == "tables":
            raise AttributeError(name)
        table: pd.DataFrame = getattr(self.tables, name)
        return table

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.tables.by_name]

    def __repr__(self) -> str:
        complete, planned = len(self.folder.complete()), len(self.plan.trials)
        counts = [f"{len(self.folder.judged(verdict))} {verdict}" for verdict in ("suspect", "failed")]
        damaged = f", {counted(len(self.damages), 'damaged file')}" if self.damages else ""
        return f"<Run {self.path}: {complete} of {counted(planned, 'trial')} complete, {', '.join(counts)}{damaged}>"

    def figure(self, name: str = "", **keys: Any) -> "Canvas":
        """Draw a figure that the experiment declares, or one with the keys of `figures:` given here (kind, x, y, ...).

        With both, the keys replace those of the declared figure.
        """
        declared = self.plan.figures
        if name and name not in declared:
            raise ExplainedError(
                f"there is no figure {name!r}; the experiment declares {', '.join(declared) or 'none'}"
            )
        written = declared[name].model_dump(exclude_unset=True) if name else {}
        figure = Figure.model_validate({**written, **keys})
        tables = self._captured if figure.source == "captures" else self.tables
        return draw(numbers_of(FigureSource(name or figure.kind, figure, self.plan, tables, self.with_suspect)))

    @cached_property
    def _captured(self) -> Tables:
        """The tables as the captures have them: they are read when a figure needs them."""
        return read_tables(self.folder, with_suspect=self.with_suspect, from_captures=True)[0]


def run_experiment(
    experiment: Path, runs: Path, options: Sequence[str], settings: Mapping[str, object], *, quiet: bool
) -> Path:
    """Run an experiment in another process, and return its run folder.

    A trial forks, which is only safe in a process without threads, and a notebook's process has some.
    """
    given = [f"--set={key}={json.dumps(value)}" for key, value in settings.items()]
    command = [sys.executable, "-m", "testbed", "run", str(experiment), "--runs", str(runs), "--json", *options, *given]
    folder = None
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True) as process,
    ):
        for event in _events(process):
            folder = Path(event["folder"]) if event["event"] == "run began" else folder
            if not quiet and (line := _progress(event)):
                print(line, flush=True)
        process.wait()
        complaints.seek(0)
        complaint = complaints.read().strip()
    if process.returncode == _INTERRUPTED:
        raise KeyboardInterrupt
    if folder is None or process.returncode == _REFUSED:
        raise ExplainedError(complaint.removeprefix("testbed: ") or f"{experiment} has no trials to run")
    return folder


def _events(process: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    """Yield the events of a run as they come; an interrupt is passed on, and the present trial may still end."""
    try:
        for line in process.stdout or ():
            yield json.loads(line)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise


def _progress(event: dict[str, Any]) -> str:
    match event["event"]:
        case "run began":
            done = f", {event['done']} of them complete" if event["done"] else ""
            return f"{counted(event['trials'], 'trial')} in {event['folder']}{done}"
        case "trial ended":
            doubts = f": {'; '.join(event['reasons'])}" if event["reasons"] else ""
            return f"{event['id']}: {event['stopped']} in {event['seconds']:.0f} s; {event['verdict']}{doubts}"
        case "trial aborted":
            return f"{event['id']}: no result: {event['why']}"
        case _:
            return ""
