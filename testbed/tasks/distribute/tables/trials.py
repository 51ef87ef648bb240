"""The row of a trial."""

from collections.abc import Iterable
from math import isnan, nan

import numpy as np
import pandas as pd

from testbed.experiment import Trial
from testbed.runfolder.trial_data import Row, TrialData, number
from testbed.tasks.distribute.schema.keys import OURS
from testbed.tasks.distribute.tables.audit import payload_audit, payload_difference, payload_received, stream_bytes
from testbed.tasks.distribute.tables.hosts import (
    dropped_packets,
    killed_at,
    peer_names,
    seconds_present,
    server_names,
    uplink_rates,
)
from testbed.tasks.distribute.trials import hosts_of, settings_of, theory_of


def trial_row(data: TrialData, peers: pd.DataFrame, transfers: pd.DataFrame) -> Row:
    """Return the cells of a trial, given the rows of its peers and of its transfers."""
    return {
        **_setting(data.trial),
        **_bounds(data.trial),
        "killed": sum(not isnan(killed_at(data, host)) for host in hosts_of(data.trial).all),
        **_completion(data, peers),
        **_use(data, peers, transfers),
    }


def _setting(trial: Trial) -> Row:
    settings, hosts = settings_of(trial), hosts_of(trial)
    downs = [number(peer.down) for peer in hosts.peers]
    return {
        "distribution": settings.distribution,
        "profile": settings.profile,
        "time_scale": settings.time_scale,
        "N": len(hosts.peers),
        "F": settings.file_size,
        "u_s": sum(server.up or 0 for server in hosts.servers),
        "u_sum": sum(peer.up or 0 for peer in hosts.peers),
        "d_min": float(np.nanmin(downs)) if not np.isnan(downs).all() else nan,
    }


def _bounds(trial: Trial) -> Row:
    bound = settings_of(trial).bound_in(theory_of(trial))
    return {
        "bound_s": bound.seconds,
        "payload_bound_s": bound.payload_seconds,
        "limited_by": bound.limit,
        "client_server_bound_s": theory_of(trial).client_server.payload_seconds,
        "p2p_bound_s": theory_of(trial).p2p.payload_seconds,
        "pieces_bound_s": number(theory_of(trial).pieces_seconds),
    }


def _completion(data: TrialData, peers: pd.DataFrame) -> Row:
    seconds, bound = distribution_time(data), settings_of(data.trial).bound_in(theory_of(data.trial))
    downloads = peers["download_s"].dropna()
    return {
        "completed": len(downloads),
        "distribution_s": seconds,
        "ratio": seconds / bound.seconds,
        "payload_ratio": seconds / bound.payload_seconds,
        "completion_mean_s": downloads.mean(),
        "completion_median_s": downloads.median(),
        "completion_p95_s": downloads.quantile(0.95) if len(downloads) else nan,
        **_meeting(data, peers),
        "jain": jain(peers["normalised_rate"]),
    }


def _meeting(data: TrialData, peers: pd.DataFrame) -> Row:
    """Return how long it took peers to meet somebody, and how many never did."""
    times = peers["first_neighbour_s"]
    tells = (peers["source"] == "trace") & (peers["application"] == OURS)
    is_alone = peers["joined_s"].notna() & times.isna() & tells
    return {
        "first_neighbour_mean_s": times.mean(),
        "first_neighbour_median_s": times.median(),
        "first_neighbour_max_s": times.max(),
        "isolated": int(is_alone.sum()) if settings_of(data.trial).exchanges_pieces else nan,
    }


def jain(values: Iterable[float]) -> float:
    """Return Jain's index of fairness: 1 if all are equal, 1/n if one has all; nan of nothing."""
    numbers = np.asarray(list(values), dtype=float)
    numbers = numbers[np.isfinite(numbers)]
    squares = float(np.sum(numbers**2))
    return float(np.sum(numbers)) ** 2 / (len(numbers) * squares) if squares else nan


def distribution_time(data: TrialData) -> float:
    """Return when the last peer completed; nan if one did not.

    A peer that was planned to leave some time after joining, with or without the file, or to be killed, does not count.
    """
    times = []
    for peer in hosts_of(data.trial).peers:
        trace = data.traces.get(peer.name)
        if trace is not None and trace.completed is not None:
            times.append(trace.completed)
        elif peer.departure.kind != "after" and isnan(killed_at(data, peer)):
            return nan
    return max(times, default=nan)


def _use(data: TrialData, peers: pd.DataFrame, transfers: pd.DataFrame) -> Row:
    hosts = (*server_names(data), *peer_names(data))
    payload = payload_received(data)
    given = sum(data.traces[server].sent for server in server_names(data) if server in data.traces)
    return {
        "server_utilisation": _utilisation(data, server_names(data)),
        "peer_utilisation": _utilisation(data, peer_names(data)),
        "seed_copies": given / settings_of(data.trial).file_size,
        "payload_bytes": payload,
        "unattributed_bytes": max(
            0.0, payload - float(transfers["bytes_received"].fillna(transfers["bytes_sent"]).sum())
        ),
        "duplicate_bytes": peers["wasted_bytes"].sum(skipna=False),
        "control_bytes": stream_bytes(data) - payload,
        "dht_bytes": _dht_bytes(data),
        "wire_bytes": float(np.nansum([data.counters.last(host, "up_bytes") for host in hosts])),
        "drops": sum(dropped_packets(data, host) for host in hosts),
        "payload_difference": payload_difference(data),
        "payload_audit": payload_audit(data),
    }


def _dht_bytes(data: TrialData) -> float:
    sent = [trace.dht_sent for trace in data.traces.values() if trace.dht_sent is not None]
    return sum(sent) if sent else nan


def _utilisation(data: TrialData, hosts: tuple[str, ...]) -> float:
    """Return the used share of some uplinks until the last completion, while their hosts were in the swarm."""
    last = distribution_time(data)
    end = data.record.seconds if np.isnan(last) else last
    ups = uplink_rates(data)
    could = sum(ups[host] * seconds_present(data, host, end) for host in hosts)
    before, after = data.counters.sum_at(hosts, "up_bytes", np.array([0.0, end]))
    return float(8 * (after - before) / could) if could else nan
