"""The rows of a trial's seconds."""

from collections.abc import Iterable
from math import ceil

import numpy as np
import pandas as pd

from testbed.runfolder.counters import Numbers
from testbed.runfolder.trial_data import TrialData
from testbed.tasks.distribute.tables.copies import copies_at
from testbed.tasks.distribute.tables.hosts import peer_names, server_names, uplink_rates
from testbed.tasks.distribute.trials import hosts_of, settings_of


def timeline_table(data: TrialData) -> pd.DataFrame:
    """Return a row for each second of a trial: rates are of the second that ended at t, all else is at t."""
    times = np.arange(1.0, ceil(data.record.seconds) + 1)
    server_rate = wire_rate(data, server_names(data), "up_bytes", times)
    peers_rate = wire_rate(data, peer_names(data), "up_bytes", times)
    moments = np.minimum(times, data.record.seconds)
    copies = copies_at(data, moments)
    return pd.DataFrame(
        {
            "trial": data.record.id,
            "t": times,
            "server_up_rate": server_rate,
            "peers_up_rate": peers_rate,
            "payload_rate": 8 * _payload(data, len(times)),
            "server_utilisation": share(server_rate, _capacity(data, server_names(data), times)),
            "peer_utilisation": share(peers_rate, _capacity(data, peer_names(data), times)),
            "copies_rarest": copies.rarest,
            "copies_mean": copies.mean,
            "peers_present": _present(data, peer_names(data), times).sum(axis=0),
            "peers_completed": _completed(data, moments),
            "completion": _completion(data, moments),
        }
    )


def wire_rate(data: TrialData, hosts: Iterable[str], count: str, times: Numbers) -> Numbers:
    """Return the rate of some links together over the second before each time."""
    before, after = (data.counters.sum_at(hosts, count, at) for at in (times - 1, times))
    return np.asarray(8 * (after - before), dtype=float)


def share(part: Numbers, whole: Numbers) -> Numbers:
    """Divide; nan where the whole is 0."""
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _present(data: TrialData, hosts: Iterable[str], times: Numbers) -> Numbers:
    """Return the part of the second before each time that each host was in the swarm."""
    rows = [np.zeros_like(times)]
    for host in hosts:
        lives = data.presence(host)
        rows.append(
            sum(
                (np.clip(np.minimum(end, times) - np.maximum(begin, times - 1), 0, 1) for begin, end in lives),
                np.zeros_like(times),
            )
        )
    return np.array(rows)


def _capacity(data: TrialData, hosts: Iterable[str], times: Numbers) -> Numbers:
    ups, names = uplink_rates(data), tuple(hosts)
    rates = np.array([0, *(ups[name] for name in names)], dtype=float)
    return np.asarray(rates @ _present(data, names, times), dtype=float)


def _payload(data: TrialData, seconds: int) -> Numbers:
    received = np.zeros(seconds)
    for host in peer_names(data):
        received += _received(data, host, seconds)
    return received


def _received(data: TrialData, host: str, seconds: int) -> Numbers:
    """Return the bytes that a peer received in each second; those logged at 3.4 s count for the one that ends at 4."""
    received = np.zeros(seconds)
    trace = data.traces.get(host)
    for second, (taken, _) in trace.by_second.items() if trace else ():
        received[min(max(second, 0), seconds - 1)] += taken
    return received


def _completed(data: TrialData, times: Numbers) -> Numbers:
    done = [trace.completed for host in peer_names(data) if (trace := data.traces.get(host))]
    moments = np.sort([t for t in done if t is not None])
    return np.searchsorted(moments, times, side="right").astype(float)


def _completion(data: TrialData, times: Numbers) -> Numbers:
    """Return the mean share of the file that peers had; before its completion, from the bytes a peer received."""
    size = settings_of(data.trial).file_size
    shares = np.zeros(len(times))
    for peer in hosts_of(data.trial).peers:
        trace = data.traces.get(peer.name)
        done = np.inf if trace is None or trace.completed is None else trace.completed
        part = peer.held + np.cumsum(_received(data, peer.name, len(times))) / size
        shares += np.where(times >= done, 1.0, np.minimum(part, 1.0))
    return np.asarray(shares / len(peer_names(data)), dtype=float)
