"""What happens in a run, for whoever shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeAlias

from testbed.experiment.plan.plan import Plan
from testbed.experiment.plan.trials import Trial


@dataclass(frozen=True)
class RunBegan:
    """A run begins, or goes on with what is there."""

    event: ClassVar[str] = "run began"
    folder: Path
    plan: Plan
    is_done: frozenset[str]
    """The trials that are there already."""


@dataclass(frozen=True)
class TrialBegan:
    """The network of a trial is about to be built."""

    event: ClassVar[str] = "trial began"
    number: int
    trial: Trial


@dataclass(frozen=True)
class Progress:
    """A trial, a second later. Rates in bit/s of frames."""

    event: ClassVar[str] = "progress"
    seconds: float
    """Since t = 0."""
    joined: int
    completed: int
    lost: int
    """Peers that ended without having everything."""
    shares: tuple[float, ...]
    """How much of the file each peer has, about, in the order of the plan."""
    rate: float
    """What all hosts sent in the last second."""
    idle_cpu: float
    lateness_ms: float | None
    doubts: tuple[str, ...]
    """Reasons so far not to trust the emulation."""
    is_last: bool
    """Whether the run will stop after this trial, as it was asked to."""


@dataclass(frozen=True)
class Collecting:
    """The programs have ended, and what they left is being kept."""

    event: ClassVar[str] = "collecting"


@dataclass(frozen=True)
class TrialEnded:
    """A trial is complete, and kept."""

    event: ClassVar[str] = "trial ended"
    trial: Trial
    stopped: str
    completed: int
    distribution_s: float | None
    """When the last peer had everything; None if not all had."""
    verdict: str
    reasons: tuple[str, ...]
    seconds: float
    """That it all took, with building and collecting."""
    is_last: bool
    settings: dict[str, str]
    """The kernel settings of each host."""


@dataclass(frozen=True)
class TrialFailed:
    """A trial has no result; running again tries it again."""

    event: ClassVar[str] = "trial failed"
    trial: Trial
    why: str


@dataclass(frozen=True)
class RunEnded:
    """Nothing more will be run, and tables and figures are made."""

    event: ClassVar[str] = "run ended"
    folder: Path
    missing: int
    """Trials that have no result."""
    exit_status: int


Event: TypeAlias = RunBegan | RunEnded | TrialBegan | Progress | Collecting | TrialEnded | TrialFailed
Tell: TypeAlias = Callable[[Event], None]
