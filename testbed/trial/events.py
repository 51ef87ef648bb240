"""What an engine is asked to do, and the events that a run reports while it lasts."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeAlias

from testbed.experiment.plan.plan import Plan
from testbed.experiment.plan.trials import Trial


@dataclass(frozen=True)
class TrialOrder:
    """A trial to perform."""

    number: int
    """Its place in the plan, from 1."""
    trial: Trial
    trials: Path
    """Where its folder is to appear."""
    shared_folder: Path
    """For files that all trials of the run use and no result needs."""
    experiment_seed: int
    program: str = "testbed"
    """What performs it, with version and commit, for files that say where they come from."""


@dataclass(frozen=True)
class RunBegan:
    """A run begins, or resumes."""

    event: ClassVar[str] = "run began"
    folder: Path
    plan: Plan
    complete: frozenset[str]
    """The ids of the trials that are complete already."""
    chosen: frozenset[str] | None = None
    """The ids of the only trials that may be performed; None for all."""


@dataclass(frozen=True)
class TrialBegan:
    """A trial is about to be performed."""

    event: ClassVar[str] = "trial began"
    number: int
    """Its place in the plan, from 1."""
    trial: Trial


@dataclass(frozen=True)
class Preparing:
    """What is done before t = 0: when a step begins, and then at most twice a second while it is counted."""

    event: ClassVar[str] = "preparing"
    step: str
    """`creating hosts`, `connecting hosts`, `preparing files`, `starting programs` or `waiting for programs`."""
    done: int
    total: int
    """Hosts, or programs; 0 where nothing is counted."""


@dataclass(frozen=True)
class Progress:
    """The state of a trial, once a second. Rates in bit/s of frames."""

    event: ClassVar[str] = "progress"
    seconds: float
    """Since t = 0."""
    joined: int
    completed: int
    failed: int
    """Participants that ended without completing."""
    progress: dict[str, float]
    """For each participant, by its host's name: an estimate of the share that it has done, 0 to 1."""
    rate: float
    """What all hosts sent in the last second."""
    idle_cpu: float
    lateness_ms: float | None
    reasons: tuple[str, ...]
    """Reasons so far to suspect the emulation."""
    is_last: bool
    """Whether the run was asked to stop after this trial."""
    steps: int = 0
    """The planned steps of all participants, such as searches; 0 if none are counted."""
    steps_ended: int = 0


@dataclass(frozen=True)
class Collecting:
    """The applications have ended; the trial's results are being written."""

    event: ClassVar[str] = "collecting"


@dataclass(frozen=True)
class TrialEnded:
    """A trial is complete and its folder written."""

    event: ClassVar[str] = "trial ended"
    trial: Trial
    stopped: str
    """Why it ended: `complete`, `all ended` or `time limit`."""
    participants: int
    completed: int
    completion_s: float | None
    """When the last participant completed, in seconds after t = 0; None if one did not."""
    verdict: str
    reasons: tuple[str, ...]
    seconds: float
    """The time that it took, building and collecting included."""
    is_last: bool
    """Whether the run was asked to stop after this trial."""
    settings: dict[str, str]
    """The kernel settings of each host."""
    steps: int = 0
    """The planned steps of all participants; 0 if none are counted."""
    steps_ended: int = 0


@dataclass(frozen=True)
class TrialAborted:
    """A trial has no result; running again tries it again."""

    event: ClassVar[str] = "trial aborted"
    trial: Trial
    why: str


@dataclass(frozen=True)
class RunEnded:
    """No more trials will be run; tables and figures are written."""

    event: ClassVar[str] = "run ended"
    folder: Path
    missing: int
    """Trials that have no result."""
    exit_status: int


Event: TypeAlias = RunBegan | RunEnded | TrialBegan | Preparing | Progress | Collecting | TrialEnded | TrialAborted
Notify: TypeAlias = Callable[[Event], None]
