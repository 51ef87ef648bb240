"""Requests to the kernel's network configuration, sent many at a time and every refusal reported.

A batch holds the messages for one network namespace. Messages are encoded by pyroute2; one `send` carries up to
_CHUNK_BYTES of them, and the kernel answers only the last, and each that it refuses.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from testbed.errors import ExplainedError

RTM_NEWLINK: Final = 16
RTM_DELLINK: Final = 17
RTM_GETLINK: Final = 18
RTM_NEWADDR: Final = 20
RTM_NEWROUTE: Final = 24
RTM_NEWNEIGH: Final = 28
RTM_NEWRULE: Final = 32
RTM_NEWQDISC: Final = 36
RTM_DELQDISC: Final = 37
RTM_GETQDISC: Final = 38
RTM_NEWTCLASS: Final = 40
RTM_NEWTFILTER: Final = 44

NLM_F_REQUEST: Final = 0x1
NLM_F_ACK: Final = 0x4
NLM_F_DUMP: Final = 0x300
NLM_F_EXCL: Final = 0x200
NLM_F_CREATE: Final = 0x400

_NLMSG_ERROR: Final = 2
_NLMSG_DONE: Final = 3
_SOL_NETLINK: Final = 270
_NETLINK_CAP_ACK: Final = 10
_NETLINK_EXT_ACK: Final = 11
_NLM_F_CAPPED: Final = 0x100
_NLM_F_ACK_TLVS: Final = 0x200
_NLMSGERR_ATTR_MSG: Final = 1

_CHUNK_BYTES: Final = 48 << 10
_HEADER: Final = struct.Struct("=IHHII")
_ATTRIBUTE: Final = struct.Struct("=HH")

_IFINFO: Final = struct.Struct("=BxHiII")
_IFLA_OPERSTATE: Final = 16
_IFLA_EXT_MASK: Final = 29
_WITHOUT_STATISTICS: Final = 8
_IF_OPER_UP: Final = 6

IFF_UP: Final = 1
LOOPBACK_INDEX: Final = 1
_NUD_PERMANENT: Final = 0x80
_IFA_F_NOPREFIXROUTE: Final = 0x200
_RTNH_F_ONLINK: Final = 4
_RT_SCOPE_UNIVERSE: Final = 0
_RT_SCOPE_LINK: Final = 253
RT_TABLE_MAIN: Final = 254
_RTPROT_STATIC: Final = 4
_RTN_UNICAST: Final = 1
_RTN_UNREACHABLE: Final = 7
_FR_ACT_TO_TBL: Final = 1


class NetlinkError(ExplainedError, OSError):
    """The kernel refused a request; the message says which and why."""

    def __str__(self) -> str:
        return str(self.strerror)


class Message(NamedTuple):
    """One request: its bytes as the kernel reads them, and what it does in words, for an error."""

    data: bytes
    what: str


def encode(message: Any, kind: int, what: str, flags: int = NLM_F_CREATE | NLM_F_EXCL) -> Message:
    """Have pyroute2 turn a filled message into bytes."""
    message["header"]["type"] = kind
    message["header"]["flags"] = NLM_F_REQUEST | flags
    message.encode()
    return Message(bytes(message.data), what)


class NetlinkSocket:
    """A route-netlink socket; it belongs to the namespace that the calling thread was in when it was made."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._socket.bind((0, 0))
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_CAP_ACK, 1)
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_EXT_ACK, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release the socket."""
        self._socket.close()

    def send(self, batch: list[Message]) -> None:
        """Carry out every message in order; raise NetlinkError if the kernel refused any."""
        refused: list[tuple[int, str]] = []
        for chunk in _chunks(batch):
            first = self._sequence + 1
            self._socket.send(self._numbered(chunk))
            refused += [(code, f"{chunk[seq - first].what}: {why}") for seq, code, why in self._answers()]
        if refused:
            code, text = refused[0]
            more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
            raise NetlinkError(code, text + more)

    def dump(self, kind: int, body: bytes) -> Iterator[bytes]:
        """Ask for all objects of a kind; yields the payload of each answer."""
        self._sequence += 1
        header = _HEADER.pack(_HEADER.size + len(body), kind, NLM_F_REQUEST | NLM_F_DUMP, self._sequence, 0)
        self._socket.send(header + body)
        while True:
            for number, kind_, _flags, payload in _messages(self._socket.recv(1 << 18)):
                if kind_ == _NLMSG_DONE:
                    return
                if kind_ == _NLMSG_ERROR:
                    code = -struct.unpack_from("=i", payload)[0]
                    raise NetlinkError(code, f"dump of {kind}: {os.strerror(code)}")
                if number == self._sequence:
                    yield payload

    def _numbered(self, chunk: list[Message]) -> bytes:
        """The chunk as one buffer, each message with its number, the last with the wish to be acknowledged."""
        buffer = bytearray()
        for message in chunk:
            self._sequence += 1
            start = len(buffer)
            buffer += message.data
            struct.pack_into("=I", buffer, start + 8, self._sequence)
        flags = struct.unpack_from("=H", buffer, start + 6)[0]
        struct.pack_into("=H", buffer, start + 6, flags | NLM_F_ACK)
        return bytes(buffer)

    def _answers(self) -> Iterator[tuple[int, int, str]]:
        """Number, errno and reason of each refused message, until the last one has been answered."""
        while True:
            for number, kind, flags, payload in _messages(self._socket.recv(1 << 18)):
                if kind != _NLMSG_ERROR:
                    continue
                code = -struct.unpack_from("=i", payload)[0]
                if code:
                    yield number, code, _reason(code, flags, payload)
                if number == self._sequence:
                    return


def _chunks(batch: list[Message]) -> Iterator[list[Message]]:
    chunk: list[Message] = []
    size = 0
    for message in batch:
        if chunk and size + len(message.data) > _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(message)
        size += len(message.data)
    if chunk:
        yield chunk


def _messages(datagram: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Sequence number, type, flags and payload of each message in a datagram."""
    offset = 0
    while offset + _HEADER.size <= len(datagram):
        length, kind, flags, sequence, _port = _HEADER.unpack_from(datagram, offset)
        yield sequence, kind, flags, datagram[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3


def attributes(payload: bytes, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """Type and value of each attribute in a payload."""
    while offset + _ATTRIBUTE.size <= len(payload):
        length, kind = _ATTRIBUTE.unpack_from(payload, offset)
        if length < _ATTRIBUTE.size:
            return
        yield kind & 0x3FFF, payload[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute as the kernel reads it."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def _reason(code: int, flags: int, payload: bytes) -> str:
    """The kernel's own sentence where it sent one, else the name of the error."""
    text = os.strerror(code)
    if flags & _NLM_F_ACK_TLVS:
        echoed = 16 if flags & _NLM_F_CAPPED else struct.unpack_from("=I", payload, 4)[0]
        for kind, value in attributes(payload, 4 + echoed):
            if kind == _NLMSGERR_ATTR_MSG:
                text += f" ({value.rstrip(bytes(1)).decode(errors='replace')})"
    if code == errno.ENOENT:
        text += "; a kernel module may be missing: see `testbed doctor`"
    return text


@dataclass(frozen=True)
class LinkEnd:
    """One end of a pair of interfaces, as it is to be born."""

    name: str
    index: int
    mac: str
    gso_segments: int | None


def new_veth_pair(near: LinkEnd, far: LinkEnd, *, far_namespace: int, group: int) -> Message:
    """Make both ends, the near one up, the far one in its namespace and down: when it is made, it has no peer yet."""
    far_info = {"index": far.index, "attrs": [*_link_attributes(far), ("IFLA_NET_NS_FD", far_namespace)]}
    message = ifinfmsg()
    message["index"], message["flags"], message["change"] = near.index, IFF_UP, IFF_UP
    pair = {"attrs": [("IFLA_INFO_KIND", "veth"), ("IFLA_INFO_DATA", {"attrs": [("VETH_INFO_PEER", far_info)]})]}
    message["attrs"] = [*_link_attributes(near), ("IFLA_GROUP", group), ("IFLA_LINKINFO", pair)]
    return encode(message, RTM_NEWLINK, f"make the link {near.name} - {far.name}")


def _link_attributes(end: LinkEnd) -> list[tuple[str, Any]]:
    limit = [] if end.gso_segments is None else [("IFLA_GSO_MAX_SEGS", end.gso_segments)]
    return [("IFLA_IFNAME", end.name), ("IFLA_ADDRESS", end.mac), *limit]


def new_bridge(name: str, index: int, mac: str) -> Message:
    """Make a bridge, up, without spanning tree and without snooping of multicast."""
    message = ifinfmsg()
    message["index"], message["flags"], message["change"] = index, IFF_UP, IFF_UP
    options = {"attrs": [("IFLA_BR_STP_STATE", 0), ("IFLA_BR_FORWARD_DELAY", 0), ("IFLA_BR_MCAST_SNOOPING", 0)]}
    kind = {"attrs": [("IFLA_INFO_KIND", "bridge"), ("IFLA_INFO_DATA", options)]}
    message["attrs"] = [("IFLA_IFNAME", name), ("IFLA_ADDRESS", mac), ("IFLA_LINKINFO", kind)]
    return encode(message, RTM_NEWLINK, f"make the bridge {name}")


def new_link_of_kind(kind: str, name: str, index: int) -> Message:
    """Make an interface of a kind that needs no options."""
    message = ifinfmsg()
    message["index"] = index
    message["attrs"] = [("IFLA_IFNAME", name), ("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", kind)]})]
    return encode(message, RTM_NEWLINK, f"make an interface of kind {kind}")


def links_in_operation(netlink: NetlinkSocket) -> Iterator[int]:
    """The indexes of the interfaces that the kernel has taken into operation.

    It does so, and lets a bridge's port forward, a moment after the peer was switched on; what is sent before is lost.
    """
    request = _IFINFO.pack(0, 0, 0, 0, 0) + attribute(_IFLA_EXT_MASK, struct.pack("=I", _WITHOUT_STATISTICS))
    for payload in netlink.dump(RTM_GETLINK, request):
        found = dict(attributes(payload, _IFINFO.size))
        if found[_IFLA_OPERSTATE][0] == _IF_OPER_UP:
            yield _IFINFO.unpack_from(payload)[2]


def delete_link(index: int) -> Message:
    """Remove an interface, and with it its pair's other end."""
    message = ifinfmsg()
    message["index"] = index
    return encode(message, RTM_DELLINK, f"remove interface {index}", flags=0)


def link_up(index: int) -> Message:
    """Switch an interface on."""
    message = ifinfmsg()
    message["index"], message["flags"], message["change"] = index, IFF_UP, IFF_UP
    return encode(message, RTM_NEWLINK, f"switch on interface {index}", flags=0)


def enslave(index: int, bridge: int) -> Message:
    """Make an interface a port of a bridge."""
    message = ifinfmsg()
    message["index"] = index
    message["attrs"] = [("IFLA_MASTER", bridge)]
    return encode(message, RTM_NEWLINK, f"make interface {index} a port of the bridge", flags=0)


def delete_link_group(group: int) -> Message:
    """Remove all interfaces of a group at once, which costs the kernel hardly more than one."""
    message = ifinfmsg()
    message["attrs"] = [("IFLA_GROUP", group)]
    return encode(message, RTM_DELLINK, f"remove the links of group {group}", flags=0)


def new_address(index: int, address: IPv4Address, prefix_length: int) -> Message:
    """Give an interface an address; routes to its network are made apart."""
    message = ifaddrmsg()
    message["family"], message["prefixlen"], message["index"] = socket.AF_INET, prefix_length, index
    message["attrs"] = [("IFA_LOCAL", str(address)), ("IFA_ADDRESS", str(address)), ("IFA_FLAGS", _IFA_F_NOPREFIXROUTE)]
    return encode(message, RTM_NEWADDR, f"give interface {index} the address {address}/{prefix_length}")


def new_route(
    destination: IPv4Network,
    index: int,
    via: IPv4Address | None = None,
    *,
    congestion_control: str | None = None,
    table: int = RT_TABLE_MAIN,
) -> Message:
    """Send packets for `destination` out of an interface, straight to it or to the neighbour `via`.

    TCP connections that use the route have its congestion control, unless their program chose another. (The setting
    tcp_congestion_control would not do: in a namespace it takes only what the machine allows to everybody.)
    """
    message = rtmsg()
    message["family"], message["dst_len"], message["table"] = socket.AF_INET, destination.prefixlen, table
    message["proto"], message["type"] = _RTPROT_STATIC, _RTN_UNICAST
    message["scope"] = _RT_SCOPE_LINK if via is None else _RT_SCOPE_UNIVERSE
    message["flags"] = 0 if via is None else _RTNH_F_ONLINK
    message["attrs"] = [("RTA_OIF", index), ("RTA_TABLE", table)]
    if destination.prefixlen:
        message["attrs"].append(("RTA_DST", str(destination.network_address)))
    if via is not None:
        message["attrs"].append(("RTA_GATEWAY", str(via)))
    if congestion_control is not None:
        message["attrs"].append(("RTA_METRICS", {"attrs": [("RTAX_CC_ALGO", congestion_control)]}))
    return encode(message, RTM_NEWROUTE, f"route {destination} out of interface {index}")


def new_rule(priority: int, table: int, arriving_from: str | None = None) -> Message:
    """Look up the routes of packets in a table: of all, or of those that arrive from an interface."""
    message = fibmsg()
    message["family"], message["action"] = socket.AF_INET, _FR_ACT_TO_TBL
    message["attrs"] = [("FRA_PRIORITY", priority), ("FRA_TABLE", table)]
    if arriving_from is not None:
        message["attrs"].append(("FRA_IIFNAME", arriving_from))
    return encode(message, RTM_NEWRULE, f"look up packets from {arriving_from or 'anywhere'} in table {table}")


def new_dead_end(table: int) -> Message:
    """What no better route of the table takes goes nowhere."""
    message = rtmsg()
    message["family"], message["table"], message["type"] = socket.AF_INET, table, _RTN_UNREACHABLE
    message["proto"], message["scope"] = _RTPROT_STATIC, _RT_SCOPE_UNIVERSE
    message["attrs"] = [("RTA_TABLE", table), ("RTA_PRIORITY", 1000)]
    return encode(message, RTM_NEWROUTE, f"make table {table} end nowhere")


def new_neighbour(index: int, address: IPv4Address, mac: str) -> Message:
    """State for good which MAC an address has; such entries need no ARP and do not count against the table's limit."""
    message = ndmsg()
    message["family"], message["ifindex"], message["state"] = socket.AF_INET, index, _NUD_PERMANENT
    message["attrs"] = [("NDA_DST", str(address)), ("NDA_LLADDR", mac)]
    return encode(message, RTM_NEWNEIGH, f"make {address} a permanent neighbour of interface {index}")
