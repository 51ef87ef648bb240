"""Building a network: namespaces, interfaces, routes and shapers, in that order.

Every node is a network namespace. A link is a pair of interfaces, created from the core's side with the far end in the
other node's namespace. A routed core never broadcasts:

    h1 198.18.0.1/32                    s1 198.19.255.254/32 (on its loopback)
      default via 198.19.255.254          198.18.0.1/32 dev s1-eth1
      198.19.255.254 is at 02:..          198.18.0.1 is at 02:..          (permanent, both)

Between cores, a route for the collapsed networks of all hosts beyond each neighbouring core.
"""

import errno
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, collapse_addresses
from typing import Final, TypeAlias

from contract.wording import counted
from testbed.network.build.fabric import Fabric, core_ends
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
from testbed.values.costs import ADDRESSES

_DEFAULT: Final = IPv4Network("0.0.0.0/0")
_LINK_GROUP: Final = 4711
_BRIDGE_INDEX: Final = 500
_BRIDGE_NAME: Final = "bridge"
_TIMEOUT_SECONDS: Final = 30
_POLL_SECONDS: Final = 0.001


Tell: TypeAlias = Callable[[str, int, int], None]
"""Called with what is done, how often it has been done, and how often it has to be."""


def untold(_step: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def build_network(fabric: Fabric, *, netem: bool, tell: Tell = untold) -> dict[str, str]:
    """Build everything, and return the settings written in each host."""
    settings = {**sysctls.QUIET_IPV6, **sysctls.TCP}
    written: dict[str, str] = {}
    for done, host in enumerate(fabric.hosts):
        tell("creating hosts", done, len(fabric.hosts))
        written = host.make_namespace({**sysctls.NO_FORWARDING, **settings})
    for core in fabric.cores:
        core.make_namespace({**settings, **sysctls.FORWARDING, **sysctls.BRIDGE})
    tell("connecting hosts", 0, len(fabric.hosts))
    for core in fabric.cores:
        _send(core, _core_interfaces(fabric, core))
    for done, host in enumerate(fabric.hosts):
        tell("connecting hosts", done, len(fabric.hosts))
        _send(host, [*_host_interfaces(fabric, host), *_shaper(fabric, host.access, netem=netem)])
    for core in fabric.cores:
        _send(core, [link_up(trunk.index) for trunk, _ in fabric.trunks_of(core)])
    for core in fabric.cores:
        _send(core, _bridge_ports(core) if fabric.bridged else _routes(fabric, core))
        _send(core, [message for end in core_ends(core) for message in _shaper(fabric, end, netem=netem)])
    for core in fabric.cores:
        _wait_for_links(core)
    return written


def _wait_for_links(core: Core) -> None:
    """Wait until all ends at a core are in operation; those at hosts already are, since they were brought up last."""
    needed = {end.index for end in core_ends(core)}
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    with core.inside(), NetlinkSocket() as netlink:
        while idle := needed.difference(links_in_operation(netlink)):
            if time.monotonic() > deadline:
                raise NodeError(
                    f"{core.name}: {counted(len(idle), 'link')} not in operation after {_TIMEOUT_SECONDS} s"
                )
            time.sleep(_POLL_SECONDS)


def remove_network(fabric: Fabric) -> None:
    """Remove all links and release the namespaces."""
    for core in fabric.cores:
        if core.is_made:
            _delete_links(core)
    for node in (*fabric.hosts, *fabric.cores):
        node.release_namespace()


def _delete_links(core: Core) -> None:
    try:
        _send(core, [delete_link_group(_LINK_GROUP)])
    except NetlinkError as error:
        if error.errno != errno.ENODEV:  # the group is empty: a core without links, or an unfinished build
            raise


def _send(node: EmulatedHost | Core, messages: list[Message]) -> None:
    with node.inside(), NetlinkSocket() as netlink:
        netlink.send(messages)


def _core_interfaces(fabric: Fabric, core: Core) -> list[Message]:
    """Create the core's own interfaces and the links that start at it: to its hosts, and to some of the other cores."""
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
            messages.append(_link_to(fabric, near))
    return messages


def _link_to(fabric: Fabric, near: ShapedIntf) -> Message:
    far = near.peer
    pair = [LinkEnd(end.name, end.index, end.MAC() or "", fabric.gso_segments(end)) for end in (near, far)]
    return new_veth_pair(*pair, far_namespace=far.home.namespace, group=_LINK_GROUP)


def _host_interfaces(fabric: Fabric, host: EmulatedHost) -> list[Message]:
    """Bring up a host's access link, with its address and its route to everyone else."""
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
    """Routes to each host of the core, and to everything behind each neighbouring core."""
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
    is_at_host = isinstance(end.node, EmulatedHost)
    arriving = fabric.gso_segments(end) if is_at_host else fabric.largest_super_packet
    return shaping_messages(Egress(end.shape, arriving, netem), end.index)


def _mac_of(address: IPv4Address) -> str:
    return "02:fe:" + ":".join(f"{byte:02x}" for byte in address.packed)
