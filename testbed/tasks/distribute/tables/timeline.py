"""A trial second by second."""

from collections.abc import Iterable
from math import ceil

import numpy as np
import pandas as pd

from testbed.results.observations import Observed
from testbed.runfolder.counters import Numbers
from testbed.tasks.distribute.tables.copies import copies_at


def timeline_table(observed: Observed) -> pd.DataFrame:
    """Return a row for each second of a trial: rates over the second that ended at t, all else at t, or at the end."""
    times = np.arange(1.0, ceil(observed.record.seconds) + 1)
    server_rate = wire_rate(observed, observed.servers, "up_bytes", times)
    peers_rate = wire_rate(observed, observed.peers, "up_bytes", times)
    moments = np.minimum(times, observed.record.seconds)
    copies = copies_at(observed, moments)
    return pd.DataFrame(
        {
            "trial": observed.record.id,
            "t": times,
            "server_up_rate": server_rate,
            "peers_up_rate": peers_rate,
            "payload_rate": 8 * _payload(observed, len(times)),
            "server_utilisation": share(server_rate, _capacity(observed, observed.servers, times)),
            "peer_utilisation": share(peers_rate, _capacity(observed, observed.peers, times)),
            "copies_rarest": copies.rarest,
            "copies_mean": copies.mean,
            "peers_present": _present(observed, observed.peers, times).sum(axis=0),
            "peers_completed": _completed(observed, moments),
            "completion": _completion(observed, moments),
        }
    )


def wire_rate(observed: Observed, hosts: Iterable[str], count: str, times: Numbers) -> Numbers:
    """Return the bits that some links carried in each second that ended at one of the times."""
    before, after = (observed.counters.sum_at(hosts, count, at) for at in (times - 1, times))
    return np.asarray(8 * (after - before), dtype=float)


def share(part: Numbers, whole: Numbers) -> Numbers:
    """Divide; nan where there is no whole."""
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _present(observed: Observed, hosts: Iterable[str], times: Numbers) -> Numbers:
    """Return how much of each second that ended at one of the times each host was in the swarm."""
    rows = [np.zeros_like(times)]
    for host in hosts:
        lives = observed.presence(host)
        rows.append(
            sum(
                (np.clip(np.minimum(end, times) - np.maximum(begin, times - 1), 0, 1) for begin, end in lives),
                np.zeros_like(times),
            )
        )
    return np.array(rows)


def _capacity(observed: Observed, hosts: Iterable[str], times: Numbers) -> Numbers:
    ups = {host.name: host.up or 0 for host in (*observed.trial.hosts.servers, *observed.trial.hosts.peers)}
    names = tuple(hosts)
    rates = np.array([0, *(ups[name] for name in names)], dtype=float)
    return np.asarray(rates @ _present(observed, names, times), dtype=float)


def _payload(observed: Observed, seconds: int) -> Numbers:
    received = np.zeros(seconds)
    for host in observed.peers:
        received += _received(observed, host, seconds)
    return received


def _received(observed: Observed, host: str, seconds: int) -> Numbers:
    """Return the bytes that a peer received in each second; what was told at 3.4 s is of the one that ends at 4."""
    received = np.zeros(seconds)
    trace = observed.traces.get(host)
    for second, (taken, _) in trace.by_second.items() if trace else ():
        received[min(max(second, 0), seconds - 1)] += taken
    return received


def _completed(observed: Observed, times: Numbers) -> Numbers:
    done = [trace.completed for host in observed.peers if (trace := observed.traces.get(host))]
    moments = np.sort([t for t in done if t is not None])
    return np.searchsorted(moments, times, side="right").astype(float)


def _completion(observed: Observed, times: Numbers) -> Numbers:
    """Return the part of the file that a peer had on average; before its completion from the bytes that it received."""
    size = observed.trial.settings.file_size
    shares = np.zeros(len(times))
    for peer in observed.trial.hosts.peers:
        trace = observed.traces.get(peer.name)
        done = np.inf if trace is None or trace.completed is None else trace.completed
        part = peer.held + np.cumsum(_received(observed, peer.name, len(times))) / size
        shares += np.where(times >= done, 1.0, np.minimum(part, 1.0))
    return np.asarray(shares / len(observed.peers), dtype=float)
