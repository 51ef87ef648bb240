"""The tables of the task `distribute`."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from contract.wording import counted
from testbed.experiment import Plan, Trial
from testbed.runfolder.trial_data import Row, TrialData, read_trial
from testbed.tasks.columns import TableColumns
from testbed.tasks.distribute.columns import COLUMNS, GROUPS, PEERS, TRANSFERS
from testbed.tasks.distribute.tables.audit import AGREES
from testbed.tasks.distribute.tables.peers import group_rows, peer_rows
from testbed.tasks.distribute.tables.timeline import timeline_table
from testbed.tasks.distribute.tables.transfers import transfer_rows
from testbed.tasks.distribute.tables.trials import trial_row
from testbed.tasks.distribute.trials import hosts_of

_SERVER: Final = "server"
LEAST_UNATTRIBUTED: Final = 0.1
"""The share of the payload from which on it is worth a complaint; the last second of a connection can be missing."""


class DistributeTables:
    """The tables of trials in which a file is distributed."""

    @property
    def columns(self) -> TableColumns:
        """The columns of all tables."""
        return COLUMNS

    @property
    def traced_roles(self) -> tuple[str, ...]:
        """The roles with a trace: a tracker writes a log of its own."""
        return ("server", "peer")

    @property
    def has_replay(self) -> bool:
        """Whether a replay can be made: swarms have one."""
        return True

    def searches(self, _folder: Path, _trial: Trial) -> None:
        """Return nothing: nobody looks for anything."""

    def read(self, folder: Path, trial: Trial, attempts: int, *, from_captures: bool) -> TrialData:
        """Read a trial's folder."""
        return read_trial(folder, trial, attempts, traced=self.traced_roles, from_captures=from_captures)

    def tables_of(self, data: TrialData) -> Mapping[str, pd.DataFrame]:
        """Return the rows of one trial in each table except trials and summary."""
        peers, transfers = _table(peer_rows(data), PEERS), _table(transfer_rows(data), TRANSFERS)
        return {
            "groups": _table(group_rows(peers, transfers), GROUPS),
            "peers": peers,
            "transfers": transfers,
            "timeline": timeline_table(data),
        }

    def trial_row(self, data: TrialData, tables: Mapping[str, pd.DataFrame]) -> Row:
        """Return the task's cells in the row of a trial."""
        return trial_row(data, tables["peers"], tables["transfers"])

    def group_names(self, plan: Plan) -> Sequence[str]:
        """Return the names of all groups of peers, in the order of the plan."""
        return tuple(dict.fromkeys(peer.group for trial in plan.trials for peer in hosts_of(trial).peers))

    def host_groups(self, tables: Mapping[str, pd.DataFrame], trials: Collection[object]) -> Mapping[str, str]:
        """Return the servers, then the peers by group and upload rate."""
        is_shown = {name: table["trial"].isin(trials) for name, table in tables.items() if "trial" in table}
        givers = tables["transfers"][is_shown["transfers"]]["giver"].unique()
        peers = tables["peers"][is_shown["peers"]].drop_duplicates("peer").sort_values(["group", "up"], kind="stable")
        servers = [name for name in givers if name.startswith(_SERVER)]
        return {**dict.fromkeys(servers, _SERVER), **dict(zip(peers["peer"], peers["group"], strict=True))}

    def complaints(self, trials: pd.DataFrame) -> Iterator[str]:
        """Yield lines: if a peer never completed, and if applications and links do not agree on the payload."""
        valid = trials[trials["verdict"] == "valid"]
        if unfinished := int(valid["distribution_s"].isna().sum()):
            yield (
                f"in {unfinished} of {counted(len(valid), 'valid trial')} a peer never completed: such trials have no"
                " distribution_s, and means of times are over the peers and trials that did complete"
            )
        silent = valid[valid["unattributed_bytes"] > LEAST_UNATTRIBUTED * valid["payload_bytes"]]
        if len(silent):
            share = silent["unattributed_bytes"].sum() / silent["payload_bytes"].sum()
            yield (
                f"in {len(silent)} of {counted(len(valid), 'valid trial')} clients do not tell who sent {share:.0%} of"
                " the payload to whom: transfers.csv and figures of flows lack it (docs/applications.md)"
            )
        failed = trials[~trials["payload_audit"].isin([AGREES, ""])]
        if len(failed):
            yield (
                f"in {len(failed)} of {counted(len(trials), 'trial')} the links did not carry the payload that the"
                " applications counted: see the column payload_audit of trials.csv"
            )


def _table(rows: Iterable[Row], columns: Iterable[str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(columns))
