"""Counters of links that are not shaped and so have no queue that counts: those of the core's interface."""

import struct
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Final, NamedTuple, Self

from testbed.network.build.nodes import Core, EmulatedHost, ShapedIntf
from testbed.network.kernel.messages import RTM_GETLINK
from testbed.network.kernel.netlink import NetlinkSocket, attributes

_IFINFO: Final = struct.Struct("=BxHiII")
_IFLA_STATS64: Final = 23
_STATS: Final = struct.Struct("=8Q")


class Count(NamedTuple):
    """One direction at one moment (`time.monotonic()`); bytes of frames."""

    time: float
    sent_bytes: int
    sent_packets: int
    dropped_packets: int


class InterfaceCounters:
    """Reads both directions of hosts' access links, at the core."""

    def __init__(self, hosts: Iterable[EmulatedHost]) -> None:
        self._by_core: dict[Core, dict[int, EmulatedHost]] = {}
        for host in hosts:
            core = host.access.peer.home
            if isinstance(core, Core):
                self._by_core.setdefault(core, {})[host.access.peer.index] = host
        self._sockets = {core: _socket_in(core) for core in self._by_core}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for netlink in self._sockets.values():
            netlink.close()

    def read(self) -> dict[ShapedIntf, Count]:
        """Return the counts by the end from which each direction leaves: the host's for up, the core's for down."""
        counts = {}
        for core, hosts in self._by_core.items():
            now = time.monotonic()
            for payload in self._sockets[core].dump(RTM_GETLINK, _IFINFO.pack(0, 0, 0, 0, 0)):
                host = hosts.get(_IFINFO.unpack_from(payload)[2])
                if host is not None:
                    up, down = _both_ways(now, payload)
                    counts[host.access], counts[host.access.peer] = up, down
        return counts


def _socket_in(core: Core) -> NetlinkSocket:
    with core.inside():
        return NetlinkSocket()


def _both_ways(now: float, payload: bytes) -> tuple[Count, Count]:
    """Read what the core received, which went up, and what it sent, which went down."""
    found = _STATS.unpack_from(dict(attributes(payload, _IFINFO.size))[_IFLA_STATS64])
    rx_packets, tx_packets, rx_bytes, tx_bytes, _, _, rx_dropped, tx_dropped = found
    return Count(now, rx_bytes, rx_packets, rx_dropped), Count(now, tx_bytes, tx_packets, tx_dropped)
