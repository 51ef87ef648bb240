"""Everything that one trial left behind, read back and typed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import nan
from pathlib import Path
from typing import TypeAlias

from testbed.experiment import Trial
from testbed.runfolder.captures import addresses_of, capture_of, open_captures
from testbed.runfolder.clock import wall_clock_at_start
from testbed.runfolder.counters import Counters, read_counters
from testbed.runfolder.record import HostRecord, TrialRecord, read_record
from testbed.runfolder.traces import HostTrace, read_trace
from testbed.runfolder.wire import WireReader
from testbed.tasks.distribute.plan.records import Settings

Row: TypeAlias = dict[str, object]
"""A row of a table."""


def number(value: float | None) -> float:
    """Return the cell of a number that may be missing."""
    return nan if value is None else value


@dataclass(frozen=True)
class MeasuredTrial:
    """What any trial leaves behind, whatever its task. Times are seconds after t = 0."""

    record: TrialRecord
    counters: Counters
    attempts: int = field(default=1, kw_only=True)
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


@dataclass(frozen=True)
class TrialData(MeasuredTrial):
    """A trial in which a file was distributed."""

    traces: Mapping[str, HostTrace]
    """By host; without those whose application writes no trace."""
    from_wire: frozenset[str] = frozenset()
    """The hosts whose application wrote no trace, and whose `traces` were read from their captures."""

    def source(self, host: str) -> str:
        """Return where what is known of a host's application comes from."""
        return "wire" if host in self.from_wire else "trace" if host in self.traces else "counters"

    @property
    def knows_pieces(self) -> bool:
        """Whether it is known which piece each application had when."""
        if not self.trial.settings.exchanges_pieces:
            return False
        return self.trial.settings.trace_level != "summary" or set(self.traces) == self.from_wire

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


def read_trial(
    folder: Path, trial: Trial, attempts: int = 1, *, traced: Collection[str], from_captures: bool = False
) -> TrialData:
    """Read a trial's folder, with the traces of hosts in the roles `traced`; a DamageError names what is unusable.

    For an application that writes none, the capture of its host takes the place of its trace, if there is one; with
    `from_captures`, for all.
    """
    record = read_record(folder, trial)
    hosts = record.of_role(*traced)
    traces = {}
    for host in hosts:
        if host.trace is not None and not from_captures:
            may_be_torn = not host.ended_well
            traces[host.name] = read_trace(folder / host.trace, record.t0, record.end, may_be_torn=may_be_torn)
    seen = read_wire(folder, record, [host.name for host in hosts if host.name not in traces])
    return TrialData(record, read_counters(folder), {**traces, **seen}, frozenset(seen), attempts=attempts)


def read_wire(folder: Path, record: TrialRecord, hosts: Collection[str]) -> Mapping[str, HostTrace]:
    """Return what the captures of these hosts say of their applications, where they exchange pieces of BitTorrent."""
    settings, found = record.trial.settings, {}
    captured = [host for host in hosts if (own := capture_of(record, host)) is not None and len(own.all_files) == 1]
    start = wall_clock_at_start(folder, record) if captured else None
    if start is None or not isinstance(settings, Settings) or not settings.exchanges_pieces:
        return {}
    for host in captured:
        (opened,) = open_captures(folder, record, [host]).opened
        reader = WireReader(addresses_of(record, host), round(start * 1e9), settings.file_size, settings.piece_length)
        for message in opened.reading.messages():
            reader.take(message)
        found[host] = reader.finish(opened.reading.connections, record.seconds)
    return found
