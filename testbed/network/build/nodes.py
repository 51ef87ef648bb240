"""Mininet's nodes and links, made to describe: constructors record what is wanted, `construction` makes it all at once.

Plain Mininet runs a shell in each node and several commands for each interface while it reads a topology. Here a node
is a network namespace without a process; a shell starts in it only when somebody types a command at it, so that
Mininet's own CLI and API (`cmd`, `popen`, `pexec`, ...) keep working.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Any, ClassVar, Final

from mininet.link import Intf, Link
from mininet.node import Controller, Host, Node, Switch

from testbed.errors import ExplainedError
from testbed.network.kernel.syscalls import (
    CLONE_NEWNET,
    inside_network_namespace,
    open_network_namespace,
    setns,
    unshare,
)
from testbed.network.links.shape import Shape, ShapeError, Side
from testbed.network.processes.processes import Process, Processes
from testbed.network.sandbox.sysctls import write_sysctls

_MAX_INTERFACE_NAME: Final = 15
_HOST_PORT_INDEX: Final = 100
_CORE_PORT_INDEX: Final = 1000
_FAR_TRUNK_INDEX: Final = 100_000


class NodeError(ExplainedError, ValueError):
    """A topology asks for a node or link that this network cannot be made of."""


class _NamespaceNode(Node):
    """A node that is a network namespace of its own, known by a descriptor."""

    isSetup: ClassVar[bool] = True  # noqa: N815 - Mininet would look for commands that we do not run

    def __init__(self, name: str, inNamespace: bool = True, **params: Any) -> None:  # noqa: N803
        if not inNamespace or params.get("privateDirs"):
            raise NodeError(
                f"{name}: a node has a network namespace and shares the sandbox's files; nothing else works"
            )
        self._namespace: int | None = None
        super().__init__(name, inNamespace=True, **params)

    @property
    def namespace(self) -> int:
        """A descriptor of the node's network namespace."""
        if self._namespace is None:
            raise NodeError(f"{self.name} has no network namespace: the network is not built, or is gone")
        return self._namespace

    @property
    def is_made(self) -> bool:
        """Whether the node has its namespace."""
        return self._namespace is not None

    def make_namespace(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Give the node its namespace with these settings; those that this kernel has are returned."""
        home = open_network_namespace()
        try:
            unshare(CLONE_NEWNET)
            self._namespace = open_network_namespace()
            return write_sysctls(settings)
        finally:
            setns(home, CLONE_NEWNET)
            os.close(home)

    def release_namespace(self) -> None:
        """Let the kernel free the namespace once its last process is gone."""
        if self._namespace is not None:
            os.close(self._namespace)
            self._namespace = None

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets made and programs started here by the calling thread belong to this node."""
        with inside_network_namespace(self.namespace):
            yield

    # What Mininet expects of a node, done without a shell until one is needed.

    def startShell(self, mnopts: str | None = None) -> None:  # noqa: N802
        """Called while a node is being made, when there is nothing yet for a shell to be in."""
        if self._namespace is not None:
            super().startShell(mnopts)

    def _popen(self, cmd: Sequence[str], **params: Any) -> subprocess.Popen[Any]:
        """Start a program in the node; where Mininet would have `mnexec` enter a namespace, we have entered it."""
        options = {**params, "start_new_session": True, "close_fds": True}
        with self.inside():
            return subprocess.Popen(cmd[2:] if cmd[0] == "mnexec" else cmd, **options)

    def popen(self, *args: Any, **kwargs: Any) -> subprocess.Popen[Any]:
        """Mininet's way to start a program in the node."""
        return super().popen(*args, **{**kwargs, "mncmd": []})

    def sendCmd(self, *args: Any, **kwargs: Any) -> None:  # noqa: N802
        """Type a command at the node's shell, which starts with the first."""
        if self.shell is None:
            self.startShell()
        super().sendCmd(*args, **kwargs)

    def cmd(self, *args: Any, **kwargs: Any) -> str | None:
        """Type a command at the node's shell and return its output."""
        if self.shell is None:
            self.startShell()
        return super().cmd(*args, **kwargs)

    def newPort(self) -> int:  # noqa: N802
        """Ports are numbered in order; Mininet would search all of them each time."""
        return self.portBase + len(self.ports)

    def config(self, **_params: Any) -> dict[str, Any]:  # type: ignore[override]
        """Everything has been described by now, and will be made at once."""
        return {}


class EmulatedHost(_NamespaceNode, Host):
    """A host: one network namespace, one access link, and the programs that run on it."""

    def __init__(self, name: str, **params: Any) -> None:
        super().__init__(name, **params)
        self.processes: Processes | None = None

    @cached_property
    def interface_address(self) -> IPv4Interface:
        """The address with the prefix that Mininet gave it."""
        return IPv4Interface(self.params["ip"])

    @property
    def address(self) -> IPv4Address:
        """The host's address."""
        return self.interface_address.ip

    @property
    def access(self) -> "ShapedIntf":
        """The host's end of its access link; its shape is the way up."""
        if len(self.intfs) != 1:
            raise NodeError(f"host {self.name} has {len(self.intfs)} links: a host has one access link, to a core")
        return _shaped(next(iter(self.intfs.values())))

    def start(
        self, argv: Sequence[str | Path], *, output: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Process:
        """Start a program on the host. What it prints goes to `output`.out and .err, or to a folder of the network."""
        return self._launcher.start(self, argv, output=output, env=env)

    def start_python(self, module: str, arguments: Sequence[str | Path] = (), *, output: Path | None = None) -> Process:
        """Run a module as `python -m` would, forked from an interpreter that has imported it already."""
        return self._launcher.start_python(self, module, arguments, output=output)

    @property
    def _launcher(self) -> Processes:
        if self.processes is None:
            raise NodeError(f"host {self.name} is not in a running network")
        return self.processes


class Core(_NamespaceNode, Switch):
    """What hosts' access links lead to; behind Mininet's Switch interface, without a controller."""

    controlIntf: Intf | None = None  # noqa: N815

    def __init__(self, name: str, **params: Any) -> None:
        options = {"dpid": "1", **params, "inNamespace": True}
        super().__init__(name, **options)

    def start(self, controllers: Sequence[Controller]) -> None:
        """Nothing to do: a core forwards from the moment it has been made."""

    def stop(self, deleteIntfs: bool = True) -> None:  # noqa: N803
        """Nothing to do: links go with the network, all at once."""


class RoutedCore(Core):
    """A core that routes: a /32 route and a permanent neighbour for each host, so no ARP and no limit on ports."""


class BridgeCore(Core):
    """A core that is an Ethernet bridge, for a topology that wants a broadcast domain; at most 1023 ports."""


def make_core(name: str, forwarding: str = "route", **params: Any) -> Core:
    """The core that a topology's `addSwitch(name, forwarding=...)` asks for."""
    kinds: dict[str, type[Core]] = {"route": RoutedCore, "bridge": BridgeCore}
    if forwarding not in kinds:
        raise NodeError(f"{name}: forwarding {forwarding!r}: possible are {', '.join(map(repr, kinds))}")
    return kinds[forwarding](name, **params)


class ShapedIntf(Intf):
    """One end of a link, and the shape of the direction that leaves by it."""

    shape: Shape

    @property
    def index(self) -> int:
        """The interface's index in its namespace, ours to choose since nobody else makes interfaces there.

        The two ends of a link must differ: Linux sees by this that an interface has a peer, and is then quick (not up
        to a second late) to take note when the peer is switched on.
        """
        if isinstance(self.node, Host):
            base = _HOST_PORT_INDEX
        else:
            is_far_end = self.link is not None and self is self.link.intf2 and isinstance(self.link.intf1.node, Switch)
            base = _FAR_TRUNK_INDEX if is_far_end else _CORE_PORT_INDEX
        return base + self.node.ports[self]

    @property
    def home(self) -> EmulatedHost | Core:
        """The node that this end is at."""
        if not isinstance(self.node, EmulatedHost | Core):
            raise NodeError(f"{self.node.name} is neither host nor core: a topology must not name its own node classes")
        return self.node

    @property
    def peer(self) -> "ShapedIntf":
        """The other end of the link."""
        link = self.link
        if link is None:
            raise NodeError(f"{self.name} is no end of a link")
        return _shaped(link.intf2 if link.intf1 is self else link.intf1)

    def config(  # type: ignore[override]
        self,
        mac: str | None = None,
        ip: str | None = None,
        **parameters: Any,
    ) -> dict[str, Any]:
        """Take note of what is asked of this end."""
        if len(self.name) > _MAX_INTERFACE_NAME:
            raise NodeError(
                f"interface name {self.name!r} is longer than Linux allows, {_MAX_INTERFACE_NAME} characters"
            )
        self.mac, self.ip = mac or self.mac, ip
        side: Side = "host" if isinstance(self.node, Host) else "core"
        try:
            self.shape = Shape.from_mininet(parameters, side)
        except ShapeError as error:
            raise ShapeError(f"{self.name}: {error}") from error
        return {}

    def setIP(self, ipstr: str, prefixLen: int | None = None) -> None:  # noqa: N802, N803
        """Take note of the address."""
        self.ip, _, prefix = ipstr.partition("/")
        self.prefixLen = prefix or prefixLen

    def updateIP(self) -> str | None:  # noqa: N802
        """The address is what we made it; no need to ask the system."""
        return self.ip


def _shaped(intf: Intf) -> ShapedIntf:
    if not isinstance(intf, ShapedIntf):
        raise NodeError(f"{intf.name} was made by {type(intf).__name__}: a topology must not name its own intf class")
    return intf


class ShapedLink(Link):
    """A link whose ends are shaped as Mininet's own parameters (`bw`, `delay`, ...) say."""

    def __init__(self, node1: Node, node2: Node, **params: Any) -> None:
        if isinstance(node1, Host) and isinstance(node2, Host):
            raise NodeError(f"{node1.name} - {node2.name}: a host's link leads to a core, not to another host")
        super().__init__(node1, node2, **{**params, "cls1": ShapedIntf, "cls2": ShapedIntf})

    @property
    def ends(self) -> tuple[ShapedIntf, ShapedIntf]:
        """Both ends; where one is a host's, that one first."""
        ends = _shaped(self.intf1), _shaped(self.intf2)
        return (ends[1], ends[0]) if isinstance(ends[1].node, Host) else ends

    @classmethod
    def makeIntfPair(cls, *_args: Any, **_kwargs: Any) -> None:  # noqa: N802
        """Interfaces are made all at once, later."""

    def stop(self) -> None:
        """Interfaces go all at once, with the network."""
