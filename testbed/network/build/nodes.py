"""Mininet's nodes and links that only record what a topology asks for; `build` then makes everything in one pass.

Plain Mininet runs a shell in each node and several commands for each interface while it reads a topology. Here a node
is a network namespace without a process. A shell starts at the first command, so that Mininet's own CLI and API (`cmd`,
`popen`, `pexec`, ...) keep working.
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
    """A topology asks for a node or link that the testbed cannot build."""


class _NamespaceNode(Node):
    """A node that is a network namespace, held by a file descriptor."""

    isSetup: ClassVar[bool] = True  # noqa: N815 - otherwise Mininet looks for commands that are never run

    def __init__(self, name: str, inNamespace: bool = True, **params: Any) -> None:  # noqa: N803
        if not inNamespace or params.get("privateDirs"):
            raise NodeError(
                f"{name}: every node has a network namespace and shares the sandbox's files:"
                " leave out inNamespace and privateDirs"
            )
        self._namespace: int | None = None
        super().__init__(name, inNamespace=True, **params)

    @property
    def namespace(self) -> int:
        """A file descriptor of the node's network namespace."""
        if self._namespace is None:
            raise NodeError(f"{self.name} has no network namespace: the network is not built, or was removed")
        return self._namespace

    @property
    def is_made(self) -> bool:
        """Whether the node has its namespace."""
        return self._namespace is not None

    def make_namespace(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Create the node's namespace with these settings, and return those that this kernel has."""
        home = open_network_namespace()
        try:
            unshare(CLONE_NEWNET)
            self._namespace = open_network_namespace()
            return write_sysctls(settings)
        finally:
            setns(home, CLONE_NEWNET)
            os.close(home)

    def release_namespace(self) -> None:
        """Release the namespace: the kernel frees it with its last process."""
        if self._namespace is not None:
            os.close(self._namespace)
            self._namespace = None

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets created and programs started by the calling thread inside the `with` belong to this node."""
        with inside_network_namespace(self.namespace):
            yield

    # Mininet's interface of a node, without a shell until one is needed.

    def startShell(self, mnopts: str | None = None) -> None:  # noqa: N802
        """Mininet calls this while it creates the node, before there is a namespace to start a shell in."""
        if self._namespace is not None:
            super().startShell(mnopts)

    def _popen(self, cmd: Sequence[str], **params: Any) -> subprocess.Popen[Any]:
        """Start a program in the node: the thread enters the namespace, so `mnexec` is not needed."""
        options = {**params, "start_new_session": True, "close_fds": True}
        with self.inside():
            return subprocess.Popen(cmd[2:] if cmd[0] == "mnexec" else cmd, **options)

    def popen(self, *args: Any, **kwargs: Any) -> subprocess.Popen[Any]:
        """Start a program in the node, as Mininet does."""
        return super().popen(*args, **{**kwargs, "mncmd": []})

    def sendCmd(self, *args: Any, **kwargs: Any) -> None:  # noqa: N802
        """Type a command at the node's shell, starting it first if needed."""
        if self.shell is None:
            self.startShell()
        super().sendCmd(*args, **kwargs)

    def cmd(self, *args: Any, **kwargs: Any) -> str | None:
        """Type a command at the node's shell and return its output."""
        if self.shell is None:
            self.startShell()
        return super().cmd(*args, **kwargs)

    def newPort(self) -> int:  # noqa: N802
        """Number ports in order; Mininet would search all of them each time."""
        return self.portBase + len(self.ports)

    def config(self, **_params: Any) -> dict[str, Any]:  # type: ignore[override]
        """Do nothing: everything is recorded, and `build` makes it."""
        return {}


class EmulatedHost(_NamespaceNode, Host):
    """A host: one network namespace, one access link, and the programs that run on it."""

    def __init__(self, name: str, **params: Any) -> None:
        super().__init__(name, **params)
        self.processes: Processes | None = None

    @cached_property
    def interface_address(self) -> IPv4Interface:
        """The host's address with the prefix length that Mininet assigned."""
        return IPv4Interface(self.params["ip"])

    @property
    def address(self) -> IPv4Address:
        """The host's address."""
        return self.interface_address.ip

    @property
    def access(self) -> "ShapedIntf":
        """The host's end of its access link; its shape is that of the uplink."""
        if len(self.intfs) != 1:
            raise NodeError(f"host {self.name} has {len(self.intfs)} links: a host has one access link, to a core")
        return _shaped(next(iter(self.intfs.values())))

    def start(
        self, argv: Sequence[str | Path], *, output: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Process:
        """Start a program on the host; its output goes to `output`.out and .err, by default in the network's folder."""
        return self._launcher.start(self, argv, output=output, env=env)

    def start_python(
        self, module: str, arguments: Sequence[str | Path] = (), *, output: Path | None = None, isolated: bool = False
    ) -> Process:
        """Run a module as `python -m` does, forked from an interpreter that has already imported it.

        An isolated program cannot signal others, what it starts ends with it, and its memory is limited. It must have
        a handler for SIGTERM, as process 1 of a pid namespace is not ended by it otherwise.
        """
        return self._launcher.start_python(self, module, arguments, output=output, isolated=isolated)

    @property
    def _launcher(self) -> Processes:
        if self.processes is None:
            raise NodeError(f"host {self.name} is not in a running network")
        return self.processes


class Core(_NamespaceNode, Switch):
    """The node that access links lead to; it has Mininet's Switch interface, and no controller."""

    controlIntf: Intf | None = None  # noqa: N815

    def __init__(self, name: str, **params: Any) -> None:
        options = {"dpid": "1", **params, "inNamespace": True}
        super().__init__(name, **options)

    def start(self, controllers: Sequence[Controller]) -> None:
        """Do nothing: a core forwards as soon as it is built."""

    def stop(self, deleteIntfs: bool = True) -> None:  # noqa: N803
        """Do nothing: links are removed with the network, in one pass."""


class RoutedCore(Core):
    """A core that routes: a /32 route and a permanent neighbour entry for each host; no ARP, no limit on ports."""


class BridgeCore(Core):
    """A core that is an Ethernet bridge, for a topology that needs a broadcast domain; at most 1023 ports."""


def make_core(name: str, forwarding: str = "route", **params: Any) -> Core:
    """Return the kind of core that `addSwitch(name, forwarding=...)` asks for."""
    kinds: dict[str, type[Core]] = {"route": RoutedCore, "bridge": BridgeCore}
    if forwarding not in kinds:
        raise NodeError(f"{name}: forwarding {forwarding!r}: write {' or '.join(map(repr, kinds))}")
    return kinds[forwarding](name, **params)


class ShapedIntf(Intf):
    """One end of a link, with the shape of the direction that leaves there."""

    shape: Shape

    @property
    def index(self) -> int:
        """The interface's index in its namespace, chosen here: nothing else creates interfaces there.

        The two ends of a link must differ: by this Linux recognises that an interface has a peer, and then notices at
        once (and not up to a second later) when the peer comes up.
        """
        if isinstance(self.node, Host):
            base = _HOST_PORT_INDEX
        else:
            is_far_end = self.link is not None and self is self.link.intf2 and isinstance(self.link.intf1.node, Switch)
            base = _FAR_TRUNK_INDEX if is_far_end else _CORE_PORT_INDEX
        return base + self.node.ports[self]

    @property
    def home(self) -> EmulatedHost | Core:
        """The node at this end."""
        if not isinstance(self.node, EmulatedHost | Core):
            raise NodeError(f"{self.node.name} is neither host nor core: a topology must not name its own node classes")
        return self.node

    @property
    def peer(self) -> "ShapedIntf":
        """The other end of the link."""
        link = self.link
        if link is None:
            raise NodeError(f"{self.name} is not an end of a link")
        return _shaped(link.intf2 if link.intf1 is self else link.intf1)

    def config(  # type: ignore[override]
        self,
        mac: str | None = None,
        ip: str | None = None,
        **parameters: Any,
    ) -> dict[str, Any]:
        """Record the shape of this end."""
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
        """Record the address."""
        self.ip, _, prefix = ipstr.partition("/")
        self.prefixLen = prefix or prefixLen

    def updateIP(self) -> str | None:  # noqa: N802
        """Return the recorded address; the system need not be asked."""
        return self.ip


def _shaped(intf: Intf) -> ShapedIntf:
    if not isinstance(intf, ShapedIntf):
        raise NodeError(f"{intf.name} was made by {type(intf).__name__}: a topology must not name its own intf class")
    return intf


class ShapedLink(Link):
    """A link whose ends are shaped by Mininet's own parameters (`bw`, `delay`, ...)."""

    def __init__(self, node1: Node, node2: Node, **params: Any) -> None:
        if isinstance(node1, Host) and isinstance(node2, Host):
            raise NodeError(f"{node1.name} - {node2.name}: a host's link leads to a core, not to another host")
        super().__init__(node1, node2, **{**params, "cls1": ShapedIntf, "cls2": ShapedIntf})

    @property
    def ends(self) -> tuple[ShapedIntf, ShapedIntf]:
        """Both ends, a host's end first."""
        ends = _shaped(self.intf1), _shaped(self.intf2)
        return (ends[1], ends[0]) if isinstance(ends[1].node, Host) else ends

    @classmethod
    def makeIntfPair(cls, *_args: Any, **_kwargs: Any) -> None:  # noqa: N802
        """Do nothing: `build` creates all interfaces."""

    def stop(self) -> None:
        """Do nothing: interfaces are removed with the network."""
