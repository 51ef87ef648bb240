"""From the nodes and links that a topology describes to namespaces, interfaces, routes and shapers, in that order.

Every node is a network namespace. A link is a pair of interfaces, made from the core's side with the far end born in
the other node's namespace. In a routed core no packet is ever broadcast:

    h1 198.18.0.1/32                    s1 198.19.255.254/32 (on its loopback)
      default via 198.19.255.254          198.18.0.1/32 dev s1-eth1
      198.19.255.254 is at 02:..          198.18.0.1 is at 02:..          (permanent, both)

Between cores, a route for the collapsed networks of all hosts beyond each neighbouring core.
"""

import errno
import time
from ipaddress import IPv4Address, IPv4Network, collapse_addresses
from typing import Final

from testbed.network.build.fabric import ADDRESSES, Fabric, core_ends
from testbed.network.build.nodes import (
    Core,
    EmulatedHost,
    NodeError,
    ShapedIntf,
    ShapedLink,
)
from testbed.network.kernel.messages import (
    LOOPBACK_INDEX,
    LinkEnd,
    delete_link_group,
    enslave,
    link_up,
    links_in_operation,
    new_address,
    new_bridge,
    new_neighbour,
    new_route,
    new_veth_pair,
)
from testbed.network.kernel.netlink import Message, NetlinkError, NetlinkSocket
from testbed.network.links.shaping import Egress, shaping_messages
from testbed.network.sandbox import sysctls

_DEFAULT: Final = IPv4Network("0.0.0.0/0")
_LINK_GROUP: Final = 4711
_BRIDGE_INDEX: Final = 500
_BRIDGE_NAME: Final = "bridge"
_PATIENCE_SECONDS: Final = 30
_LOOK_AGAIN_SECONDS: Final = 0.001


def build(fabric: Fabric, *, netem: bool) -> dict[str, str]:
    """Make everything, and return the settings that were written into each host."""
    settings = {**sysctls.QUIET_IPV6, **sysctls.TCP}
    written: dict[str, str] = {}
    for host in fabric.hosts:
        written = host.make_namespace(settings)
    for core in fabric.cores:
        core.make_namespace({**settings, **sysctls.FORWARDING, **sysctls.BRIDGE})
    for core in fabric.cores:
        _carry_out(core, _births(fabric, core))
    for host in fabric.hosts:
        _carry_out(host, [*_host_face(fabric, host), *_shaper(fabric, host.access, netem=netem)])
    for core in fabric.cores:
        _carry_out(core, [link_up(trunk.index) for trunk, _ in fabric.trunks_of(core)])
    for core in fabric.cores:
        _carry_out(core, _bridge_ports(core) if fabric.bridged else _routes(fabric, core))
        _carry_out(core, [message for end in core_ends(core) for message in _shaper(fabric, end, netem=netem)])
    for core in fabric.cores:
        _wait_for_links(core)
    return written


def _wait_for_links(core: Core) -> None:
    """Return once all ends at a core are in operation; those at hosts are, since they were switched on last."""
    needed = {end.index for end in core_ends(core)}
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with core.inside(), NetlinkSocket() as netlink:
        while idle := needed.difference(links_in_operation(netlink)):
            if time.monotonic() > deadline:
                raise NodeError(f"{core.name}: {len(idle)} links are not in operation after {_PATIENCE_SECONDS} s")
            time.sleep(_LOOK_AGAIN_SECONDS)


def demolish(fabric: Fabric) -> None:
    """Remove all links and let go of the namespaces."""
    for core in fabric.cores:
        if core.is_made:
            _delete_links(core)
    for node in (*fabric.hosts, *fabric.cores):
        node.release_namespace()


def _delete_links(core: Core) -> None:
    try:
        _carry_out(core, [delete_link_group(_LINK_GROUP)])
    except NetlinkError as error:
        if error.errno != errno.ENODEV:  # the group is empty: a core without links, or a construction that broke off
            raise


def _carry_out(node: EmulatedHost | Core, messages: list[Message]) -> None:
    with node.inside(), NetlinkSocket() as netlink:
        netlink.send(messages)


def _births(fabric: Fabric, core: Core) -> list[Message]:
    """The core's own interfaces, and the links that are made from it: its hosts', and some of those to other cores."""
    address = fabric.addresses[core]
    messages = [link_up(LOOPBACK_INDEX)]
    if fabric.bridged:
        messages.append(new_bridge(_BRIDGE_NAME, _BRIDGE_INDEX, _mac_of(address)))
        messages.append(new_address(_BRIDGE_INDEX, address, ADDRESSES.prefixlen))
        messages.append(new_route(ADDRESSES, _BRIDGE_INDEX, congestion_control=fabric.congestion_control))
    else:
        messages.append(new_address(LOOPBACK_INDEX, address, 32))
    for near in core_ends(core):
        link = near.link
        if isinstance(link, ShapedLink) and link.ends[1] is near:
            messages.append(_birth(fabric, near))
    return messages


def _birth(fabric: Fabric, near: ShapedIntf) -> Message:
    far = near.peer
    pair = [LinkEnd(end.name, end.index, end.MAC() or "", fabric.gso_segments(end)) for end in (near, far)]
    return new_veth_pair(*pair, far_namespace=far.home.namespace, group=_LINK_GROUP)


def _host_face(fabric: Fabric, host: EmulatedHost) -> list[Message]:
    """What makes a host reachable and lets it reach the others."""
    access, address = host.access, host.address
    access.setIP(f"{address}/{ADDRESSES.prefixlen if fabric.bridged else 32}")
    messages = [link_up(LOOPBACK_INDEX), link_up(access.index)]
    if fabric.bridged:
        return [
            *messages,
            new_address(access.index, address, ADDRESSES.prefixlen),
            new_route(ADDRESSES, access.index, congestion_control=fabric.congestion_control),
        ]
    gateway = fabric.addresses[fabric.core_of(host)]
    return [
        *messages,
        new_address(access.index, address, 32),
        new_neighbour(access.index, gateway, access.peer.MAC() or ""),
        new_route(_DEFAULT, access.index, gateway, congestion_control=fabric.congestion_control),
    ]


def _bridge_ports(core: Core) -> list[Message]:
    return [enslave(end.index, _BRIDGE_INDEX) for end in core_ends(core)]


def _routes(fabric: Fabric, core: Core) -> list[Message]:
    """A route to each host of the core, and one to what lies beyond each neighbouring core."""
    messages = []
    for end in core_ends(core):
        home = end.peer.home
        address = fabric.addresses[home] if isinstance(home, Core) else home.address
        messages.append(new_neighbour(end.index, address, end.peer.MAC() or ""))
        if isinstance(home, EmulatedHost):
            messages.append(new_route(IPv4Network(address), end.index, congestion_control=fabric.congestion_control))
    for (trunk, neighbour), addresses in fabric.beyond(core).items():
        gateway, networks = fabric.addresses[neighbour], collapse_addresses(map(IPv4Network, addresses))
        messages += [
            new_route(network, trunk.index, gateway, congestion_control=fabric.congestion_control)
            for network in networks
        ]
    return messages


def _shaper(fabric: Fabric, end: ShapedIntf, *, netem: bool) -> list[Message]:
    born_here = isinstance(end.node, EmulatedHost)
    arriving = fabric.gso_segments(end) if born_here else fabric.largest_super_packet
    return shaping_messages(Egress(end.shape, arriving, netem), end.index)


def _mac_of(address: IPv4Address) -> str:
    return "02:fe:" + ":".join(f"{byte:02x}" for byte in address.packed)
