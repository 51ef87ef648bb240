"""Requests that create interfaces, addresses, routes and neighbours, encoded by pyroute2 and described in words."""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Final

from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from testbed.network.kernel.netlink import (
    Message,
    NetlinkSocket,
    attribute,
    attributes,
    encode,
)

RTM_NEWLINK: Final = 16
RTM_DELLINK: Final = 17
RTM_GETLINK: Final = 18
RTM_NEWADDR: Final = 20
RTM_NEWROUTE: Final = 24
RTM_NEWNEIGH: Final = 28
RTM_NEWRULE: Final = 32

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


@dataclass(frozen=True)
class LinkEnd:
    """One end of a pair of interfaces to create."""

    name: str
    index: int
    mac: str
    gso_segments: int | None


def new_veth_pair(near: LinkEnd, far: LinkEnd, *, far_namespace: int, group: int) -> Message:
    """Create both ends: the near one up, the far one in its namespace and down, since it has no peer at that time."""
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
    """Yield the indexes of the interfaces that are in operation.

    An interface is in operation, and a bridge port forwards, a moment after its peer came up; packets sent earlier are
    lost.
    """
    request = _IFINFO.pack(0, 0, 0, 0, 0) + attribute(_IFLA_EXT_MASK, struct.pack("=I", _WITHOUT_STATISTICS))
    for payload in netlink.dump(RTM_GETLINK, request):
        found = dict(attributes(payload, _IFINFO.size))
        if found[_IFLA_OPERSTATE][0] == _IF_OPER_UP:
            yield _IFINFO.unpack_from(payload)[2]


def delete_link(index: int) -> Message:
    """Remove an interface, and with it the other end of its pair."""
    message = ifinfmsg()
    message["index"] = index
    return encode(message, RTM_DELLINK, f"remove interface {index}", flags=0)


def link_up(index: int) -> Message:
    """Bring an interface up."""
    message = ifinfmsg()
    message["index"], message["flags"], message["change"] = index, IFF_UP, IFF_UP
    return encode(message, RTM_NEWLINK, f"bring up interface {index}", flags=0)


def enslave(index: int, bridge: int) -> Message:
    """Make an interface a port of a bridge."""
    message = ifinfmsg()
    message["index"] = index
    message["attrs"] = [("IFLA_MASTER", bridge)]
    return encode(message, RTM_NEWLINK, f"make interface {index} a port of the bridge", flags=0)


def delete_link_group(group: int) -> Message:
    """Remove all interfaces of a group in one request, which hardly costs more than removing one."""
    message = ifinfmsg()
    message["attrs"] = [("IFLA_GROUP", group)]
    return encode(message, RTM_DELLINK, f"remove the links of group {group}", flags=0)


def new_address(index: int, address: IPv4Address, prefix_length: int) -> Message:
    """Give an interface an address, without a route to its network."""
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

    TCP connections over the route use its congestion control, unless their program chooses another. (The sysctl
    tcp_congestion_control would not do: inside a namespace it accepts only what the machine allows every user.)
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
    """Route all packets, or those that arrive from one interface, by a table."""
    message = fibmsg()
    message["family"], message["action"] = socket.AF_INET, _FR_ACT_TO_TBL
    message["attrs"] = [("FRA_PRIORITY", priority), ("FRA_TABLE", table)]
    if arriving_from is not None:
        message["attrs"].append(("FRA_IIFNAME", arriving_from))
    return encode(message, RTM_NEWRULE, f"look up packets from {arriving_from or 'anywhere'} in table {table}")


def new_unreachable_route(table: int) -> Message:
    """Make destinations without another route in the table unreachable."""
    message = rtmsg()
    message["family"], message["table"], message["type"] = socket.AF_INET, table, _RTN_UNREACHABLE
    message["proto"], message["scope"] = _RTPROT_STATIC, _RT_SCOPE_UNIVERSE
    message["attrs"] = [("RTA_TABLE", table), ("RTA_PRIORITY", 1000)]
    return encode(message, RTM_NEWROUTE, f"make all other addresses in table {table} unreachable")


def new_neighbour(index: int, address: IPv4Address, mac: str) -> Message:
    """Add a permanent neighbour entry, which needs no ARP and does not count against the table's limit."""
    message = ndmsg()
    message["family"], message["ifindex"], message["state"] = socket.AF_INET, index, _NUD_PERMANENT
    message["attrs"] = [("NDA_DST", str(address)), ("NDA_LLADDR", mac)]
    return encode(message, RTM_NEWNEIGH, f"make {address} a permanent neighbour of interface {index}")
