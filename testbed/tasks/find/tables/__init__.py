"""The tables of the task `find`."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from testbed.experiment import Plan, Trial
from testbed.runfolder.trial_data import Row
from testbed.tasks.columns import TableColumns
from testbed.tasks.find.columns import COLUMNS, DOWNLOADS, GROUPS, NODES, OVERLAY, QUERIES
from testbed.tasks.find.plan.hosts import DIRECTORY
from testbed.tasks.find.tables.downloads import download_rows
from testbed.tasks.find.tables.groups import group_rows
from testbed.tasks.find.tables.nodes import node_rows
from testbed.tasks.find.tables.overlay import overlay_rows, success_lately
from testbed.tasks.find.tables.queries import query_rows
from testbed.tasks.find.tables.reading import FindData, read_find_trial
from testbed.tasks.find.tables.searches import shown_searches
from testbed.tasks.find.tables.trials import trial_row
from testbed.tasks.find.trials import hosts_of
from testbed.tasks.searches import ShownSearches


class FindTables:
    """The tables of trials in which nodes look for content."""

    @property
    def columns(self) -> TableColumns:
        """The columns of all tables."""
        return COLUMNS

    @property
    def traced_roles(self) -> tuple[str, ...]:
        """The roles with a trace: all."""
        return (DIRECTORY, "node")

    @property
    def has_replay(self) -> bool:
        """Whether a replay can be made: of some searches, traces tell each message."""
        return True

    def searches(self, folder: Path, trial: Trial) -> ShownSearches:
        """Read the searches of a trial that were followed."""
        return shown_searches(read_find_trial(folder, trial))

    def read(self, folder: Path, trial: Trial, attempts: int, *, from_captures: bool) -> FindData:
        """Read a trial's folder; `from_captures` is never asked for."""
        if from_captures:
            raise ValueError("captures do not tell who looked for what")
        return read_find_trial(folder, trial, attempts)

    def tables_of(self, data: FindData) -> Mapping[str, pd.DataFrame]:
        """Return the rows of one trial in each table except trials and summary."""
        overlay = _table(overlay_rows(data), OVERLAY)
        downloads = _table(download_rows(data), DOWNLOADS)
        queries, nodes = _table(query_rows(data, overlay, downloads), QUERIES), _table(node_rows(data), NODES)
        overlay["success_lately"] = success_lately(overlay["t"], queries)
        groups = _table(group_rows(nodes, queries, downloads), GROUPS)
        return {"groups": groups, "queries": queries, "nodes": nodes, "overlay": overlay, "downloads": downloads}

    def trial_row(self, data: FindData, tables: Mapping[str, pd.DataFrame]) -> Row:
        """Return the task's cells in the row of a trial."""
        return trial_row(data, tables)

    def group_names(self, plan: Plan) -> Sequence[str]:
        """Return the names of all groups of nodes, and of the directory, in the order of the plan."""
        hosts = [hosts_of(trial) for trial in plan.trials]
        directory = [DIRECTORY] if any(each.directories for each in hosts) else []
        return tuple(dict.fromkeys([*directory, *(node.group for each in hosts for node in each.nodes)]))

    def host_groups(self, tables: Mapping[str, pd.DataFrame], trials: Collection[object]) -> Mapping[str, str]:
        """Return the directory, then the nodes by group."""
        nodes = tables["nodes"]
        shown = nodes[nodes["trial"].isin(trials)].drop_duplicates("node")
        return dict(zip(shown["node"], shown["group"], strict=True))

    def complaints(self, trials: pd.DataFrame) -> Iterator[str]:
        """Yield lines about what would be missing without a sign, and how it is counted."""
        valid = trials[trials["verdict"] == "valid"]
        searches = int(valid["searches"].sum())
        for column, says in _SURVIVORS.items():
            if count := int(valid[column].sum()):
                trials_with = int((valid[column] > 0).sum())
                text = says.format(count=count, searches=searches, downloads=int(valid["downloads"].sum()))
                yield f"in {trials_with} of {len(valid)} valid trials {text}"


_SURVIVORS = {
    "not_completed": "{count} of {downloads} downloads were not completed, and count as longer than all others",
    "never_joined": "{count} nodes never joined: their searches count as failures, their items as existing",
    "never_began": "{count} of {searches} searches never began, and count as failures",
    "never_ended": "{count} of {searches} searches never ended: what they had found by then counts",
    "unanswerable": "{count} of {searches} searches were for what nobody else had that was there: they count nowhere",
}


def _table(rows: Iterable[Row], columns: Iterable[str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(columns))
