"""The rows of peers and of groups."""

from collections.abc import Iterator
from math import inf, nan
from typing import Final

import pandas as pd

from contract.programs import FAULTS, NEIGHBOURS, PIECES, UNTOLD, WASTE
from testbed.runfolder.traces import HostTrace
from testbed.runfolder.trial_data import Row, TrialData, number
from testbed.tasks.distribute.plan.records import PlannedPeer
from testbed.tasks.distribute.tables.hosts import dropped_packets, killed_at, seconds_present
from testbed.tasks.distribute.trials import hosts_of, settings_of

_NO_TRACE: Final = HostTrace()
"""For an application that wrote none."""


def peer_rows(data: TrialData) -> Iterator[Row]:
    """Yield a row for each planned peer, even if its program never started."""
    for peer in hosts_of(data.trial).peers:
        trace = data.traces.get(peer.name, _NO_TRACE)
        yield {
            "trial": data.record.id,
            "peer": peer.name,
            "group": peer.group,
            "strategy": peer.strategy.name,
            "profile": peer.profile,
            "application": peer.application,
            "source": data.source(peer.name),
            "up": number(peer.up),
            "down": number(peer.down),
            **_links(data, peer.name),
            "arrival_s": peer.arrival,
            "held": peer.held,
            **_times(data, peer, trace),
            **_bytes(data, peer.name, trace),
            **_rates(data, peer, trace),
            "failed_pieces": _told(trace, PIECES, trace.failed_pieces),
            "bans": _told(trace, FAULTS, trace.bans),
            "errors": _told(trace, FAULTS, trace.errors),
            "cpu_s": number(data.host(peer.name).cpu_s),
            "untold": " ".join(word for word in UNTOLD if word in trace.untold),
            "why_ended": data.host(peer.name).why or trace.leave_reason or "",
        }


def _told(trace: HostTrace, word: str, count: int) -> float:
    """Return a count, or nan where the program does not tell it."""
    return nan if word in trace.untold else count


def _links(data: TrialData, name: str) -> Row:
    """Return the mean rate of the link in each direction while it was busy."""
    links = {link.direction: link for link in data.record.links if link.host == name}
    return {
        f"{direction}_measured": number(links[direction].measured) if direction in links else nan
        for direction in ("up", "down")
    }


def _times(data: TrialData, peer: PlannedPeer, trace: HostTrace) -> Row:
    lives = data.presence(peer.name)
    joined = lives[0][0] if lives else nan
    completed = number(trace.completed)
    return {
        "joined_s": joined,
        "first_neighbour_s": _first_neighbour(data, trace, joined),
        "completed_s": completed,
        "left_s": trace.leave_times[-1] if trace.has_left and trace.leave_times[-1] < data.record.seconds else nan,
        "killed_s": killed_at(data, peer),
        "download_s": completed - joined,
        "lives": len(lives),
    }


def _first_neighbour(data: TrialData, trace: HostTrace, joined: float) -> float:
    """Return how long after joining there was a neighbour; one that was there before the arrival counts from then."""
    if trace.first_neighbour is None or not settings_of(data.trial).exchanges_pieces:
        return nan
    return max(0.0, trace.first_neighbour - joined)


def _bytes(data: TrialData, name: str, trace: HostTrace) -> Row:
    counters = data.counters
    return {
        "payload_received": trace.received,
        "payload_sent": trace.sent,
        "wasted_bytes": _told(trace, WASTE, trace.wasted),
        "wire_received": counters.last(name, "down_bytes"),
        "wire_sent": counters.last(name, "up_bytes"),
        "dht_bytes": number(trace.dht_sent),
        "drops": dropped_packets(data, name),
        "share_ratio": trace.sent / trace.received if trace.received else nan,
    }


def _rates(data: TrialData, peer: PlannedPeer, trace: HostTrace) -> Row:
    """Return the rate of the payload that a peer kept until it had the file, also over the most it could get."""
    end = inf if trace.completed is None else trace.completed
    seconds = seconds_present(data, peer.name, end)
    kept = min(trace.received - trace.wasted, round(settings_of(data.trial).file_size * (1 - peer.held)))
    rate = 8 * (kept if WASTE in trace.untold else trace.received - trace.wasted) / seconds if seconds > 0 else nan
    return {"rate": rate, "normalised_rate": rate / _highest_rate(data, peer)}


def _highest_rate(data: TrialData, peer: PlannedPeer) -> float:
    """Return the rate in bit/s that a peer would get if all others sent to it alone, limited by its downlink."""
    hosts = hosts_of(data.trial)
    givers = sum(server.up or 0 for server in hosts.servers)
    if settings_of(data.trial).distribution != "client-server":
        givers += sum(other.up or 0 for other in hosts.peers if other.name != peer.name)
    return min(givers, peer.down or inf)


def group_rows(peers: pd.DataFrame, transfers: pd.DataFrame) -> Iterator[Row]:
    """Yield a row for each group of each trial, from the rows of peers and transfers."""
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
                "application": members["application"].iloc[0],
                "peers": len(members),
                "share": len(members) / len(everyone),
                "completed": int(members["completed_s"].notna().sum()),
                "download_mean_s": float(members["download_s"].mean()),
                "download_median_s": float(members["download_s"].median()),
                "gain": float(others["download_s"].mean()) / float(members["download_s"].mean()),
                "cpu_mean_s": float(members["cpu_s"].mean()),
                "group_share_ratio": float(members["payload_sent"].sum()) / received if received else nan,
                **_flows(members, everyone, of_trial),
            }


def _flows(members: pd.DataFrame, everyone: pd.DataFrame, given: pd.DataFrame) -> Row:
    """Return what depends on who gave to whom; nan where neither end of some pair tells that."""
    is_silent = everyone["untold"].str.contains(NEIGHBOURS)
    from_members = is_silent[members.index].any() and is_silent.sum() > 1
    names = members["peer"], everyone["peer"]
    return {
        "clustering": nan if from_members else _clustering(*names, given),
        # Only the giver knows when it completed.
        "from_leeches": nan if is_silent.any() else _from_leeches(*names, given),
    }


def _clustering(members: "pd.Series[str]", everyone: "pd.Series[str]", given: pd.DataFrame) -> float:
    """Return the share of what members gave to peers that went to members, over that of giving to all alike."""
    by_members = given[given["giver"].isin(members)]
    to_peers = float(by_members.loc[by_members["receiver"].isin(everyone), "given"].sum())
    to_members = float(by_members.loc[by_members["receiver"].isin(members), "given"].sum())
    if len(members) < 2 or not to_peers:
        return nan
    return to_members / to_peers * (len(everyone) - 1) / (len(members) - 1)


def _from_leeches(members: "pd.Series[str]", everyone: "pd.Series[str]", given: pd.DataFrame) -> float:
    """Return what leeches gave to a member on average, over what they gave to any peer."""
    to_members, to_peers = (
        float(given.loc[given["receiver"].isin(receivers), "bytes_as_leech"].sum()) / len(receivers)
        for receivers in (members, everyone)
    )
    return to_members / to_peers if to_peers else nan
