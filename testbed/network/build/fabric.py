"""The network to build, read from Mininet's lists: hosts, cores and links, with their addresses and paths.

Nothing here touches the kernel.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address
from typing import Final

from testbed.network.build.nodes import (
    BridgeCore,
    Core,
    EmulatedHost,
    NodeError,
    ShapedIntf,
    ShapedLink,
)
from testbed.values.costs import ADDRESSES

_BRIDGE_PORTS: Final = 1023

# A core's end of a link to another core, and that core.
Trunk = tuple[ShapedIntf, Core]


@dataclass(frozen=True, eq=False)
class Fabric:
    """The hosts, cores and links of a network, and their addresses."""

    hosts: Sequence[EmulatedHost]
    cores: Sequence[Core]
    links: Sequence[ShapedLink]
    congestion_control: str
    addresses: Mapping[Core, IPv4Address] = field(init=False)

    def __post_init__(self) -> None:
        addresses = {core: ADDRESSES.broadcast_address - 1 - k for k, core in enumerate(self.cores)}
        object.__setattr__(self, "addresses", addresses)
        self._check()

    def _check(self) -> None:
        taken = {ADDRESSES.network_address, ADDRESSES.broadcast_address, *self.addresses.values()}
        for host in self.hosts:
            _ = host.access
            address = _address_of(host)
            if address not in ADDRESSES or address in taken:
                raise NodeError(f"{host.name}: {address} is taken already, or not in {ADDRESSES}, the range of hosts")
            taken.add(address)
        if len({type(core) for core in self.cores}) > 1:
            raise NodeError("the cores of a network all route or all bridge")
        for core in self.cores:
            if isinstance(core, BridgeCore) and len(core.ports) > _BRIDGE_PORTS:
                raise NodeError(f"{core.name}: a bridge has at most {_BRIDGE_PORTS} ports; use forwarding='route'")

    @property
    def ends(self) -> Iterable[ShapedIntf]:
        """Every end of every link."""
        return (end for link in self.links for end in link.ends)

    @property
    def bridged(self) -> bool:
        """Whether the cores are bridges."""
        return any(isinstance(core, BridgeCore) for core in self.cores)

    @cached_property
    def largest_super_packet(self) -> int | None:
        """How many segments a packet that arrives at a core can hold; None without a limit."""
        bounds = [end.shape.gso_segments for end in self.ends]
        if any(end.shape.impairment.is_random for end in self.ends):
            return 1  # a loss or a delay must hit one packet of the wire, from whichever link it came
        return None if None in bounds else max((bound for bound in bounds if bound), default=1)

    def gso_segments(self, end: ShapedIntf) -> int | None:
        """Return how many segments a packet that is sent at this end may hold; None without a limit."""
        bounds = [bound for bound in (end.shape.gso_segments, self.largest_super_packet) if bound]
        return min(bounds, default=None)

    def core_of(self, host: EmulatedHost) -> Core:
        """Return the core at the other end of a host's access link."""
        core = host.access.peer.home
        if not isinstance(core, Core):
            raise NodeError(f"{host.name}: its link leads to {core.name}, which is not a core")
        return core

    def trunks_of(self, core: Core) -> Iterator[Trunk]:
        """Yield the core's ends of links to other cores, each with that other core."""
        for end in core.intfs.values():
            if isinstance(end, ShapedIntf) and isinstance(other := end.peer.home, Core):
                yield end, other

    def first_trunks(self, core: Core) -> dict[Core, Trunk]:
        """Return the first trunk of the shortest path from a core to each other core."""
        through: dict[Core, Trunk] = {}
        frontier: deque[tuple[Core, Trunk | None]] = deque([(core, None)])
        while frontier:
            here, first = frontier.popleft()
            for trunk in self.trunks_of(here):
                other = trunk[1]
                if other is not core and other not in through:
                    through[other] = first or trunk
                    frontier.append((other, through[other]))
        return through

    def path(self, source: EmulatedHost, destination: EmulatedHost) -> list[ShapedIntf]:
        """Return the link ends at which a packet leaves each node of its path."""
        here, goal = self.core_of(source), self.core_of(destination)
        ends = [source.access]
        while here is not goal:
            end, here = self.first_trunks(here)[goal]
            ends.append(end)
        return [*ends, destination.access.peer]

    def beyond(self, core: Core) -> dict[Trunk, list[IPv4Address]]:
        """Return, for each trunk of a core, the addresses that are reached through it."""
        reached: dict[Trunk, list[IPv4Address]] = {}
        for other, trunk in self.first_trunks(core).items():
            reached.setdefault(trunk, []).extend([self.addresses[other], *self._addresses_at[other]])
        return reached

    @cached_property
    def _addresses_at(self) -> dict[Core, list[IPv4Address]]:
        homes: dict[Core, list[IPv4Address]] = {core: [] for core in self.cores}
        for host in self.hosts:
            homes[self.core_of(host)].append(host.address)
        return homes


def _address_of(host: EmulatedHost) -> IPv4Address:
    try:
        return host.address
    except ValueError as error:
        raise NodeError(f"{host.name}: {host.params['ip']!r} is not an IPv4 address") from error


def core_ends(core: Core) -> list[ShapedIntf]:
    """Return a core's ends of its links, in the order of its ports."""
    return [end for _, end in sorted(core.intfs.items()) if isinstance(end, ShapedIntf)]
