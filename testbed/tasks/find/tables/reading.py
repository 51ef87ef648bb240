"""What a trial left behind, read back: the traces of its nodes, and the plan that they are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from testbed.experiment import Trial
from testbed.runfolder.counters import read_counters
from testbed.runfolder.overlay_traces import Life, OverlayTrace, read_overlay_trace
from testbed.runfolder.record import read_record
from testbed.runfolder.trial_data import MeasuredTrial
from testbed.tasks.find.plan.records import FindHosts, FindSettings, PlannedMember, PlannedNode
from testbed.tasks.find.plan.searches import PlannedSearch, Scenario, draw_scenario
from testbed.tasks.find.trials import hosts_of, settings_of
from testbed.values.costs import RETURN_DISTANCE

_NO_TRACE: Final = OverlayTrace()
"""Of a program that wrote none."""


@dataclass(frozen=True)
class FindData(MeasuredTrial):
    """A trial in which nodes looked for content. Times are seconds after t = 0."""

    traces: Mapping[str, OverlayTrace]
    """By host."""

    @property
    def settings(self) -> FindSettings:
        return settings_of(self.trial)

    @property
    def hosts(self) -> FindHosts:
        return hosts_of(self.trial)

    @cached_property
    def scenario(self) -> Scenario:
        """What the nodes have and look for, drawn again."""
        return draw_scenario(self.settings, self.hosts)

    def trace(self, host: str) -> OverlayTrace:
        """Return the trace of a host."""
        return self.traces.get(host, _NO_TRACE)

    @cached_property
    def _nodes(self) -> Mapping[str, PlannedNode]:
        return {node.name: node for node in self.hosts.nodes}

    @cached_property
    def _names(self) -> Mapping[str, str]:
        found = {}
        for host in self.record.hosts:
            found[host.address] = found[str(ip_address(host.address) + RETURN_DISTANCE)] = host.name
        return found

    def host_at(self, address: str) -> str:
        """Return the host with an address, with a port or without; the address itself if it is none of ours."""
        ip = address.rpartition(":")[0].strip("[]") or address
        return self._names.get(ip, address)

    def existing_holders(self, search: PlannedSearch) -> set[str]:
        """Return the other hosts that had what is meant, and were to be there when it was asked."""
        return {name for name in self.scenario.holders_of(search) if self._nodes[name].is_there(search.at)}

    def presence(self, host: PlannedMember) -> list[tuple[float, float]]:
        """Return the times in which a host took part, as its trace says."""
        return [(begin, end) for begin, end, _ in self.lives(host)]

    def lives(self, host: PlannedMember) -> list[tuple[float, float, Life]]:
        """Return the lives of a host, each with the time in which it took part."""
        trace, end = self.trace(host.name), self.record.seconds
        if host.killed_at is not None:
            end = min(end, host.killed_at)
        elif not self.host(host.name).ended_well:
            end = min(end, trace.last)
        spans = zip(trace.presence(end), trace.lives, strict=True)
        return [(begin, min(until, end), life) for (begin, until), life in spans if begin < end]


def read_find_trial(folder: Path, trial: Trial, attempts: int = 1) -> FindData:
    """Read a trial's folder; a DamageError names what is unusable."""
    record = read_record(folder, trial)
    traces = {
        host.name: read_overlay_trace(folder / host.trace, record.t0, may_be_torn=not host.ended_well)
        for host in record.hosts
        if host.trace is not None
    }
    return FindData(record, read_counters(folder), traces, attempts=attempts)
