"""One row a peer, and one row a group."""

from collections.abc import Iterator
from math import inf, nan
from typing import Final

import numpy as np
import pandas as pd

from testbed.experiment.plan.trials import PlannedPeer
from testbed.results.observations import Observed
from testbed.runfolder.traces import HostTrace
from testbed.tasks.distribute.tables.transfers import Row

NEVER: Final = HostTrace()
"""Of an application that wrote no trace."""


def peer_rows(observed: Observed) -> Iterator[Row]:
    """Yield a row for each peer that was planned, whatever became of it."""
    for peer in observed.trial.hosts.peers:
        trace = observed.traces.get(peer.name, NEVER)
        yield {
            "trial": observed.record.id,
            "peer": peer.name,
            "group": peer.group,
            "strategy": peer.strategy.name,
            "profile": peer.profile,
            "application": peer.application,
            "up": number(peer.up),
            "down": number(peer.down),
            **_links(observed, peer.name),
            "arrival_s": peer.arrival,
            "held": peer.held,
            **_times(observed, peer, trace),
            **_bytes(observed, peer.name, trace),
            **_rates(observed, peer, trace),
            "failed_pieces": trace.failed_pieces,
            "bans": trace.bans,
            "errors": trace.errors,
            "why_ended": observed.host(peer.name).why or trace.leave_reason or "",
        }


def number(value: float | None) -> float:
    """Return what a table has for a number that is not there."""
    return nan if value is None else value


def _links(observed: Observed, name: str) -> Row:
    """What the link gave in each direction while it was busy."""
    links = {link.direction: link for link in observed.record.links if link.host == name}
    return {
        f"{direction}_measured": number(links[direction].measured) if direction in links else nan
        for direction in ("up", "down")
    }


def _times(observed: Observed, peer: PlannedPeer, trace: HostTrace) -> Row:
    lives = observed.presence(peer.name)
    joined = lives[0][0] if lives else nan
    completed = number(trace.completed)
    return {
        "joined_s": joined,
        "completed_s": completed,
        "left_s": trace.leave_times[-1] if trace.has_left and trace.leave_times[-1] < observed.record.seconds else nan,
        "download_s": completed - joined,
        "lives": len(lives),
    }


def _bytes(observed: Observed, name: str, trace: HostTrace) -> Row:
    counters = observed.counters
    return {
        "payload_received": trace.received,
        "payload_sent": trace.sent,
        "wasted_bytes": trace.wasted,
        "wire_received": counters.last(name, "down_bytes"),
        "wire_sent": counters.last(name, "up_bytes"),
        "drops": float(np.nansum([counters.last(name, "up_drops"), counters.last(name, "down_drops")])),
        "share_ratio": trace.sent / trace.received if trace.received else nan,
    }


def _rates(observed: Observed, peer: PlannedPeer, trace: HostTrace) -> Row:
    """The rate at which a peer got what it kept, until it had all; and what part this is of the most it could get."""
    end = inf if trace.completed is None else trace.completed
    seconds = sum(max(0.0, min(left, end) - joined) for joined, left in observed.presence(peer.name))
    rate = 8 * (trace.received - trace.wasted) / seconds if seconds > 0 else nan
    return {"rate": rate, "normalised_rate": rate / most_rate(observed, peer)}


def most_rate(observed: Observed, peer: PlannedPeer) -> float:
    """Return what a peer could get if everyone who can give gave to it alone: bit/s, at most what its link takes."""
    hosts = observed.trial.hosts
    givers = sum(server.up or 0 for server in hosts.servers)
    if observed.trial.settings.distribution != "client-server":
        givers += sum(other.up or 0 for other in hosts.peers if other.name != peer.name)
    return min(givers, peer.down or inf)


def group_rows(peers: pd.DataFrame, transfers: pd.DataFrame) -> Iterator[Row]:
    """Yield a row for each group of each trial, from the rows of the peers and of who gave whom how much."""
    given = transfers.assign(given=transfers["bytes_sent"].fillna(transfers["bytes_received"])).groupby("trial")
    for trial, everyone in peers.groupby("trial", sort=False):
        of_trial = given.get_group(trial) if trial in given.groups else transfers.head(0).assign(given=0.0)
        for group, members in everyone.groupby("group", sort=False):
            others = everyone[everyone["group"] != group]
            received = float(members["payload_received"].sum())
            yield {
                "trial": trial,
                "group": group,
                "strategy": members["strategy"].iloc[0],
                "peers": len(members),
                "share": len(members) / len(everyone),
                "completed": int(members["completed_s"].notna().sum()),
                "download_mean_s": float(members["download_s"].mean()),
                "download_median_s": float(members["download_s"].median()),
                "gain": float(others["download_s"].mean()) / float(members["download_s"].mean()),
                "group_share_ratio": float(members["payload_sent"].sum()) / received if received else nan,
                "clustering": _clustering(members["peer"], everyone["peer"], of_trial),
                "from_leeches": _from_leeches(members["peer"], everyone["peer"], of_trial),
            }


def _clustering(members: "pd.Series[str]", everyone: "pd.Series[str]", given: pd.DataFrame) -> float:
    """Return which part of what members gave to peers stayed among them, over the part if they gave to all alike."""
    by_members = given[given["giver"].isin(members)]
    to_peers = float(by_members.loc[by_members["receiver"].isin(everyone), "given"].sum())
    to_members = float(by_members.loc[by_members["receiver"].isin(members), "given"].sum())
    if len(members) < 2 or not to_peers:
        return nan
    return to_members / to_peers * (len(everyone) - 1) / (len(members) - 1)


def _from_leeches(members: "pd.Series[str]", everyone: "pd.Series[str]", given: pd.DataFrame) -> float:
    """Return what leeches gave to a member on average, over what they gave to a peer."""
    to_members, to_peers = (
        float(given.loc[given["receiver"].isin(receivers), "bytes_as_leech"].sum()) / len(receivers)
        for receivers in (members, everyone)
    )
    return to_members / to_peers if to_peers else nan
