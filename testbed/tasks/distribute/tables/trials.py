"""One row a trial."""

from collections.abc import Iterator
from math import nan
from typing import Final

import numpy as np
import pandas as pd

from testbed.experiment import Trial
from testbed.experiment.language.cells import as_cell
from testbed.results.observations import Observed
from testbed.results.statistics.statistics import jain
from testbed.tasks.distribute.tables.peers import number
from testbed.tasks.distribute.tables.transfers import Row
from testbed.theory.wire import SEGMENT_PAYLOAD

LONG_BUSY_S: Final = 5.0
"""A link that was busy for less may never have had a whole second of data."""

LEAST_DIFFERENCE: Final = -0.01
MOST_DIFFERENCE: Final = 0.15
"""By how much the links' streams can exceed the payload that applications counted, in parts of the payload. Messages
and blocks that were broken off make it positive; below zero, bytes would have been counted that nobody carried. What
downlinks dropped comes on top of it: an uplink had carried it, and carried it again."""


def point_cells(trial: Trial) -> Row:
    """Return the swept values of a trial as a table has them: numbers and words as they were written."""
    return {key: as_cell(value) for key, value in trial.point.items()}


def trial_row(observed: Observed, peers: pd.DataFrame) -> Row:
    """Return a trial's row; `peers` are the rows of its peers."""
    return {
        "trial": observed.record.id,
        **point_cells(observed.trial),
        **_setting(observed.trial),
        **_bounds(observed.trial),
        **_completion(observed, peers),
        **_use(observed, peers),
        **_verdict(observed),
    }


def _setting(trial: Trial) -> Row:
    settings, hosts = trial.settings, trial.hosts
    downs = [number(peer.down) for peer in hosts.peers]
    return {
        "repetition": trial.repetition,
        "seed": trial.seed,
        "pair": trial.pair or "",
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
    return {
        "bound_s": trial.bound.seconds,
        "payload_bound_s": trial.bound.payload_seconds,
        "limited_by": trial.bound.limit,
        "client_server_bound_s": trial.theory.client_server.payload_seconds,
        "p2p_bound_s": trial.theory.p2p.payload_seconds,
        "pieces_bound_s": number(trial.theory.pieces_seconds),
    }


def _completion(observed: Observed, peers: pd.DataFrame) -> Row:
    seconds = distribution_time(observed)
    downloads = peers["download_s"].dropna()
    return {
        "completed": len(downloads),
        "distribution_s": seconds,
        "ratio": seconds / observed.trial.bound.seconds,
        "payload_ratio": seconds / observed.trial.bound.payload_seconds,
        "completion_mean_s": downloads.mean(),
        "completion_median_s": downloads.median(),
        "completion_p95_s": downloads.quantile(0.95) if len(downloads) else nan,
        "jain": jain(peers["normalised_rate"]),
    }


def distribution_time(observed: Observed) -> float:
    """Return when the last peer had the file; nan if one that was to have it has not.

    Who leaves a time after joining, with the file or without, as was planned, is not waited for.
    """
    times = []
    for peer in observed.trial.hosts.peers:
        trace = observed.traces.get(peer.name)
        if trace is not None and trace.completed is not None:
            times.append(trace.completed)
        elif peer.departure.kind != "after":
            return nan
    return max(times, default=nan)


def _use(observed: Observed, peers: pd.DataFrame) -> Row:
    hosts = (*observed.servers, *observed.peers)
    payload = payload_carried(observed)
    stream = observed.counters.stream_bytes(hosts)
    given = sum(observed.traces[server].sent for server in observed.servers if server in observed.traces)
    return {
        "server_utilisation": _utilisation(observed, observed.servers),
        "peer_utilisation": _utilisation(observed, observed.peers),
        "seed_copies": given / observed.trial.settings.file_size,
        "payload_bytes": payload,
        "duplicate_bytes": peers["wasted_bytes"].sum(),
        "control_bytes": stream - payload,
        "wire_bytes": float(np.nansum([observed.counters.last(host, "up_bytes") for host in hosts])),
        "drops": float(np.nansum([_drops(observed, host) for host in hosts])),
        "payload_difference": payload_difference(observed),
    }


def payload_carried(observed: Observed) -> int:
    """Return the payload that applications say they received; what they sent may have waited in a kernel to the end."""
    return sum(trace.received for trace in observed.traces.values())


def payload_difference(observed: Observed) -> float:
    """Return by how much the streams on the uplinks exceed the payload that applications counted, in parts of it."""
    payload = payload_carried(observed)
    stream = observed.counters.stream_bytes((*observed.servers, *observed.peers))
    return (stream - payload) / payload if payload else nan


def _drops(observed: Observed, host: str) -> float:
    return float(np.nansum([observed.counters.last(host, f"{direction}_drops") for direction in ("up", "down")]))


def _utilisation(observed: Observed, hosts: tuple[str, ...]) -> float:
    """Return the part of some uplinks that was used until the last completion, while their hosts were there."""
    last = distribution_time(observed)
    end = observed.record.seconds if np.isnan(last) else last
    planned = observed.trial.hosts
    ups = {host.name: host.up or 0 for host in (*planned.servers, *planned.peers)}
    could = sum(ups[host] * _seconds_present(observed, host, end) for host in hosts)
    before, after = observed.counters.sum_at(hosts, "up_bytes", np.array([0.0, end]))
    return float(8 * (after - before) / could) if could else nan


def _seconds_present(observed: Observed, host: str, end: float) -> float:
    return sum(max(0.0, min(left, end) - joined) for joined, left in observed.presence(host))


def _verdict(observed: Observed) -> Row:
    fidelity = observed.record.fidelity
    doubts = tuple(_doubts(observed))
    return {
        "verdict": "suspect" if doubts else fidelity.verdict,
        "reasons": "; ".join([*fidelity.reasons, *doubts]),
        "attempts": observed.attempts,
        "lowest_idle_cpu": number(fidelity.lowest_idle_cpu),
        "worst_lateness_ms": number(fidelity.worst_lateness_ms),
        "loop_lateness_ms": number(fidelity.loop_lateness_ms),
        "run_delay_ms_per_s": number(fidelity.run_delay_ms_per_s),
        "psi_cpu": number(fidelity.psi_cpu),
        "core_drops": number(fidelity.core_drops),
        "link_error": _link_error(observed),
        "stopped": observed.record.stopped,
        "seconds": observed.record.seconds,
    }


def _doubts(observed: Observed) -> Iterator[str]:
    """Yield what the applications and the links do not agree on."""
    difference = payload_difference(observed)
    if np.isnan(difference):
        return
    dropped = float(np.nansum([observed.counters.last(peer, "down_drops") for peer in observed.peers]))
    sent_again = dropped * SEGMENT_PAYLOAD / payload_carried(observed)
    if not LEAST_DIFFERENCE <= difference <= MOST_DIFFERENCE + sent_again:
        yield f"the links carried {difference:+.1%} of the payload that applications counted"


def _link_error(observed: Observed) -> float:
    """Return how far the worst link was from what was asked of it, in its fastest second, if it was busy for long."""
    errors = [
        abs(link.fastest / link.asked - 1)
        for link in observed.record.links
        if link.fastest is not None and link.asked and link.busy_s >= LONG_BUSY_S
    ]
    return max(errors, default=nan)
