"""The machine during a trial: how much of its processors was idle, and which programs had to wait for them.

Once a second: idle share of all processors, wakeup latency of an idle program, time that each application waited for a
processor (schedstat), pressure (PSI), packets dropped before the core saw them (softnet), memory left.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_WAKEUP_LATENCY: Final = "testbed.trial.monitoring.wakeup_latency"
_PROC: Final = Path("/proc")
_LEAST_MEMORY: Final = 0.03
SHORTEST_SAMPLE_SECONDS: Final = 0.5
"""Processor time is counted in ticks, so a share of a shorter time means nothing."""
_NS: Final = 1e-6
"""Of a nanosecond in milliseconds."""


@dataclass(frozen=True, slots=True)
class MachineSample:
    """One second. What this kernel does not report is None."""

    t: float
    """Seconds since t = 0, at the end of it."""
    idle_cpu: float
    """The share of all processors' time."""
    lateness_ms: float | None
    """The wakeup latency, 99th percentile; the worse one if two of its seconds ended in this one."""
    lateness_max_ms: float | None
    run_delay_ms: float
    """The longest time that one application waited for a processor, per second."""
    run_delay_mean_ms: float
    """The mean over all applications."""
    psi_cpu_some: float | None
    """The share of the time in which some program waited for a processor."""
    softnet_drops: int
    """Packets that found the queue of a processor full."""
    memory_available: float
    """The share of the machine's memory."""


COLUMNS: Final = tuple(column.name for column in fields(MachineSample))


@dataclass(frozen=True, slots=True)
class _Counts:
    """Counters that only grow."""

    moment: float
    idle: int
    ticks: int
    waited: Mapping[int, int]
    """Nanoseconds, by application."""
    pressure: int | None
    """Microseconds."""
    softnet_drops: int


class MachineMonitor:
    """Takes samples of the machine, and runs the program that measures the wakeup latency."""

    def __init__(self, folder: Path) -> None:
        self._latencies: Final = folder / "wakeup-latency.txt"
        self._latencies.touch()
        self._read_bytes = 0
        self._schedstats: dict[int, int] = {}
        self._probe: subprocess.Popen[bytes] | None = None
        self._before: _Counts | None = None
        self.samples: list[MachineSample] = []
        self.faults: list[str] = []
        """What was wrong with the measurement itself."""

    def __enter__(self) -> Self:
        self._probe = subprocess.Popen(
            [sys.executable, "-m", _WAKEUP_LATENCY, self._latencies], stdin=subprocess.DEVNULL
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._probe is not None:
            if self._probe.poll() is not None:
                self.faults.append("the program that measures the wakeup lateness ended early")
            self._probe.kill()
            self._probe.wait()
        for descriptor in self._schedstats.values():
            os.close(descriptor)

    def begin(self, now: float, applications: Iterable[int]) -> None:
        """Start counting; these processes are the applications."""
        for pid in applications:
            self._schedstats[pid] = os.open(_PROC / f"{pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        self._new_latencies()
        self._before = self._count(now)

    def sample(self, now: float, t0: float) -> MachineSample:
        """Sample the time since the last sample; if that is too short, return the last sample."""
        before = self._before
        if before is None:
            raise RuntimeError("begin() was not called")
        if self.samples and now - before.moment < SHORTEST_SAMPLE_SECONDS:
            return self.samples[-1]
        after = self._count(now)
        latencies, waits = self._new_latencies(), _waits(before, after)
        sample = MachineSample(
            t=round(now - t0, 3),
            idle_cpu=round((after.idle - before.idle) / max(1, after.ticks - before.ticks), 4),
            lateness_ms=max((each[0] for each in latencies), default=None),
            lateness_max_ms=max((each[1] for each in latencies), default=None),
            run_delay_ms=round(max(waits, default=0.0), 2),
            run_delay_mean_ms=round(sum(waits) / len(waits), 2) if waits else 0.0,
            psi_cpu_some=_pressure(before, after),
            softnet_drops=after.softnet_drops - before.softnet_drops,
            memory_available=round(_memory_available(), 4),
        )
        self._before = after
        self.samples.append(sample)
        return sample

    def _count(self, now: float) -> _Counts:
        idle, ticks = processor_ticks()
        waited = {pid: nanoseconds for pid, fd in self._schedstats.items() if (nanoseconds := _waited(fd)) is not None}
        return _Counts(now, idle, ticks, waited, _pressure_total(), _softnet_drops())

    def _new_latencies(self) -> list[tuple[float, float]]:
        """Return the seconds of wakeup latency that were written since the last call: percentile and maximum."""
        text = self._latencies.read_text()
        complete = text.rfind("\n") + 1
        lines, self._read_bytes = text[self._read_bytes : complete].splitlines(), complete
        return [(float(words[1]), float(words[2])) for line in lines if (words := line.split())]


def machine_limits(samples: Iterable[MachineSample]) -> list[str]:
    """Return the limits of the machine that were hit, in words."""
    least = min((sample.memory_available for sample in samples), default=1.0)
    return [f"only {least:.1%} of the memory was left"] if least < _LEAST_MEMORY else []


def _waits(before: _Counts, after: _Counts) -> list[float]:
    """Return for each application the milliseconds a second that it waited for a processor."""
    seconds = max(after.moment - before.moment, 1e-3)
    return [
        (waited - before.waited[pid]) * _NS / seconds for pid, waited in after.waited.items() if pid in before.waited
    ]


def _pressure(before: _Counts, after: _Counts) -> float | None:
    if before.pressure is None or after.pressure is None:
        return None
    return round((after.pressure - before.pressure) / 1e6 / max(after.moment - before.moment, 1e-3), 4)


def processor_ticks() -> tuple[int, int]:
    """Return the idle ticks and all ticks of all processors."""
    numbers = [int(word) for word in (_PROC / "stat").read_text().partition("\n")[0].split()[1:9]]
    return numbers[3] + numbers[4], sum(numbers)


def _waited(descriptor: int) -> int | None:
    """Return the nanoseconds that a process waited for a processor so far; None once it has ended."""
    try:
        return int(os.pread(descriptor, 100, 0).split()[1])
    except (OSError, IndexError):
        return None


def _pressure_total() -> int | None:
    try:
        some = (_PROC / "pressure/cpu").read_text().partition("\n")[0]
    except OSError:
        return None
    return int(some.rpartition("total=")[2])


def _softnet_drops() -> int:
    lines = (_PROC / "net/softnet_stat").read_text().splitlines()
    return sum(int(line.split()[1], 16) for line in lines)


def _memory_available() -> float:
    lines = (line.split() for line in (_PROC / "meminfo").read_text().splitlines())
    found = {words[0]: int(words[1]) for words in lines if words[0] in {"MemTotal:", "MemAvailable:"}}
    return found["MemAvailable:"] / found["MemTotal:"]
