"""Built networks, read back with `ip` and `tc`, and used through Mininet's own interface."""

import json
import re
import resource
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mininet.topo import Topo
from pyroute2 import IPRoute

from testbed.network import (
    Network,
    NodeError,
    ShapeError,
    sandbox,
)
from testbed.network.build.nodes import Core, EmulatedHost, ShapedIntf
from testbed.network.features import has_qdisc
from testbed.network.kernel.netlink import NetlinkError
from testbed.network.sandbox import SandboxError
from topologies.star import Star
from topologies.tree import Tree
from topologies.two_isps import TwoIsps

pytestmark = pytest.mark.kernel

OnNetwork = Callable[..., Any]
Node = EmulatedHost | Core


def output(node: Node, *arguments: str) -> str:
    with node.inside():
        return subprocess.check_output(arguments, text=True)


def shown(node: Node, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(output(node, *arguments))
    return found


class BridgedStar(Topo):
    """Hosts around a row of bridges."""

    def build(self, n: int, bridges: int = 1) -> None:
        for k in range(bridges):
            self.addSwitch(f"s{k + 1}", forwarding="bridge")
            if k:
                self.addLink(f"s{k}", f"s{k + 1}")
        for k in range(n):
            self.addLink(self.addHost(f"h{k + 1}"), f"s{k % bridges + 1}")


def test_host_has_address_route_and_permanent_gateway(on_network: OnNetwork) -> None:
    def look(network: Network) -> tuple[Any, Any, Any]:
        h2 = network.host("h2")
        commands = (["address", "show", "dev", "h2-eth0"], ["route"], ["neigh"])
        addresses, routes, neighbours = (shown(h2, "ip", "-j", *command) for command in commands)
        return addresses[0], routes, neighbours

    interface, routes, neighbours = on_network(Star(n=2), look)
    assert [(a["local"], a["prefixlen"]) for a in interface["addr_info"]] == [("198.18.0.2", 32)]
    assert interface["operstate"] == "UP"
    assert [(r["dst"], r["gateway"], r["dev"]) for r in routes] == [("default", "198.19.255.254", "h2-eth0")]
    assert [(n["dst"], n["dev"], n["state"]) for n in neighbours] == [("198.19.255.254", "h2-eth0", ["PERMANENT"])]


def test_core_has_route_and_neighbour_per_host(on_network: OnNetwork) -> None:
    def look(network: Network) -> tuple[Any, ...]:
        (core,) = network.cores
        macs = {str(host.address): host.access.MAC() for host in network.hosts}
        return macs, shown(core, "ip", "-j", "route"), shown(core, "ip", "-j", "neigh"), network.address_of(core)

    macs, routes, neighbours, address = on_network(Star(n=3), look)
    assert {r["dst"]: (r["dev"], r["scope"]) for r in routes} == {
        f"198.18.0.{k}": (f"s1-eth{k}", "link") for k in (1, 2, 3)
    }
    assert {n["dst"]: n["lladdr"] for n in neighbours} == macs
    assert {tuple(n["state"]) for n in neighbours} == {("PERMANENT",)}
    assert str(address) == "198.19.255.254"


def test_routes_to_other_provider_are_aggregated(on_network: OnNetwork) -> None:
    def look(network: Network) -> dict[str, tuple[str, str]]:
        routes = shown(network.cores[0], "ip", "-j", "route")
        return {r["dst"]: (r["dev"], r["gateway"]) for r in routes if "gateway" in r}

    by = ("s1-eth1", "198.19.255.253")
    assert on_network(TwoIsps(n=4), look) == {
        "198.18.0.5": by,
        "198.18.0.6/31": by,
        "198.18.0.8": by,
        "198.19.255.253": by,
    }


def test_macs_agree_with_mininet(on_network: OnNetwork) -> None:
    def look(network: Network) -> list[tuple[str, str | None]]:
        pairs = []
        for end in (end for link in network.links for end in link.ends):
            (interface,) = shown(end.home, "ip", "-j", "link", "show", "dev", end.name)
            assert interface["ifindex"] == end.index
            pairs.append((interface["address"], end.MAC()))
        return pairs

    for found, described in on_network(Tree(depth=2, fanout=2), look):
        assert found == described


def test_macs_and_addresses_are_reproducible(on_network: OnNetwork) -> None:
    def look(network: Network) -> list[tuple[Any, ...]]:
        return [
            (node.name, *(one[key] for key in ("ifname", "ifindex", "address", "addr_info")))
            for node in (*network.hosts, *network.cores)
            for one in shown(node, "ip", "-j", "address")
        ]

    first, second = (on_network(TwoIsps(n=2), look) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("rate", [56_000, 1_000_008, 8_000_000, 48_448_000, 123_456_784, 1_000_000_000])
def test_kernel_has_exact_rates_and_bursts(on_network: OnNetwork, rate: int) -> None:
    def look(network: Network) -> list[dict[str, int]]:
        return [data_class(end) for link in network.links for end in link.ends]

    burst, step = max(3028, rate // 8000), 64e-9 * rate / 8  # the kernel keeps a burst as a time, in steps of 64 ns
    for found in on_network(Star(n=1, up=rate, down=rate), look):
        assert found["rate"] * 8 == found["ceil"] * 8 == rate
        assert burst <= found["buffer"] * step < burst + step + 1
        assert found["cbuffer"] == found["buffer"]


def data_class(end: ShapedIntf) -> dict[str, int]:
    """Return HTB's class 1:1 of an interface, in bytes per second. `tc` would round the rate."""
    with end.home.inside(), IPRoute() as netlink:
        (found,) = (one for one in netlink.get_classes(end.index) if one["handle"] == 0x10001)
    parameters: dict[str, int] = found.get_attr("TCA_OPTIONS").get_attr("TCA_HTB_PARMS")
    return parameters


def test_each_end_has_queue_filter_and_segment_limit(on_network: OnNetwork) -> None:
    def look(network: Network) -> list[tuple[Any, ...]]:
        return [egress(end) for link in network.links for end in link.ends]

    up, down = on_network(Star(n=1, up=8_000_000, down=100_000_000, acks=["priority"]), look)
    assert up == ({"htb": None, "bfifo 11:": 200_000, "bfifo 12:": 1 << 20}, ["1:2"], 1)
    assert down == ({"htb": None, "bfifo 11:": 625_000, "bfifo 12:": 1 << 20}, ["1:2"], 4)
    up, down = on_network(Star(n=1, up=8_000_000, queue=[20], acks="shared"), look)
    assert up == ({"htb": None, "bfifo 11:": 20_000}, [], 1)
    assert down == ({"noqueue": None}, [], 65535)


def egress(end: ShapedIntf) -> tuple[dict[str, int | None], list[str], int]:
    """Return an interface's queueing disciplines with their limits, its filters' classes, and its gso_max_segs."""
    qdiscs = shown(end.home, "tc", "-j", "qdisc", "show", "dev", end.name)
    filters = shown(end.home, "tc", "-j", "filter", "show", "dev", end.name)
    (interface,) = shown(end.home, "ip", "-j", "-d", "link", "show", "dev", end.name)
    limits = {
        one["kind"] if one.get("root") else f"{one['kind']} {one['handle']}": one["options"].get("limit")
        for one in qdiscs
    }
    flows = [one["options"]["flowid"] for one in filters if "options" in one]
    return limits, flows, interface["gso_max_segs"]


def test_slow_link_behind_fast_splits_super_packets(on_network: OnNetwork) -> None:
    def look(network: Network) -> dict[str, str]:
        core = network.cores[0]
        return {name: output(core, "tc", "qdisc", "show", "dev", name) for name in ("s1-eth1", "s1-eth2")}

    found = on_network(Star(n=2, up=[1_000_000_000, None], down=[1_000_000, 1_000_000_000]), look)
    assert "qdisc tbf 11:" in found["s1-eth1"]
    assert "qdisc tbf 11:" in found["s1-eth2"]
    found = on_network(Star(n=2, up=[8_000_000, 1_000_000], down=[1_000_000, 48_000_000]), look)
    assert "qdisc bfifo 11:" in found["s1-eth1"]
    assert "qdisc bfifo 11:" in found["s1-eth2"]


def test_nodes_have_recorded_settings_and_no_ipv6(on_network: OnNetwork) -> None:
    def look(network: Network) -> list[tuple[str, dict[str, str], dict[str, str]]]:
        names = [name for name in network.settings if not name.startswith(("net.bridge", "net.ipv4.ip_forward"))]
        return [
            (
                output(node, "ip", "-6", "address"),
                {name: network.settings[name] for name in names},
                sysctls(node, names),
            )
            for node in (*network.hosts, *network.cores)
        ]

    for ipv6, recorded, found in on_network(TwoIsps(n=1, up=8_000_000), look):
        assert ipv6 == ""
        assert found == recorded
        assert found["net.ipv6.conf.all.disable_ipv6"] == found["net.ipv4.tcp_no_metrics_save"] == "1"


def sysctls(node: Node, names: list[str]) -> dict[str, str]:
    values = output(node, "sysctl", "-n", *names).splitlines()
    return {name: " ".join(value.split()) for name, value in zip(names, values, strict=True)}


def test_cores_forward_and_hosts_do_not(on_network: OnNetwork) -> None:
    def look(network: Network) -> dict[str, str]:
        nodes = (*network.hosts, *network.cores)
        return {node.name: sysctls(node, ["net.ipv4.ip_forward"])["net.ipv4.ip_forward"] for node in nodes}

    assert on_network(TwoIsps(n=1), look) == {"h1": "0", "h2": "0", "s1": "1", "s2": "1"}


@pytest.mark.parametrize("congestion_control", ["cubic", "reno"])
def test_connections_use_requested_congestion_control(on_network: OnNetwork, congestion_control: str) -> None:
    def look(network: Network) -> set[bytes]:
        h1, h2 = network.hosts
        with h2.inside(), socket.create_server(("", 4000)) as server:
            with h1.inside():
                client = socket.create_connection((str(h2.address), 4000), timeout=5)
            accepted, _ = server.accept()
            with client, accepted:
                return {end.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16) for end in (client, accepted)}

    used = on_network(Star(n=2), look, congestion_control=congestion_control)
    assert {name.rstrip(bytes(1)).decode() for name in used} == {congestion_control}


@pytest.mark.parametrize(
    "topology",
    [
        Star(n=4, up=8_000_000, down=24_000_000),
        TwoIsps(n=2, bottleneck=10_000_000),
        Tree(depth=2, fanout=2, trunk=100_000_000),
        Star(n=3, delay=1),
    ],
    ids=["star", "two-isps", "tree", "star with delays"],
)
def test_every_host_reaches_every_other(on_network: OnNetwork, topology: Topo) -> None:
    assert on_network(topology, lambda network: network.mininet.pingAll(timeout=2)) == 0


@pytest.mark.parametrize("bridges", [1, 2])
def test_bridged_hosts_share_broadcast_domain(on_network: OnNetwork, bridges: int) -> None:
    def look(network: Network) -> tuple[float, str, str]:
        lost = network.mininet.pingAll(timeout=2)
        h1, h2 = network.hosts[:2]
        ttl = output(h1, "ping", "-c", "1", "-W", "2", str(h2.address))
        return lost, ttl, output(h1, "ip", "neigh", "show", str(h2.address))

    lost, reply, neighbour = on_network(BridgedStar(4, bridges), look)
    assert lost == 0
    assert "ttl=64" in reply
    assert re.search("lladdr 02:", neighbour)


@pytest.mark.parametrize("topology", [Star(n=2), TwoIsps(n=1), BridgedStar(2, 2)], ids=["star", "two-isps", "bridges"])
def test_first_packet_is_not_lost(on_network: OnNetwork, topology: Topo) -> None:
    def look(network: Network) -> bool:
        h1, h2 = network.hosts
        with h1.inside():
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with h2.inside():
            receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sender, receiver:
            receiver.bind((str(h2.address), 9))
            receiver.settimeout(0.5)
            sender.sendto(b"first", (str(h2.address), 9))
            return bool(receiver.recv(5) == b"first")

    assert all(on_network(topology, look) for _ in range(10))


def test_three_hundred_hosts_can_be_built(on_network: OnNetwork) -> None:
    def look(network: Network) -> tuple[int, str]:
        last = network.hosts[-1]
        reply = output(network.hosts[0], "ping", "-c", "1", "-W", "5", str(last.address))
        return len(shown(network.cores[0], "ip", "-j", "route")), reply

    routes, reply = on_network(Star(n=300, up=1_000_000, down=8_000_000), look)
    assert routes == 300
    assert " 0% packet loss" in reply


def test_mininets_interface_works(on_network: OnNetwork) -> None:
    def look(network: Network) -> dict[str, object]:
        net = network.mininet
        h1, h2 = net["h1"], net.get("h2")
        with h2.popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
            echoed = program.communicate("words")[0]
        return {
            "names": sorted(net),
            "same": h1 is network.host("h1") and "h1" in net,
            "cmd": h1.cmd("echo $((6 * 7)); ip -br address show dev h1-eth0").split(),
            "again": h1.cmd("cd /; pwd").strip(),
            "pexec": h2.pexec("sh", "-c", "echo out; echo err >&2; exit 3"),
            "popen": echoed,
            "ping": net.ping([h1, h2], timeout=2),
            "core": net["s1"].cmd("ip -br link show dev s1-eth2").split()[0].split("@")[0],
            "ip": (h1.IP(), h2.IP()),
            "connections": [(a.name, b.name) for a, b in h1.connectionsTo(net["s1"])],
        }

    assert on_network(Star(n=2), look) == {
        "names": ["h1", "h2", "s1"],
        "same": True,
        "cmd": ["42", "h1-eth0@if1001", "UP", "198.18.0.1/32"],
        "again": "/",
        "pexec": ("out\n", "err\n", 3),
        "popen": "words",
        "ping": 0,
        "core": "s1-eth2",
        "ip": ("198.18.0.1", "198.18.0.2"),
        "connections": [("h1-eth0", "s1-eth1")],
    }


def test_host_runs_programs(on_network: OnNetwork) -> None:
    def look(network: Network) -> tuple[int | None, str]:
        with pytest.raises(NodeError, match="no host 's1'; there are h1, h2"):
            network.host("s1")
        process = network.host("h2").start(["ip", "-br", "address", "show", "dev", "h2-eth0"])
        return process.wait(5), process.stdout

    status, output = on_network(Star(n=2), look)
    assert status == 0
    assert "198.18.0.2/32" in output


def test_two_networks_fit_in_one_sandbox() -> None:
    def body() -> list[float]:
        with Network(Star(n=2)) as first, Network(Star(n=2)) as second:
            return [network.mininet.pingAll(timeout=2) for network in (first, second)]

    assert sandbox.run(body) == [0, 0]


def leftovers(use: Callable[[], None]) -> set[str]:
    """Return what a network leaves in its sandbox: open namespaces, processes, interfaces."""

    def body() -> set[str]:
        has_qdisc("netem")  # each process probes once
        before = snapshot()
        use()
        return snapshot() - before

    return sandbox.run(body)


def snapshot() -> set[str]:
    descriptors = {str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.is_symlink()}
    processes = {file.name for file in Path("/proc").iterdir() if file.name.isdigit()}
    interfaces = {name for _, name in socket.if_nameindex()}
    return {name for name in descriptors if "net:" in name} | processes | interfaces


def test_network_leaves_nothing_after_its_block() -> None:
    def use() -> None:
        with Network(TwoIsps(n=2, up=8_000_000, delay=1)) as network:
            network.mininet["h1"].cmd("true")
            network.host("h2").start(["sleep", "60"])

    assert leftovers(use) == set()


def test_network_leaves_nothing_when_its_block_fails() -> None:
    def use() -> None:
        with Network(Star(n=2, delay=1)) as network:
            network.host("h2").start(["sleep", "60"])
            raise ZeroDivisionError

    def survive() -> None:
        with pytest.raises(ZeroDivisionError):
            use()

    assert leftovers(survive) == set()


def test_network_leaves_nothing_when_build_fails() -> None:
    def use() -> None:
        with pytest.raises(NetlinkError, match=r"route .* out of interface"):
            Network(Star(n=2, up=8_000_000), congestion_control="tortoise").__enter__()

    assert leftovers(use) == set()


def test_impossible_link_fails_cleanly() -> None:
    def use() -> None:
        with pytest.raises(ShapeError, match="h2-eth0: rate 1 bit/s: write"):
            Network(Star(n=3, up=[8_000_000, 1, 8_000_000])).__enter__()

    assert leftovers(use) == set()


def test_network_outside_a_sandbox_is_refused() -> None:
    with pytest.raises(SandboxError, match=r"needs a sandbox: call sandbox\.run"):
        Network(Star(n=2))


def test_open_files_are_allowed_for_many_hosts() -> None:
    """Many systems allow a process 1024 unless it asks for more."""

    def body() -> int:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, most))
        with Network(Star(n=100)):
            return resource.getrlimit(resource.RLIMIT_NOFILE)[0]

    assert sandbox.run(body) == 520
