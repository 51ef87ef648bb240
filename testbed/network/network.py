"""An emulated network as a context manager: inside the `with` its hosts exist, shaped and ready."""

import resource
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from ipaddress import IPv4Address
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mininet.link import Link
from mininet.net import Mininet
from mininet.node import Host, Node, Switch
from mininet.topo import Topo

from testbed.network.build.build import Tell, build_network, remove_network, untold
from testbed.network.build.delays import start_delay_boxes, stop_delay_boxes
from testbed.network.build.fabric import Fabric, core_ends
from testbed.network.build.nodes import (
    Core,
    EmulatedHost,
    NodeError,
    ShapedIntf,
    ShapedLink,
    make_core,
)
from testbed.network.delaybox import DelayBox
from testbed.network.features import has_qdisc
from testbed.network.processes.processes import Process, Processes
from testbed.network.sandbox import SandboxError, inside_sandbox
from testbed.values.costs import ADDRESSES, MOST_HOSTS, open_files


class EmulatedMininet(Mininet):
    """Mininet whose whole network is built in one pass, over netlink."""

    def __init__(self, topo: Topo, congestion_control: str, seed: int, tell: Tell = untold) -> None:
        self._congestion_control = congestion_control
        self._seed = seed
        self._tell = tell
        self.delay_boxes: list[DelayBox] = []
        self._fabric: Fabric | None = None
        self._last_mac = 0
        self.settings: dict[str, str] = {}
        # Mininet would raise machine-wide limits here; the testbed never changes the machine.
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
        """Number MACs in order, so that the same topology gets the same ones each time."""
        self._last_mac += 1
        return "02:" + ":".join(f"{byte:02x}" for byte in self._last_mac.to_bytes(5))

    # Mininet calls these for each node and link of the topology.

    def addHost(self, name: str, cls: object = None, **params: Any) -> Host:  # noqa: N802
        """Record a host; `build` makes it."""
        _refuse_own_class(name, cls)
        if len(self.hosts) == MOST_HOSTS:
            raise NodeError(f"{name}: no address of {ADDRESSES} is left after {MOST_HOSTS} hosts")
        return super().addHost(name, **params)

    def addSwitch(self, name: str, cls: object = None, **params: Any) -> Switch:  # noqa: N802
        """Record a core; `build` makes it."""
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
        """Record a link; `build` makes it."""
        _refuse_own_class(f"{node1} - {node2}", cls)
        return super().addLink(node1, node2, port1, port2, **params)

    @property
    def fabric(self) -> Fabric:
        """The hosts, cores and links of the topology, with their addresses."""
        if self._fabric is None:
            raise NodeError("the network is not built")
        return self._fabric

    def _gather(self) -> Fabric:
        hosts = [host for host in self.hosts if isinstance(host, EmulatedHost)]
        cores = [core for core in self.switches if isinstance(core, Core)]
        links = [link for link in self.links if isinstance(link, ShapedLink)]
        return Fabric(hosts, cores, links, self._congestion_control)

    def build(self) -> None:
        """Read the topology, then build everything in it."""
        super().build()
        self._fabric = self._gather()
        self.settings = build_network(self.fabric, netem=has_qdisc("netem"), tell=self._tell)
        if not has_qdisc("netem"):
            self.delay_boxes = start_delay_boxes(self.fabric, self._seed)

    def remove(self) -> None:
        """Remove everything that was built, even half a network."""
        stop_delay_boxes(self.delay_boxes)
        self.delay_boxes = []
        if self._fabric is not None:
            remove_network(self._fabric)


def _refuse_own_class(what: str, own: object) -> None:
    if own is not None:
        name = getattr(own, "__name__", own)
        raise NodeError(
            f"{what}: the topology names the class {name} (cls=...), which the testbed cannot build: leave out `cls`"
        )


def _allow_open_files(needed: int) -> None:
    """Raise this process's own limit, if that is too small; programs that it starts inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        within = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (within, hard))


class Network:
    """An emulated network: `with Network(topology) as network: network.host("h1").start([...])`.

    It must be inside a sandbox (`sandbox.run`), so that nothing of it can remain on the machine.

    `seed` seeds jitter and loss where the delay box draws them; the kernel's netem draws its own. Programs' output goes
    to files in `output`, by default a folder that disappears with the sandbox. `preload` names modules to import once,
    before `start_python` forks. `tell` is told how many hosts are created and connected while the network is built.
    """

    def __init__(
        self,
        topology: Topo,
        *,
        congestion_control: str = "cubic",
        seed: int = 0,
        output: Path | None = None,
        preload: Sequence[str] = (),
        tell: Tell = untold,
    ) -> None:
        if not inside_sandbox():
            raise SandboxError(
                "a network needs a sandbox: call sandbox.run(function), and create the network in that function"
            )
        self._processes = Processes(output or Path(tempfile.mkdtemp(prefix="output-", dir="/run")), preload)
        self._undo = ExitStack()
        self._host_count = len(topology.hosts())
        self.mininet = EmulatedMininet(topology, congestion_control, seed, tell)

    def __enter__(self) -> Self:
        # Each host may have a capture too, whose process takes one more.
        _allow_open_files(open_files(self._host_count) + self._host_count)
        with ExitStack() as undo:
            undo.callback(self.mininet.remove)
            self.mininet.start()
            undo.callback(self.mininet.stop)
            undo.callback(self._processes.stop_all)
            for host in self.hosts:
                host.processes = self._processes
            self._undo = undo.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._undo.close()

    def start_python(self, node: EmulatedHost | Core, module: str, arguments: Sequence[str | Path] = ()) -> Process:
        """Run a module on a host or in a core, forked from the same interpreter as `EmulatedHost.start_python` does."""
        return self._processes.start_python(node, module, arguments)

    def host(self, name: str) -> EmulatedHost:
        """Return the host with this name."""
        node = self.mininet.nameToNode.get(name)
        if not isinstance(node, EmulatedHost):
            raise NodeError(f"no host {name!r}; there are {', '.join(host.name for host in self.hosts)}")
        return node

    @property
    def delay_boxes(self) -> Sequence[DelayBox]:
        """The boxes that stand in for netem; none where the kernel has it, or nothing is delayed."""
        return self.mininet.delay_boxes

    @property
    def hosts(self) -> Sequence[EmulatedHost]:
        """All hosts, in the order of the topology."""
        return self.mininet.fabric.hosts

    @property
    def cores(self) -> Sequence[Core]:
        """All cores, in the order of the topology."""
        return self.mininet.fabric.cores

    def access_ends(self, core: Core) -> list[ShapedIntf]:
        """Return a core's ends of its hosts' access links, in the order of its ports."""
        return [end for end in core_ends(core) if isinstance(end.peer.home, EmulatedHost)]

    @property
    def links(self) -> Sequence[ShapedLink]:
        """All links: hosts' access links, and those between cores."""
        return self.mininet.fabric.links

    def address_of(self, core: Core) -> IPv4Address:
        """Return the address of a core."""
        return self.mininet.fabric.addresses[core]

    @property
    def settings(self) -> dict[str, str]:
        """The kernel settings written in each host."""
        return self.mininet.settings

    @property
    def congestion_control(self) -> str:
        """The congestion control of every route, hence of every TCP connection whose program chooses no other."""
        return self.mininet.fabric.congestion_control
