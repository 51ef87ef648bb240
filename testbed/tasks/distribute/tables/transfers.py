"""Who gave whom how much."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import nan
from typing import TypeAlias

from testbed.results.observations import Observed
from testbed.runfolder.traces import ConnectionTotals

Row: TypeAlias = dict[str, object]


@dataclass(slots=True)
class Flow:
    """From one host to another: bytes as the giver and as the receiver counted them."""

    sent: int | None = None
    sent_as_leech: int | None = None
    received: int | None = None
    unchoked: dict[str, float] = field(default_factory=dict)
    """For how long the receiver could ask, by who says so: `giver` or `receiver`."""


Flows: TypeAlias = dict[tuple[str, str], Flow]


def transfer_rows(observed: Observed) -> Iterator[Row]:
    """Yield a row for each host and each other that it gave something, or was ready to give."""
    for (giver, receiver), flow in sorted(_flows(observed).items()):
        unchoked = flow.unchoked.get("giver", flow.unchoked.get("receiver", nan))
        if flow.sent or flow.received or unchoked > 0:
            yield {
                "trial": observed.record.id,
                "giver": giver,
                "receiver": receiver,
                "bytes_sent": nan if flow.sent is None else flow.sent,
                "bytes_received": nan if flow.received is None else flow.received,
                "bytes_as_leech": nan if flow.sent_as_leech is None else flow.sent_as_leech,
                "unchoked_s": unchoked,
            }


def _flows(observed: Observed) -> Flows:
    names, flows = _names(observed), Flows()
    for host, trace in observed.traces.items():
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


def _names(observed: Observed) -> Mapping[str, str]:
    """Return the hosts by address, and by each peer id that they had: one that comes back has another address."""
    by_address = {host.address: host.name for host in observed.record.hosts}
    by_id = {peer_id: host for host, trace in observed.traces.items() for peer_id in trace.peer_ids}
    return by_address | by_id


def _name_of(connection: ConnectionTotals, names: Mapping[str, str]) -> str:
    host = connection.address.rpartition(":")[0].strip("[]")
    return names.get(connection.peer_id or "", names.get(host, host))
