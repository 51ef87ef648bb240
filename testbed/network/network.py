"""The network as its users see it: hosts that exist inside a `with`, shaped and ready, and are gone after it."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from ipaddress import IPv4Address
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from mininet.link import Link
from mininet.net import Mininet
from mininet.node import Host, Node, Switch
from mininet.topo import Topo

from testbed.network.build.construction import build, demolish
from testbed.network.build.delays import start_delay_boxes, stop_delay_boxes
from testbed.network.build.fabric import ADDRESSES, Fabric
from testbed.network.build.nodes import (
    Core,
    EmulatedHost,
    NodeError,
    ShapedLink,
    make_core,
)
from testbed.network.delaybox import DelayBox
from testbed.network.kernel.features import has_qdisc
from testbed.network.processes.processes import Processes
from testbed.network.sandbox import SandboxError, inside_sandbox

# The rest is the network's own address, its broadcast address, and that of a core.
_MOST_HOSTS: Final = ADDRESSES.num_addresses - 3


class EmulatedMininet(Mininet):
    """Mininet that makes its whole network at once, over netlink."""

    def __init__(self, topo: Topo, congestion_control: str, seed: int) -> None:
        self._congestion_control = congestion_control
        self._seed = seed
        self.delay_boxes: list[DelayBox] = []
        self._fabric: Fabric | None = None
        self._last_mac = 0
        self.settings: dict[str, str] = {}
        # Mininet would raise the machine's own limits here, which are not ours to touch.
        before, Mininet.inited = Mininet.inited, True
        try:
            super().__init__(
                topo,
                switch=make_core,
                host=EmulatedHost,
                link=ShapedLink,
                controller=None,
                ipBase=str(ADDRESSES),
                build=False,
            )
        finally:
            Mininet.inited = before

    def randMac(self) -> str:  # type: ignore[override]  # noqa: N802
        """MACs are counted: the same topology has the same ones each time."""
        self._last_mac += 1
        return "02:" + ":".join(f"{byte:02x}" for byte in self._last_mac.to_bytes(5))

    # The topology's nodes and links come in here, one by one.

    def addHost(self, name: str, cls: object = None, **params: Any) -> Host:  # noqa: N802
        """Take note of a host."""
        _refuse_own_class(name, cls)
        if len(self.hosts) == _MOST_HOSTS:
            raise NodeError(f"{name}: the addresses of {ADDRESSES} are used up, by {_MOST_HOSTS} hosts")
        return super().addHost(name, **params)

    def addSwitch(self, name: str, cls: object = None, **params: Any) -> Switch:  # noqa: N802
        """Take note of a core."""
        _refuse_own_class(name, cls)
        return super().addSwitch(name, **params)

    def addLink(  # noqa: N802
        self,
        node1: Node | str,
        node2: Node | str,
        port1: int | None = None,
        port2: int | None = None,
        cls: object = None,
        **params: Any,
    ) -> Link:
        """Take note of a link."""
        _refuse_own_class(f"{node1} - {node2}", cls)
        return super().addLink(node1, node2, port1, port2, **params)

    @property
    def fabric(self) -> Fabric:
        """What was read from the topology."""
        if self._fabric is None:
            raise NodeError("the network is not built")
        return self._fabric

    def _gather(self) -> Fabric:
        """What Mininet's lists describe."""
        hosts = [host for host in self.hosts if isinstance(host, EmulatedHost)]
        cores = [core for core in self.switches if isinstance(core, Core)]
        links = [link for link in self.links if isinstance(link, ShapedLink)]
        return Fabric(hosts, cores, links, self._congestion_control)

    def build(self) -> None:
        """Read the topology, then make everything that it describes."""
        super().build()
        self._fabric = self._gather()
        self.settings = build(self.fabric, netem=has_qdisc("netem"))
        if not has_qdisc("netem"):
            self.delay_boxes = start_delay_boxes(self.fabric, self._seed)

    def demolish(self) -> None:
        """Remove whatever has been made, be it half a network."""
        stop_delay_boxes(self.delay_boxes)
        self.delay_boxes = []
        if self._fabric is not None:
            demolish(self._fabric)


def _refuse_own_class(what: str, own: object) -> None:
    if own is not None:
        name = getattr(own, "__name__", own)
        raise NodeError(f"{what}: the topology wants the class {name} (cls=...), which is not ours; leave that out")


class Network:
    """An emulated network: `with Network(topology) as network: network.host("h1").start([...])`.

    It must be inside a sandbox (`sandbox.run`), so that whatever happens, nothing of it stays on the machine.

    `seed` is that of jitter and loss where they are ours to draw: the kernel's netem draws its own. `output` is the
    folder for what programs print, by default one that goes with the sandbox. `preload` names modules that
    `start_python` shall find imported.
    """

    def __init__(
        self,
        topology: Topo,
        *,
        congestion_control: str = "cubic",
        seed: int = 0,
        output: Path | None = None,
        preload: Sequence[str] = (),
    ) -> None:
        if not inside_sandbox():
            raise SandboxError("a network needs a sandbox around it: call sandbox.run(function), and make it there")
        self._processes = Processes(output or Path(tempfile.mkdtemp(prefix="output-", dir="/run")), preload)
        self._undo = ExitStack()
        self.mininet = EmulatedMininet(topology, congestion_control, seed)

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self.mininet.demolish)
            self.mininet.start()
            undo.callback(self.mininet.stop)
            undo.callback(self._processes.stop_all)
            for host in self.hosts:
                host.processes = self._processes
            self._undo = undo.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._undo.close()

    def host(self, name: str) -> EmulatedHost:
        """The host of that name."""
        node = self.mininet.nameToNode.get(name)
        if not isinstance(node, EmulatedHost):
            raise NodeError(f"no host {name!r}; there are {', '.join(host.name for host in self.hosts)}")
        return node

    @property
    def hosts(self) -> Sequence[EmulatedHost]:
        """All hosts, in the topology's order."""
        return self.mininet.fabric.hosts

    @property
    def cores(self) -> Sequence[Core]:
        """All cores, in the topology's order."""
        return self.mininet.fabric.cores

    @property
    def links(self) -> Sequence[ShapedLink]:
        """All links: hosts' access links, and those between cores."""
        return self.mininet.fabric.links

    def address_of(self, core: Core) -> IPv4Address:
        """The address of a core."""
        return self.mininet.fabric.addresses[core]

    @property
    def settings(self) -> dict[str, str]:
        """The kernel settings that were written into each host."""
        return self.mininet.settings

    @property
    def congestion_control(self) -> str:
        """That of every route, and so of every TCP connection whose program does not choose another."""
        return self.mininet.fabric.congestion_control
