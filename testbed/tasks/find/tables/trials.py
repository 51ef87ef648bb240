"""The row of a trial."""

from collections.abc import Mapping
from math import nan

import numpy as np
import pandas as pd

from testbed.runfolder.trial_data import Row, number
from testbed.tasks.find.plan.hosts import DIRECTORY
from testbed.tasks.find.tables.downloads import DONE, download_cells, download_rate
from testbed.tasks.find.tables.nodes import latency
from testbed.tasks.find.tables.queries import NEVER_BEGAN, NEVER_ENDED
from testbed.tasks.find.tables.reading import FindData
from testbed.tasks.find.trials import theory_of


def trial_row(data: FindData, tables: Mapping[str, pd.DataFrame]) -> Row:
    """Return the cells of a trial, given the rows of its searches, hosts and seconds."""
    queries, nodes, overlay = tables["queries"], tables["nodes"], tables["overlay"]
    return {
        **_setting(data),
        **_survivors(queries, nodes),
        **_found(queries),
        **_costs(data, queries),
        **_hosts(data, nodes),
        **_overlay(data, overlay),
        **_downloads(tables["downloads"]),
    }


def _setting(data: FindData) -> Row:
    settings = data.settings
    return {
        "system": settings.overlay.name,
        "time_scale": settings.time_scale,
        "N": len(data.hosts.nodes),
        "items": settings.content.items,
        "copies": data.scenario.catalogue.copies,
        "searches": len(data.scenario.searches),
    }


def _survivors(queries: pd.DataFrame, nodes: pd.DataFrame) -> Row:
    """Count what has no results of its own, and would be missing without a sign of it."""
    is_missing = (nodes["lives"] == 0) & (nodes["planned_lives"] > 0)
    return {
        "unanswerable": int((queries["existing"] == 0).sum()),
        "never_began": int((queries["outcome"] == NEVER_BEGAN).sum()),
        "never_ended": int((queries["outcome"] == NEVER_ENDED).sum()),
        "never_joined": int(is_missing.sum()),
        "killed": int(nodes["killed_s"].notna().sum()),
    }


def _found(queries: pd.DataFrame) -> Row:
    return {
        "success_rate": queries["success"].mean(),
        "recall": queries["recall"].mean(),
        "stale_answers": int(queries["stale"].sum()),
        "wrong_answers": int(queries["wrong"].sum()),
        "latency_median_s": latency(queries, 0.5),
        "latency_p95_s": latency(queries, 0.95),
    }


def _costs(data: FindData, queries: pd.DataFrame) -> Row:
    begun = queries[queries["outcome"] != NEVER_BEGAN]
    return {
        "hops_mean": begun["hops"].mean(),
        "hops_law": number(theory_of(data.trial).hops),
        "messages_mean": begun["messages"].mean(),
        "messages_law": begun["messages_law"].mean(),
        "bytes_mean": begun["bytes"].mean(),
        "timeouts_mean": begun["timeouts"].mean(),
    }


def _hosts(data: FindData, nodes: pd.DataFrame) -> Row:
    messages = nodes["messages_sent"] + nodes["messages_received"]
    ordinary = nodes[nodes["group"] != DIRECTORY]
    seconds = float(ordinary["present_s"].sum())
    # Each message is sent once and received once.
    all_sent = float(nodes["messages_sent"].sum())
    names = [host.name for host in data.hosts.all]
    drops = [data.counters.last(name, f"{way}_drops") for name in names for way in ("up", "down")]
    return {
        "upkeep_rate": (float(ordinary["upkeep_messages"].sum()) - _charged(data)) / seconds if seconds else nan,
        "busiest_messages": messages.max(),
        "busiest_bytes": (nodes["bytes_sent"] + nodes["bytes_received"]).max(),
        "busiest_share": min(1.0, float(messages.max()) / all_sent) if all_sent else nan,
        "entries_mean": ordinary["entries_mean"].mean(),
        "entries_law": number(theory_of(data.trial).entries),
        "entries_most": nodes["entries_max"].max(),
        "wire_bytes": float(np.nansum(nodes["wire_sent"])),
        "drops": float(np.nansum(drops)),
    }


def _charged(data: FindData) -> int:
    """Return the messages that nodes counted as upkeep, though they were answers to searches."""
    nodes = (data.trace(node.name) for node in data.hosts.nodes if not data.hosts.directories)
    return sum(charged.messages for trace in nodes for charged in trace.charged.values())


def _downloads(downloads: pd.DataFrame) -> Row:
    return {
        **download_cells(downloads),
        "not_completed": int((downloads["result"] != DONE).sum()),
        "download_rate": download_rate(downloads),
    }


def _overlay(data: FindData, overlay: pd.DataFrame) -> Row:
    formed = overlay[overlay["t"] >= data.settings.queries.begin]
    return {
        "degree_mean": formed["degree_mean"].mean(),
        "partitions_most": formed["partitions"].max(),
        "largest_part_least": formed["largest_part"].min(),
    }
