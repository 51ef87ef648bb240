"""The state of a run while it lasts: where it is, and how long it still takes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from contract.wording import counted
from testbed.cli.terminal.output import in_words
from testbed.experiment.language.points import name_of
from testbed.experiment.plan.plan import Plan
from testbed.experiment.plan.trials import Trial
from testbed.trial.events import Event, Preparing, Progress, RunBegan, TrialAborted, TrialBegan, TrialEnded


@dataclass
class RunProgress:
    """The state of a run, and an estimate of the remaining time."""

    plan: Plan | None = None
    folder: Path | None = None
    complete: set[str] = field(default_factory=set)
    aborted: set[str] = field(default_factory=set)
    chosen: frozenset[str] | None = None
    """The trials that are to be run; None for all."""
    number: int = 0
    trial: Trial | None = None
    """The current trial; between two trials, the one before."""
    progress: Progress | None = None
    """Of the current trial, after its t = 0."""
    took: float = 0.0
    estimated: float = 0.0
    """Seconds that the trials of this session took (`took`), and that the plan estimated for them (`estimated`)."""
    clock: Callable[[], float] = time.monotonic
    began_at: float = 0.0
    """When the current trial began, before its network was built."""

    def update(self, event: Event) -> None:
        """Update the state with an event."""
        match event:
            case RunBegan():
                self.plan, self.folder, self.complete = event.plan, event.folder, set(event.complete)
                self.chosen = event.chosen
            case TrialBegan():
                self.number, self.trial = event.number, event.trial
                self.progress, self.began_at = None, self.clock()
            case Progress():
                self.progress = event
            case TrialEnded():
                self.complete.add(event.trial.id)
                self.took += event.seconds
                self.estimated += event.trial.estimate.seconds
            case TrialAborted():
                self.aborted.add(event.trial.id)

    @property
    def count(self) -> int:
        """The number of planned trials."""
        return len(self.plan.trials) if self.plan else 0

    def time_left(self) -> str:
        """Estimate the remaining time from the plan, scaled by how long the trials so far took compared with it."""
        trials = self.plan.trials if self.plan else ()
        left = [trial for trial in trials if self._is_to_come(trial)]
        later = sum(trial.estimate.seconds for trial in left if self.trial is None or trial.id != self.trial.id)
        current = [self._time_left_of(trial) for trial in left if self.trial is not None and trial.id == self.trial.id]
        return in_words(later * self._scale + sum(current))

    def left(self) -> str:
        """Say how far the run is."""
        return f"{len(self.complete)} of {counted(self.count, 'trial')} complete, about {self.time_left()} left"

    def _is_to_come(self, trial: Trial) -> bool:
        is_chosen = self.chosen is None or trial.id in self.chosen
        return is_chosen and trial.id not in self.complete | self.aborted

    @property
    def _scale(self) -> float:
        return self.took / self.estimated if self.estimated else 1.0

    def _time_left_of(self, trial: Trial) -> float:
        """Take the plan's estimate; when that is over, assume that the rest goes on as before, to the time limit."""
        planned = trial.estimate.seconds * self._scale - (self.clock() - self.began_at)
        if planned > 0 or self.progress is None:
            return max(0.0, planned)
        share, seconds = mean_of(self.progress.progress), self.progress.seconds
        limit = max(0.0, trial.settings.time_limit - seconds)
        return min(limit, seconds * (1 - share) / share) if share else limit

    def name(self) -> str:
        """Return the point and the repetition of the current trial."""
        trial = self.trial
        if trial is None or self.plan is None:
            return "no trial"
        point = name_of(trial.point, [each.point for each in self.plan.trials])
        return f"{point}, repetition {trial.repetition}" if point else f"repetition {trial.repetition}"

    def title(self) -> str:
        """Return the number and the name of the current trial."""
        return f"{self.number}/{self.count} {self.name()}"

    @property
    def noun(self) -> str:
        """What the participants of the current trial are called."""
        return self.trial.participants if self.trial else "hosts"

    def participants(self, event: Progress) -> str:
        """Return how many participants of the current trial have joined and failed, and how much they have done."""
        failed = f", {event.failed} failed" if event.failed else ""
        if event.steps:
            joined = f"{event.joined} of {len(event.progress)} {self.noun} joined"
            return f"{joined}, {steps_ended(event, self.trial)}{failed}"
        return f"{event.completed} of {len(event.progress)} {self.noun} complete, {event.joined} joined{failed}"

    def group_of(self, name: str) -> str:
        """Return the group of a participant of the current trial."""
        return "" if self.trial is None else self.trial.hosts.groups.get(name, "")

    def by_group(self, event: Progress) -> dict[str, list[float]]:
        """Return what the members of each group have done."""
        groups: dict[str, list[float]] = {}
        for name, share in event.progress.items():
            groups.setdefault(self.group_of(name), []).append(share)
        return groups


def steps_ended(event: Progress | TrialEnded, trial: Trial | None) -> str:
    """Return how many steps of a trial have ended: `12 of 40 searches ended`."""
    return f"{event.steps_ended} of {event.steps} {trial.steps if trial else 'steps'} ended"


def mean_of(progress: Mapping[str, float]) -> float:
    """Return the share that all participants together have done."""
    return sum(progress.values()) / len(progress)


def doing(event: Preparing) -> str:
    """Describe a step of the preparation."""
    return f"{event.step}: {event.done} of {event.total}" if event.total else event.step


def traffic(event: Progress) -> str:
    """Describe the load of a trial, and how the machine bears it."""
    late = "" if event.lateness_ms is None else f", programs {event.lateness_ms:.1f} ms late"
    return f"{event.rate / 1e6:.1f} Mbit/s in total; CPU {event.idle_cpu:.0%} idle{late}"
