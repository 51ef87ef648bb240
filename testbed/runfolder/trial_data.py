"""Everything that one trial left behind, read back and typed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import nan
from pathlib import Path
from typing import TypeAlias

from testbed.experiment import Trial
from testbed.runfolder.counters import Counters, read_counters
from testbed.runfolder.record import HostRecord, TrialRecord, read_record
from testbed.runfolder.traces import HostTrace, read_trace

Row: TypeAlias = dict[str, object]
"""A row of a table."""


def number(value: float | None) -> float:
    """Return the cell of a number that may be missing."""
    return nan if value is None else value


@dataclass(frozen=True)
class TrialData:
    """One trial. Times are seconds after t = 0."""

    record: TrialRecord
    counters: Counters
    traces: Mapping[str, HostTrace]
    """By host; without those whose application writes no trace."""
    attempts: int = 1
    """How often the trial was measured: suspect ones can be set aside and measured again."""

    @property
    def trial(self) -> Trial:
        """The trial as it was planned."""
        return self.record.trial

    def host(self, name: str) -> HostRecord:
        """Return the record of a host."""
        return self._hosts[name]

    @cached_property
    def _hosts(self) -> Mapping[str, HostRecord]:
        return {host.name: host for host in self.record.hosts}

    def presence(self, host: str) -> list[tuple[float, float]]:
        """Return the periods in which a host was in the swarm; one that was killed was there until its last line."""
        trace = self.traces.get(host)
        if trace is None:
            return []
        ends = [*trace.leave_times, *[self._last_seen(host)] * (len(trace.join_times) - len(trace.leave_times))]
        begin = self._arrivals.get(host, 0.0)  # a program can be ready, and listen, before its arrival
        lives = zip(trace.join_times, ends, strict=False)
        return [(max(begin, joined, 0.0), min(left, self.record.seconds)) for joined, left in lives]

    @cached_property
    def _arrivals(self) -> Mapping[str, float]:
        return self.trial.hosts.arrivals

    def _last_seen(self, host: str) -> float:
        return self.record.seconds if self.host(host).ended_well else self.traces[host].last


def read_trial(folder: Path, trial: Trial, attempts: int = 1, *, traced: Collection[str]) -> TrialData:
    """Read a trial's folder, with the traces of hosts in the roles `traced`; a DamageError names what is unusable."""
    record = read_record(folder, trial)
    traces = {}
    for host in record.of_role(*traced):
        if host.trace is not None:
            may_be_torn = not host.ended_well
            traces[host.name] = read_trace(folder / host.trace, record.t0, record.end, may_be_torn=may_be_torn)
    return TrialData(record, read_counters(folder), traces, attempts)
