"""The rows of groups."""

from collections.abc import Iterator

import pandas as pd

from testbed.runfolder.trial_data import Row
from testbed.tasks.find.tables.downloads import download_cells
from testbed.tasks.find.tables.nodes import latency


def group_rows(nodes: pd.DataFrame, queries: pd.DataFrame, downloads: pd.DataFrame) -> Iterator[Row]:
    """Yield a row for each group of a trial, from the rows of its hosts, searches and downloads."""
    for (trial, group), members in nodes.groupby(["trial", "group"], sort=False):
        asked = queries[queries["group"] == group]
        yield {
            "trial": trial,
            "group": group,
            "role": members["role"].iloc[0],
            "nodes": len(members),
            "searches": len(asked),
            "success_rate": asked["success"].mean(),
            "recall": asked["recall"].mean(),
            "latency_median_s": latency(asked, 0.5),
            "load_mean": members["load"].mean(),
            "host_bytes_mean": (members["bytes_sent"] + members["bytes_received"]).mean(),
            "entries_mean": members["entries_mean"].mean(),
            "cpu_mean_s": members["cpu_s"].mean(),
            **download_cells(downloads[downloads["group"] == group]),
        }
