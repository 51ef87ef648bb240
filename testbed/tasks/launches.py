"""How a task gets its programs onto hosts: what it has to provide, and the values that pass between it and a trial.

A task starts nothing itself. It says what is to run where, and an engine does it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, Protocol

from contract.programs import COMPLETED, READY, WAITING
from testbed.experiment.plan.trials import Trial
from testbed.tasks.rehearsal import Happening, Print
from testbed.values.findings import Finding
from testbed.values.records import PlannedHost

READY_LINE: Final = f"^{READY} "
WAITING_LINE: Final = f"^{WAITING} "


@dataclass(frozen=True)
class TrialContext:
    """What command lines and files of a trial's programs are made from."""

    trial: Trial
    addresses: Mapping[str, str]
    """By the host's name."""
    return_addresses: Mapping[str, str]
    """The second address of each host that has one."""
    folder: Path
    """For traces, and for files that programs read; of this trial alone."""
    shared_folder: Path
    """For files that do not differ between the trials of a run; it need not exist yet."""
    experiment_seed: int

    def trace(self, planned: PlannedHost) -> Path:
        """Return where the program of a host writes its trace."""
        return self.folder / f"{planned.name}.jsonl"


@dataclass(frozen=True)
class Launch:
    """A command line, and the lines by which the program reports its state."""

    argv: Sequence[str | Path]
    """A Python module first, if `is_python`."""
    ready: str
    """A pattern; the program is ready when a line of its standard output matches."""
    waits_for_start: bool = False
    """Whether it does nothing before it gets SIGUSR1."""
    settled: str | None = None
    """An event that must be in its trace too before it counts as ready."""
    may_end: bool = False
    """Whether it may end by itself before the trial does, though it is no participant."""
    is_python: bool = True
    completed: str = COMPLETED
    """The line on standard output that says that a participant has completed its part."""
    step: str | None = None
    """The line that says that a step of its part has ended, if these are counted."""


class Phase(IntEnum):
    """When applications start. Those of a phase start together, and the next phase waits until they are ready."""

    INFRASTRUCTURE = 0
    """What the others register with: starts first and is stopped last."""
    SERVICE = 1
    """Ready before t = 0. Without it, as without infrastructure, there is no trial."""
    PARTICIPANT = 2
    """Joins at its arrival after t = 0. The trial ends when all participants have completed or ended."""


@dataclass(frozen=True)
class Assignment:
    """An application, the host that runs it, and its part in the trial."""

    host: PlannedHost
    role: str
    """For records and messages."""
    group: str
    """What an experiment file calls this host and others like it."""
    phase: Phase
    launch: Launch
    arrival: float = 0.0
    """When a participant joins, in seconds after t = 0."""
    steps: int = 0
    """How many steps its part has, if these are counted."""
    killed_at: float | None = None
    """When its program gets SIGKILL, in seconds after t = 0, as planned: that is no fault of it."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What only this task has to say about the host in the trial's record, as JSON values."""


class TaskPrograms(Protocol):
    """What a task provides so that its trials can be performed."""

    def check(self, trial: Trial) -> None:
        """Raise TrialError if a trial asks for a program or an option that does not exist."""

    def findings(self, trials: Sequence[Trial], experiment: Path) -> Iterator[tuple[Trial, Finding]]:
        """Yield what only the programs can find wrong with the trials of an experiment file, at the keys to blame."""

    def versions(self, trials: Sequence[Trial], experiment: Path) -> Mapping[str, str]:
        """Return the versions of the programs that are not ours, by the names that the experiment file gives them."""

    def check_rehearsal(self, trial: Trial) -> None:
        """Raise TrialError for what a trial has and virtual time has not."""

    def rehearse(self, trial: Trial, experiment: Path, prints: Print) -> Iterator[Happening]:
        """Perform a trial of an experiment file in virtual time, as far as that is possible."""

    def preload(self, trial: Trial) -> Sequence[str]:
        """Return the modules that a warm interpreter imports before it forks programs: all but those that it runs."""

    def returning_hosts(self, trial: Trial) -> Collection[str]:
        """Return the names of hosts that leave and come back from a second address."""

    def prepare(self, context: TrialContext) -> None:
        """Write the files that programs read; raises TrialError if they cannot be made."""

    def assignments(self, context: TrialContext) -> Sequence[Assignment]:
        """Return every application of the trial, in the order of the record."""

    def progress(self, trial: Trial, received: Mapping[str, int]) -> Mapping[str, float]:
        """Estimate how much of its part each participant has done, 0 to 1, from the bytes of frames it received.

        Of those whose steps are counted, it is known.
        """
