"""The kernel's counters at the shaped end of each link: bytes sent, bytes waiting, packets dropped.

The counters are those of the queue inside the shaper (see `testbed.network.links.shaping`): they count exactly
the bytes that the rate applies to: frames of data, without the acknowledgements that bypass it.
"""

import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from testbed.network.build.nodes import Core, EmulatedHost, ShapedIntf
from testbed.network.kernel.netlink import RTM_GETQDISC, NetlinkSocket, attributes
from testbed.network.links.shaping import ACK_QUEUE, DATA_QUEUE

_TCMSG: Final = struct.Struct("=BxxxiIII")
_TCA_STATS2: Final = 7
_STATS_BASIC: Final = 1
_STATS_QUEUE: Final = 3
_BASIC: Final = struct.Struct("=QI")
_QUEUE: Final = struct.Struct("=5I")


@dataclass(frozen=True, slots=True)
class QueueCount:
    """The counters of one queue at one time (`time.monotonic()`)."""

    time: float
    sent_bytes: int
    sent_packets: int
    waiting_bytes: int
    dropped_packets: int


@dataclass(frozen=True, slots=True)
class EgressCount:
    """Both queues of a shaped direction; `acks` is None where acknowledgements share the data queue."""

    data: QueueCount
    acks: QueueCount | None


class LinkCounters:
    """Reads the counters of shaped link ends, over one open socket in each node."""

    def __init__(self, ends: Iterable[ShapedIntf]) -> None:
        self._by_node: dict[EmulatedHost | Core, dict[int, ShapedIntf]] = {}
        for end in ends:
            if end.shape.rate is not None:
                self._by_node.setdefault(end.home, {})[end.index] = end
        self._sockets = {node: _socket_in(node) for node in self._by_node}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for netlink in self._sockets.values():
            netlink.close()

    def read(self) -> dict[ShapedIntf, EgressCount]:
        """Read all counters, each with the time at which its node was asked."""
        counts = {}
        for node, ends in self._by_node.items():
            queues = _read_queues(self._sockets[node])
            for index, end in ends.items():
                counts[end] = EgressCount(queues[index, DATA_QUEUE], queues.get((index, ACK_QUEUE)))
        return counts

    def waiting(self, end: ShapedIntf) -> bool:
        """Return whether data is waiting at one end; much cheaper than reading all."""
        payload = self._sockets[end.home].get(RTM_GETQDISC, _TCMSG.pack(0, end.index, DATA_QUEUE, 0, 0))
        return _count(0.0, payload).waiting_bytes > 0


def _socket_in(node: EmulatedHost | Core) -> NetlinkSocket:
    with node.inside():
        return NetlinkSocket()


def _read_queues(netlink: NetlinkSocket) -> dict[tuple[int, int], QueueCount]:
    """Return all queues of a namespace by interface index and handle."""
    now = time.monotonic()
    queues = {}
    for payload in netlink.dump(RTM_GETQDISC, _TCMSG.pack(0, 0, 0, 0, 0)):
        _family, index, handle, _parent, _info = _TCMSG.unpack_from(payload)
        if handle in {DATA_QUEUE, ACK_QUEUE}:
            queues[index, handle] = _count(now, payload)
    return queues


def _count(now: float, payload: bytes) -> QueueCount:
    top = dict(attributes(payload, _TCMSG.size))
    stats = dict(attributes(top[_TCA_STATS2]))
    sent_bytes, sent_packets = _BASIC.unpack_from(stats[_STATS_BASIC])
    _waiting_packets, waiting_bytes, drops, _requeues, _overlimits = _QUEUE.unpack_from(stats[_STATS_QUEUE])
    return QueueCount(now, sent_bytes, sent_packets, waiting_bytes, drops)
