"""The payload that each host sent to each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import nan
from typing import TypeAlias

from testbed.runfolder.traces import ConnectionTotals
from testbed.runfolder.trial_data import Row, TrialData


@dataclass(slots=True)
class Flow:
    """The payload from one host to another, as the giver and as the receiver counted it."""

    sent: int | None = None
    sent_as_leech: int | None = None
    received: int | None = None
    unchoked: dict[str, float] = field(default_factory=dict)
    """How long the receiver was unchoked, by whose trace says so: `giver` or `receiver`."""


Flows: TypeAlias = dict[tuple[str, str], Flow]


def transfer_rows(data: TrialData) -> Iterator[Row]:
    """Yield a row for each pair of hosts of which the one sent payload to the other, or unchoked it."""
    for (giver, receiver), flow in sorted(_flows(data).items()):
        unchoked = flow.unchoked.get("giver", flow.unchoked.get("receiver", nan))
        if flow.sent or flow.received or unchoked > 0:
            yield {
                "trial": data.record.id,
                "giver": giver,
                "receiver": receiver,
                "bytes_sent": nan if flow.sent is None else flow.sent,
                "bytes_received": nan if flow.received is None else flow.received,
                "bytes_as_leech": nan if flow.sent_as_leech is None else flow.sent_as_leech,
                "unchoked_s": unchoked,
                "source": "/".join(dict.fromkeys(_sources(data, giver, receiver))),
            }


def _sources(data: TrialData, *hosts: str) -> Iterator[str]:
    """Yield where the giver's and the receiver's counts come from, if they have any."""
    return (data.source(host) for host in hosts if host in data.traces)


def _flows(data: TrialData) -> Flows:
    names, flows = _names(data), Flows()
    for host, trace in data.traces.items():
        for connection in trace.connections:
            other = _name_of(connection, names)
            _add_given(flows.setdefault((host, other), Flow()), connection)
            _add_taken(flows.setdefault((other, host), Flow()), connection)
    return flows


def _add_given(flow: Flow, connection: ConnectionTotals) -> None:
    flow.sent = (flow.sent or 0) + connection.sent
    flow.sent_as_leech = (flow.sent_as_leech or 0) + connection.sent_as_leech
    _add_time(flow, "giver", connection.unchoked_by_us.total)


def _add_taken(flow: Flow, connection: ConnectionTotals) -> None:
    flow.received = (flow.received or 0) + connection.received
    _add_time(flow, "receiver", connection.unchoked_by_them.total)


def _add_time(flow: Flow, who: str, seconds: float | None) -> None:
    if seconds is not None:
        flow.unchoked[who] = flow.unchoked.get(who, 0.0) + seconds


def _names(data: TrialData) -> Mapping[str, str]:
    """Return the hosts by address and by every peer id: a peer that comes back has another address."""
    by_address = {host.address: host.name for host in data.record.hosts}
    by_id = {peer_id: host for host, trace in data.traces.items() for peer_id in trace.peer_ids}
    return by_address | by_id


def _name_of(connection: ConnectionTotals, names: Mapping[str, str]) -> str:
    host = connection.address.rpartition(":")[0].strip("[]")
    return names.get(connection.peer_id or "", names.get(host, host))
