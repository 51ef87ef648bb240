"""The rows of hosts, and of groups."""

from collections import Counter
from collections.abc import Iterator
from math import isnan, nan
from typing import Final

import numpy as np
import pandas as pd

from testbed.runfolder.overlay_traces import OverlayTrace
from testbed.runfolder.trial_data import Row, number
from testbed.tasks.find.plan.hosts import DIRECTORY
from testbed.tasks.find.plan.records import PlannedMember, PlannedNode
from testbed.tasks.find.tables.reading import FindData
from testbed.tasks.find.trials import theory_of

NEVER: Final = float("inf")
"""The time to what never came."""


def node_rows(data: FindData) -> Iterator[Row]:
    """Yield a row for each host, the directory first, even if its program never started."""
    theory = theory_of(data.trial)
    items = Counter(holder for holders in data.scenario.catalogue.holders for holder in holders)
    given = Counter(holder for trace in data.traces.values() for holder in _named(data, trace))
    for host in data.hosts.all:
        node, trace = host if isinstance(host, PlannedNode) else None, data.trace(host.name)
        yield {
            "trial": data.record.id,
            "node": host.name,
            "group": node.group if node else DIRECTORY,
            "role": node.role if node else DIRECTORY,
            "up": number(host.up),
            "down": number(host.down),
            "items": items[host.name],
            "answers_given": given[host.name],
            **_lives(data, host),
            **_traffic(data, host, trace),
            **_kept(trace),
            "uploaded": trace.uploaded,
            "entries_law": number(theory.entries if node else theory.directory_entries),
            "errors": trace.errors,
            "wire_sent": data.counters.last(host.name, "up_bytes"),
            "wire_received": data.counters.last(host.name, "down_bytes"),
            "cpu_s": number(data.host(host.name).cpu_s),
            "why_ended": data.host(host.name).why or trace.leave_reason or "",
        }


def _named(data: FindData, trace: OverlayTrace) -> Iterator[str]:
    """Yield the holder of each answer that a host got."""
    return (data.host_at(answer.holder) for search in trace.searches.values() for answer in search.answers)


def _lives(data: FindData, host: PlannedMember) -> Row:
    presence = data.presence(host)
    return {
        "joined_s": presence[0][0] if presence else nan,
        "lives": len(presence),
        "planned_lives": _planned_lives(host, data.record.seconds),
        "present_s": sum(end - begin for begin, end in presence),
        "killed_s": nan if host.killed_at is None or host.killed_at > data.record.seconds else host.killed_at,
    }


def _planned_lives(host: PlannedMember, end: float) -> int:
    """Count the sessions that begin before the end of the trial, and before the host is killed."""
    if not isinstance(host, PlannedNode):
        return 1
    return sum(join < end and host.lives_at(join) for join, _ in host.sessions)


def _traffic(data: FindData, host: PlannedMember, trace: OverlayTrace) -> Row:
    sent, received, upkeep = trace.all_sent, trace.received, trace.upkeep
    seconds = sum(end - begin for begin, end in data.presence(host))
    return {
        "messages_sent": sent.messages,
        "messages_received": received.messages,
        "bytes_sent": sent.bytes,
        "bytes_received": received.bytes,
        "upkeep_messages": upkeep.messages,
        "upkeep_bytes": upkeep.bytes,
        "load": (sent.messages + received.messages) / seconds if seconds > 0 else nan,
    }


def _kept(trace: OverlayTrace) -> Row:
    entries = [state.entries for state in trace.states]
    neighbours = [len(state.neighbours) for state in trace.states]
    return {
        "entries_max": max(entries, default=nan),
        "entries_mean": float(np.mean(entries)) if entries else nan,
        "neighbours_mean": float(np.mean(neighbours)) if neighbours else nan,
    }


def latency(queries: pd.DataFrame, quantile: float) -> float:
    """Return a quantile of the times to the first right answer, of searches with something to find.

    A search without an answer takes longer than any other.
    """
    return quantile_with_missing(queries.loc[queries["existing"] > 0, "latency_s"], quantile)


def quantile_with_missing(times: pd.Series, quantile: float) -> float:
    """Return a quantile of times, of which a missing one is longer than any other; nan if it falls among such."""
    if times.empty:
        return nan
    found = float(times.fillna(NEVER).quantile(quantile, interpolation="higher"))
    return nan if isnan(found) or found == NEVER else found
