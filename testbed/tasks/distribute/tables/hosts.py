"""The hosts of a trial, as several tables use them."""

from collections.abc import Mapping
from math import nan

import numpy as np

from testbed.runfolder.trial_data import TrialData
from testbed.tasks.distribute.plan.records import PlannedProgram
from testbed.tasks.distribute.trials import hosts_of


def server_names(data: TrialData) -> tuple[str, ...]:
    """Return the hosts that have the file from the beginning."""
    return tuple(server.name for server in hosts_of(data.trial).servers)


def peer_names(data: TrialData) -> tuple[str, ...]:
    """Return the hosts that download it."""
    return tuple(peer.name for peer in hosts_of(data.trial).peers)


def killed_at(data: TrialData, host: PlannedProgram) -> float:
    """Return when a host was killed as planned; nan if it was not, before the trial ended."""
    return nan if host.killed_at is None or host.killed_at > data.record.seconds else host.killed_at


def uplink_rates(data: TrialData) -> Mapping[str, int]:
    """Return the planned rate of each uplink in bit/s; 0 for one without a limit."""
    return {host.name: host.up or 0 for host in (*hosts_of(data.trial).servers, *hosts_of(data.trial).peers)}


def dropped_packets(data: TrialData, host: str) -> float:
    """Return the packets dropped at both shapers of a host."""
    return float(np.nansum([data.counters.last(host, f"{direction}_drops") for direction in ("up", "down")]))


def seconds_present(data: TrialData, host: str, end: float) -> float:
    """Return how long a host was in the swarm until `end`."""
    return sum(max(0.0, min(left, end) - joined) for joined, left in data.presence(host))
