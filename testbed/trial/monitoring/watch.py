"""From t = 0 to the end: who joins when, who is done, and how links and machine fare."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from testbed.experiment.plan.trials import Trial
from testbed.theory import payload_share
from testbed.trial.applications.applications import Player
from testbed.trial.events import Progress
from testbed.trial.fidelity import Evidence, judge
from testbed.trial.interrupts import Interrupt
from testbed.trial.monitoring.links import LinkWatch
from testbed.trial.monitoring.machine import MachineWatch

COMPLETE: Final = "complete"
ALL_ENDED: Final = "all ended"
TIME_LIMIT: Final = "time limit"
_LOOK_SECONDS: Final = 0.2
_TICK_SECONDS: Final = 1.0


@dataclass
class Watch:
    """One trial while it runs."""

    trial: Trial
    peers: Sequence[Player]
    links: LinkWatch
    machine: MachineWatch
    interrupt: Interrupt
    tell: Callable[[Progress], None]
    t0: float = 0.0
    _waiting: list[Player] = field(default_factory=list)
    """Those that are still to join, the last one first."""
    _sampled_at: float = 0.0

    def run(self, applications: Iterable[int]) -> str:
        """Let it begin, and return why it ended: everybody had the file, or nobody was left, or time was up."""
        ready = [peer for peer in self.peers if not peer.has_ended]
        self._waiting = sorted(ready, key=lambda peer: peer.arrival)[::-1]
        self.machine.begin(time.monotonic(), applications)
        self.links.begin()
        self.t0 = self._sampled_at = time.monotonic()
        while not (ended := self._ended(now := self._begin_those_due())):
            if now >= self._tick:
                self._sample(now)
            else:
                self.links.look()
            wake = min(self._tick, self._end, self._next_arrival(), now + _LOOK_SECONDS)
            time.sleep(max(0.0, wake - time.monotonic()))
        self._sample(now)
        return ended

    @property
    def _tick(self) -> float:
        """The next whole second since t = 0 after the last sample."""
        return self.t0 + _TICK_SECONDS * (int((self._sampled_at - self.t0) / _TICK_SECONDS) + 1)

    @property
    def _end(self) -> float:
        return self.t0 + self.trial.settings.time_limit

    def _begin_those_due(self) -> float:
        """Tell those to begin whose time has come; returns the time."""
        while self._waiting and self._next_arrival() <= time.monotonic():
            self._waiting.pop().begin(time.monotonic())
        return time.monotonic()

    def _next_arrival(self) -> float:
        return self.t0 + self._waiting[-1].arrival if self._waiting else float("inf")

    def _ended(self, now: float) -> str:
        for peer in self.peers:
            peer.look()
        if all(peer.is_done for peer in self.peers):
            return COMPLETE if all(peer.has_completed for peer in self.peers) else ALL_ENDED
        return TIME_LIMIT if now >= self._end else ""

    def _sample(self, now: float) -> None:
        before, self._sampled_at = self._sampled_at, now
        sent_before = self.links.total_sent()
        self.links.sample(self.t0)
        sample = self.machine.sample(now, self.t0)
        doubts = judge(Evidence(self.machine.samples, self.links.uses, 0.0, ())).reasons
        self.tell(
            Progress(
                seconds=round(now - self.t0, 3),
                joined=sum(peer.begun_at is not None for peer in self.peers),
                completed=sum(peer.has_completed for peer in self.peers),
                lost=sum(peer.has_ended and not peer.has_completed for peer in self.peers),
                shares=self._shares(),
                rate=8 * (self.links.total_sent() - sent_before) / max(now - before, 1e-3),
                idle_cpu=sample.idle_cpu,
                lateness_ms=sample.lateness_ms,
                doubts=doubts,
                is_last=self.interrupt.is_asked,
            )
        )

    def _shares(self) -> tuple[float, ...]:
        """Guess from the links how much each peer has."""
        received, share = self.links.received(), payload_share() / self.trial.settings.file_size
        held = {peer.name: peer.held for peer in self.trial.hosts.peers}
        return tuple(
            1.0 if peer.has_completed else round(min(0.99, held[peer.name] + received[peer.name] * share), 3)
            for peer in self.peers
        )
