"""From t = 0 to the end of a trial: participants join and complete, and links and machine are sampled."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from testbed.tasks.launches import Phase
from testbed.trial.applications.application import Application
from testbed.trial.events import Progress
from testbed.trial.fidelity import Evidence, judge
from testbed.trial.interrupts import Interrupt
from testbed.trial.monitoring.links import LinkMonitor
from testbed.trial.monitoring.machine import MachineMonitor

COMPLETE: Final = "complete"
ALL_ENDED: Final = "all ended"
TIME_LIMIT: Final = "time limit"
_LOOK_SECONDS: Final = 0.2
_TICK_SECONDS: Final = 1.0


@dataclass
class TrialMonitor:
    """Starts participants when they arrive, kills what is to fail, and watches the trial until it ends."""

    applications: Sequence[Application]
    time_limit: float
    progress_of: Callable[[Mapping[str, int]], Mapping[str, float]]
    """Estimates how much of its part each participant has done, from the bytes that each host received."""
    links: LinkMonitor
    machine: MachineMonitor
    interrupt: Interrupt
    notify: Callable[[Progress], None]
    t0: float = field(default=0.0, init=False)
    _waiting: list[Application] = field(default_factory=list, init=False)
    """Participants that are still to join, the last one first."""
    _doomed: list[Application] = field(default_factory=list, init=False)
    """Applications that are still to be killed, the last one first."""
    _sampled_at: float = field(default=0.0, init=False)

    @cached_property
    def participants(self) -> Sequence[Application]:
        """The applications for which the trial is performed."""
        return [each for each in self.applications if each.phase is Phase.PARTICIPANT]

    def run(self, pids: Iterable[int]) -> str:
        """Begin now, and return why the trial ended: all completed, no participant is left, or the time limit."""
        ready = [each for each in self.participants if not each.has_ended]
        self._waiting = sorted(ready, key=lambda each: each.arrival)[::-1]
        self._doomed = sorted((each for each in self.applications if each.killed_at is not None), key=_killed_at)[::-1]
        self.machine.begin(time.monotonic(), pids)
        self.links.begin()
        self.t0 = self._sampled_at = time.monotonic()
        while not (ended := self._ended(now := self._act_on_those_due())):
            if now >= self._tick:
                self._sample(now)
            else:
                self.links.look()
            wake = min(self._tick, self._end, self._next_arrival(), self._next_kill(), now + _LOOK_SECONDS)
            time.sleep(max(0.0, wake - time.monotonic()))
        self._sample(now)
        return ended

    @property
    def _tick(self) -> float:
        """The next whole second since t = 0 after the last sample."""
        return self.t0 + _TICK_SECONDS * (int((self._sampled_at - self.t0) / _TICK_SECONDS) + 1)

    @property
    def _end(self) -> float:
        return self.t0 + self.time_limit

    def _act_on_those_due(self) -> float:
        """Let the participants join that are due, kill what is due, and return the time."""
        while self._waiting and self._next_arrival() <= time.monotonic():
            self._waiting.pop().begin(time.monotonic())
        while self._doomed and self._next_kill() <= time.monotonic():
            self._doomed.pop().kill()
        return time.monotonic()

    def _next_arrival(self) -> float:
        return self.t0 + self._waiting[-1].arrival if self._waiting else float("inf")

    def _next_kill(self) -> float:
        return self.t0 + _killed_at(self._doomed[-1]) if self._doomed else float("inf")

    def _ended(self, now: float) -> str:
        for each in self.participants:
            each.update()
        if all(each.is_done for each in self.participants):
            return COMPLETE if all(each.has_completed or each.was_killed for each in self.participants) else ALL_ENDED
        return TIME_LIMIT if now >= self._end else ""

    def _sample(self, now: float) -> None:
        before, self._sampled_at = self._sampled_at, now
        sent_before = self.links.total_sent()
        self.links.sample(self.t0)
        sample = self.machine.sample(now, self.t0)
        self.notify(
            Progress(
                seconds=round(now - self.t0, 3),
                joined=sum(each.began_at is not None for each in self.participants),
                completed=sum(each.has_completed for each in self.participants),
                failed=sum(
                    each.has_ended and not (each.has_completed or each.was_killed) for each in self.participants
                ),
                progress=self._progress(),
                rate=8 * (self.links.total_sent() - sent_before) / max(now - before, 1e-3),
                idle_cpu=sample.idle_cpu,
                lateness_ms=sample.lateness_ms,
                reasons=judge(Evidence(self.machine.samples, self.links.uses, 0.0, ())).reasons,
                is_last=self.interrupt.is_asked,
                steps=sum(each.steps for each in self.participants),
                steps_ended=sum(each.steps_ended for each in self.participants),
            )
        )

    def _progress(self) -> dict[str, float]:
        estimates = self.progress_of(self.links.received())
        return {each.name: round(_share_done(each, estimates[each.name]), 3) for each in self.participants}


def _share_done(participant: Application, estimate: float) -> float:
    """Return the share of its part that a participant has done: an estimate, unless steps are counted."""
    if participant.has_completed:
        return 1.0
    return participant.steps_ended / participant.steps if participant.steps else estimate


def _killed_at(application: Application) -> float:
    return float("inf") if application.killed_at is None else application.killed_at
