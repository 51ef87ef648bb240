"""Second addresses, for hosts that leave and come back under another identity."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network

from testbed.errors import TrialError
from testbed.network import EmulatedHost, Network
from testbed.network.kernel.messages import new_address, new_neighbour, new_route
from testbed.network.kernel.netlink import NetlinkSocket
from testbed.values.costs import ADDRESSES, RETURN_DISTANCE


def give_return_addresses(network: Network, returning: Collection[str]) -> dict[str, str]:
    """Give each of these hosts a second address, and return the addresses by the host's name."""
    if returning and (len(network.hosts) >= RETURN_DISTANCE or network.mininet.fabric.bridged):
        raise TrialError("hosts that come back need a routed core and fewer than 65536 hosts")
    return {name: str(_give_address(network, network.host(name))) for name in returning}


def _give_address(network: Network, host: EmulatedHost) -> IPv4Address:
    fabric = network.mininet.fabric
    second, near, far = host.address + RETURN_DISTANCE, host.access, host.access.peer
    if second not in ADDRESSES:
        raise TrialError(f"{host.name}: there is no second address for {host.address}")
    algorithm = fabric.congestion_control
    with host.inside(), NetlinkSocket() as netlink:
        netlink.send([new_address(near.index, second, 32)])
    route = new_route(IPv4Network(second), far.index, congestion_control=algorithm)
    with far.home.inside(), NetlinkSocket() as netlink:
        netlink.send([new_neighbour(far.index, second, near.MAC() or ""), route])
    for core in network.cores:
        for (trunk, gateway), reached in fabric.beyond(core).items():
            if host.address in reached:
                through = fabric.addresses[gateway]
                onward = new_route(IPv4Network(second), trunk.index, through, congestion_control=algorithm)
                with core.inside(), NetlinkSocket() as netlink:
                    netlink.send([onward])
    return second
