"""A star of network namespaces around a routing core, and the helper compiled from the source under test."""

import ctypes
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from testbed.network import delaybox
from testbed.network.delaybox import DelayBox, Impairment

CLONE_NEWNET = 0x40000000
MAC = "02:00:00:00:00:01"
LIBC = ctypes.CDLL(None, use_errno=True)

CORE_SETTINGS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv6/conf/default/disable_ipv6": "1",
}
HOST_SETTINGS = {"net/ipv4/tcp_congestion_control": "reno", "net/ipv6/conf/default/disable_ipv6": "1"}


def checked(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def this_namespace() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def run_batch(program: str, *lines: str) -> None:
    subprocess.run([program, "-batch", "-"], input="\n".join(lines), text=True, check=True, capture_output=True)


class Star:
    """Hosts h1, h2, ... with addresses 198.18.0.1, ... around a core. The kernel removes it all with this process."""

    def __init__(self, hosts: int) -> None:
        self.hosts = [f"h{number}" for number in range(1, hosts + 1)]
        self._namespaces: dict[str, int] = {}
        self._make_namespace("core", CORE_SETTINGS)
        for host in self.hosts:
            self._make_namespace(host, HOST_SETTINGS)
            self._link(host)

    def address(self, host: str) -> str:
        return f"198.18.0.{host[1:]}"

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Run this thread and its child processes in the namespace; sockets opened there stay there."""
        home = this_namespace()
        checked(LIBC.setns(self._namespaces[name], CLONE_NEWNET))
        try:
            yield
        finally:
            checked(LIBC.setns(home, CLONE_NEWNET))
            os.close(home)

    def udp(self, host: str) -> socket.socket:
        with self.inside(host):
            bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.settimeout(5)
        bound.bind((self.address(host), 5000))
        return bound

    def tcp(self, sender: str, receiver: str) -> tuple[socket.socket, socket.socket]:
        """Return the two ends of a connection."""
        with self.inside(receiver), socket.create_server((self.address(receiver), 0)) as server:
            with self.inside(sender):
                connected = socket.create_connection(server.getsockname(), timeout=10)
            accepted, _ = server.accept()
        accepted.settimeout(10)
        return connected, accepted

    def limit_segments(self, segments: int) -> None:
        with self.inside("core"):
            run_batch("ip", *(f"link set v{host} gso_max_segs {segments}" for host in self.hosts))
        for host in self.hosts:
            with self.inside(host):
                run_batch("ip", f"link set eth0 gso_max_segs {segments}")

    def shape(self, megabits: int) -> None:
        """Limit the rate at both ends of every link, without super-packets."""
        self.limit_segments(1)
        with self.inside("core"):
            run_batch("tc", *(line for host in self.hosts for line in shaped(f"v{host}", megabits)))
        for host in self.hosts:
            with self.inside(host):
                run_batch("tc", *shaped("eth0", megabits))

    def lead_through(self, interface: str) -> None:
        """Route packets from the hosts into the interface, and packets out of it to the hosts."""
        with self.inside("core"):
            run_batch(
                "ip",
                "rule add priority 100 iif lo lookup main",
                f"rule add priority 101 iif {interface} lookup main",
                "rule add priority 102 lookup 100",
                f"route add default dev {interface} table 100",
                "route add unreachable default metric 1000 table 100",
            )

    def close(self) -> None:
        for namespace in self._namespaces.values():
            os.close(namespace)

    def _make_namespace(self, name: str, settings: dict[str, str]) -> None:
        home = this_namespace()
        checked(LIBC.unshare(CLONE_NEWNET))
        try:
            self._namespaces[name] = this_namespace()
            for path, value in settings.items():
                (Path("/proc/sys") / path).write_text(value)
        finally:
            checked(LIBC.setns(home, CLONE_NEWNET))
            os.close(home)

    def _link(self, host: str) -> None:
        namespace = f"/proc/{os.getpid()}/fd/{self._namespaces[host]}"
        with self.inside("core"):
            run_batch(
                "ip",
                f"link add v{host} address {MAC} type veth peer name eth0 address {MAC} netns {namespace}",
                f"link set v{host} arp off up",
                f"route add {self.address(host)}/32 dev v{host}",
            )
        with self.inside(host):
            run_batch(
                "ip",
                "link set lo up",
                "link set eth0 arp off up",
                f"address add {self.address(host)}/32 dev eth0",
                "route add default dev eth0",
            )


def shaped(interface: str, megabits: int) -> list[str]:
    return [
        f"qdisc add dev {interface} root handle 1: htb default 1",
        f"class add dev {interface} parent 1: classid 1:1 htb rate {megabits}mbit burst 3028 cburst 3028",
        f"qdisc add dev {interface} parent 1:1 handle 11: bfifo limit 200000",
    ]


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = Path(delaybox.__file__).with_name("delaybox.c")
    target = tmp_path_factory.mktemp("delaybox") / "testbed-delaybox"
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", target, source], check=True)
    return target


@pytest.fixture
def star() -> Iterator[Callable[[int], Star]]:
    """Return a function that makes a star of this many hosts."""
    with ExitStack() as stack:

        def make(hosts: int) -> Star:
            made = Star(hosts)
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def boxed(star: Callable[[int], Star], program: Path) -> Iterator[Callable[..., tuple[Star, DelayBox]]]:
    """Return a function that makes a star with a delay box, with these impairments for h1, h2, ..."""
    with ExitStack() as stack:

        def make(*links: tuple[Impairment, Impairment], seed: int = 1, **options: int) -> tuple[Star, DelayBox]:
            made = star(len(links))
            table = {made.address(host): link for host, link in zip(made.hosts, links, strict=True)}
            with made.inside("core"):
                box = DelayBox.start(table, seed, program=program, **options)
            stack.callback(box.kill)
            made.lead_through(box.interface)
            return made, box

        yield make
