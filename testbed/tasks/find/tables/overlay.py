"""The rows of an overlay's seconds."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import floor, nan
from typing import Final

import numpy as np
import pandas as pd

from testbed.runfolder.overlay_traces import Life, State
from testbed.runfolder.trial_data import Row
from testbed.tasks.find.plan.records import PlannedMember
from testbed.tasks.find.tables.graph import living_neighbours, parts_of, right_successors
from testbed.tasks.find.tables.reading import FindData

LATELY: Final = 10.0
"""Seconds over which the success of searches is averaged: in one second few begin."""


@dataclass(frozen=True)
class Seen:
    """A host at a time: the life that it is in, and what it last said in it."""

    life: Life
    state: State | None


def overlay_rows(data: FindData) -> Iterator[Row]:
    """Yield a row for each second of a trial."""
    times = [float(t) for t in range(1, floor(data.record.seconds) + 1)]
    nodes, names = data.hosts.nodes, [host.name for host in data.hosts.all]
    sent = [data.counters.sum_at(names, "up_bytes", np.array([t - 1, t])) for t in times]
    for t, (before, after) in zip(times, sent, strict=True):
        seen = {host.name: found for host in data.hosts.all if (found := _seen(data, host, t)) is not None}
        yield {
            "trial": data.record.id,
            "t": t,
            "planned": sum(node.is_there(t) for node in nodes),
            "alive": sum(node.name in seen for node in nodes),
            **_graph(data, seen),
            "searching": _searching(data, t),
            "upload_rate": float(8 * (after - before)),
        }


def _seen(data: FindData, host: PlannedMember, t: float) -> Seen | None:
    """Return what is known of a host at a time; None if it does not take part then."""
    if not any(begin <= t < end for begin, end in data.presence(host)):
        return None
    trace = data.trace(host.name)
    life = max((life for life in trace.lives if life.begin <= t), key=lambda life: life.begin)
    place = bisect_right(trace.states, t, key=lambda state: state.t)
    state = trace.states[place - 1] if place else None
    return Seen(life, state if state is not None and state.t >= life.begin else None)


def _graph(data: FindData, seen: dict[str, Seen]) -> Row:
    """Return what the hosts that are there, and have said whom they know, look like together."""
    neighbours = {
        name: [data.host_at(address) for address in found.state.neighbours]
        for name, found in seen.items()
        if found.state is not None
    }
    nodes = [node.name for node in data.hosts.nodes if node.name in neighbours]
    if not nodes:
        return dict.fromkeys(("degree_mean", "dead_neighbours", "partitions", "largest_part", "ring"), nan)
    listed = [other for node in nodes for other in neighbours[node]]
    parts = [part for part in ({*each} & {*nodes} for each in parts_of(neighbours)) if part]
    return {
        "degree_mean": float(np.mean(list(living_neighbours(neighbours, nodes, seen.keys()).values()))),
        "dead_neighbours": sum(other not in seen for other in listed) / len(listed) if listed else nan,
        "partitions": len(parts),
        "largest_part": max(map(len, parts)) / len(nodes),
        "ring": _ring(data, seen, neighbours),
    }


def _ring(data: FindData, seen: dict[str, Seen], neighbours: dict[str, list[str]]) -> float:
    if not data.settings.kind.has_ring:
        return nan
    share = right_successors({name: seen[name].life.node for name in neighbours}, neighbours)
    return nan if share is None else share


def _searching(data: FindData, t: float) -> int:
    """Count the searches under way; one whose end is not in a trace is under way as long as its node is there."""
    return sum(
        search.began <= t < (data.record.seconds if search.ended is None else search.ended)
        for trace in data.traces.values()
        for search in trace.searches.values()
    )


def success_lately(times: Iterable[float], queries: pd.DataFrame) -> list[float]:
    """Return, for each time, the share of the searches of the seconds before that had a right answer."""
    begun = queries["at"]
    return [float(queries.loc[(t - LATELY < begun) & (begun <= t), "success"].mean()) for t in times]
