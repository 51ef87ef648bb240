"""Everything that one trial left behind, read back and typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from testbed.experiment import Trial
from testbed.runfolder.counters import Counters, read_counters
from testbed.runfolder.record import HostRecord, TrialRecord, read_record
from testbed.runfolder.traces import HostTrace, read_trace


@dataclass(frozen=True)
class Observed:
    """One trial. Times are seconds after t = 0."""

    record: TrialRecord
    counters: Counters
    traces: Mapping[str, HostTrace]
    """By host; without those whose application writes none."""
    attempts: int = 1
    """How often it was measured, until it came out like this."""

    @property
    def trial(self) -> Trial:
        """What was planned."""
        return self.record.trial

    @cached_property
    def servers(self) -> tuple[str, ...]:
        """The names of the hosts that have the file from the beginning."""
        return tuple(server.name for server in self.trial.hosts.servers)

    @cached_property
    def peers(self) -> tuple[str, ...]:
        """The names of the hosts that want it."""
        return tuple(peer.name for peer in self.trial.hosts.peers)

    def presence(self, host: str) -> list[tuple[float, float]]:
        """Return from when to when a host was in the swarm; one that died was there until its last line."""
        trace = self.traces.get(host)
        if trace is None:
            return []
        ends = [*trace.leave_times, *[self._last_seen(host)] * (len(trace.join_times) - len(trace.leave_times))]
        begin = self.arrivals.get(host, 0.0)
        lives = zip(trace.join_times, ends, strict=False)
        return [(max(begin, joined, 0.0), min(left, self.record.seconds)) for joined, left in lives]

    @cached_property
    def arrivals(self) -> Mapping[str, float]:
        """When each peer was to come; a program can be ready, and listen, before that."""
        return {peer.name: peer.arrival for peer in self.trial.hosts.peers}

    def _last_seen(self, host: str) -> float:
        record = self.host(host)
        return self.record.seconds if record.ended_well else self.traces[host].last

    def host(self, name: str) -> HostRecord:
        """Return how a host's application ended."""
        return self._hosts[name]

    @cached_property
    def _hosts(self) -> Mapping[str, HostRecord]:
        return {host.name: host for host in self.record.hosts}


def observe(folder: Path, trial: Trial, attempts: int = 1) -> Observed:
    """Read a trial's folder; a DamageError says what in it cannot be used."""
    record = read_record(folder, trial)
    traces = {}
    for host in record.of_role("server", "peer"):
        if host.trace is not None:
            may_be_torn = not host.ended_well
            traces[host.name] = read_trace(folder / host.trace, record.t0, record.end, may_be_torn=may_be_torn)
    return Observed(record, read_counters(folder), traces, attempts)
