"""What it takes to launch a program on a host."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.experiment.plan.trials import PlannedHost, Trial
from testbed.network import EmulatedHost, Process

WAITING: Final = "^waiting "
READY: Final = "^ready "


@dataclass(frozen=True)
class Stage:
    """What the programs of a trial have to know of it."""

    trial: Trial
    addresses: Mapping[str, str]
    """By the host's name."""
    return_addresses: Mapping[str, str]
    """Where a host that goes away and comes back is then."""
    original: Path
    """The file that is distributed."""
    folder: Path
    """For traces, and for what programs are told by a file."""

    def trace(self, planned: PlannedHost) -> Path:
        """Return where the program of a host writes its trace."""
        return self.folder / f"{planned.name}.jsonl"


@dataclass(frozen=True)
class Launch:
    """A command line, and the lines by which the program tells how far it is."""

    argv: Sequence[str | Path]
    """A Python module first, if `is_python`."""
    ready: str
    """What a line on standard output says when the program may be counted on."""
    is_held: bool = False
    """Whether it begins only when SIGUSR1 comes."""
    settled: str | None = None
    """An event in the trace for which to wait too."""
    may_end: bool = False
    """Whether a server or tracker may end by itself, when it has nothing more to do."""
    is_python: bool = True
    completed: str = "completed"
    """The line on standard output that says that the whole file is there."""

    def start(self, host: EmulatedHost, output: Path) -> Process:
        """Start it on a host."""
        if self.is_python:
            return host.start_python(str(self.argv[0]), self.argv[1:], output=output)
        return host.start(self.argv, output=output)
