"""The rows of downloads, and what they come to: none is left out because it never ended."""

from collections.abc import Iterator
from math import nan
from typing import Final

import pandas as pd

from testbed.runfolder.overlay_traces import TracedDownload
from testbed.runfolder.trial_data import Row, number
from testbed.tasks.find.plan.searches import PlannedSearch
from testbed.tasks.find.tables.nodes import quantile_with_missing
from testbed.tasks.find.tables.queries import NEVER_ENDED
from testbed.tasks.find.tables.reading import FindData

DONE: Final = "done"


def download_rows(data: FindData) -> Iterator[Row]:
    """Yield a row for each download that a node asked for, in the order of the searches."""
    for search in data.scenario.searches:
        download = data.trace(search.node).downloads.get(search.name)
        if download is not None:
            yield _row(data, search, download)


def _row(data: FindData, search: PlannedSearch, download: TracedDownload) -> Row:
    holder = data.host_at(download.holder)
    queued = data.trace(holder).queued.get(search.name, nan)
    stopped = data.record.seconds if download.ended is None else download.ended
    return {
        "trial": data.record.id,
        "search": search.name,
        "node": search.node,
        "group": data.hosts.groups[search.node],
        "holder": holder,
        "item": download.item,
        "claimed": download.claimed,
        "asked_s": download.asked,
        "queued_s": queued,
        "began_s": number(download.began),
        "ended_s": number(download.ended),
        "waited_s": (stopped if download.began is None else download.began) - queued,
        "download_s": stopped - download.asked if download.outcome == DONE else nan,
        "content_bytes": number(download.bytes),
        "result": download.outcome or NEVER_ENDED,
        "why": download.why,
    }


def download_cells(downloads: pd.DataFrame) -> Row:
    """Return what some downloads come to, of a trial or of a group."""
    times = downloads["download_s"]
    return {
        "downloads": len(downloads),
        "completed_share": (downloads["result"] == DONE).mean() if len(downloads) else nan,
        "download_median_s": quantile_with_missing(times, 0.5),
        "download_p95_s": quantile_with_missing(times, 0.95),
        "waiting_mean_s": downloads["waited_s"].mean(),
    }


def download_rate(downloads: pd.DataFrame) -> float:
    """Return how many bits of files all nodes got in a second, from the first request to the last end."""
    seconds = downloads["ended_s"].max() - downloads["asked_s"].min()
    return float(8 * downloads["content_bytes"].sum() / seconds) if seconds > 0 else nan
