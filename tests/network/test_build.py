"""What a topology becomes: paths, routes, addresses and names. Nothing is built here."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from mininet.link import TCLink
from mininet.node import CPULimitedHost, OVSSwitch
from mininet.topo import Topo

from testbed.errors import ExplainedError
from testbed.network import network
from testbed.network.build.fabric import Fabric
from testbed.network.build.nodes import Core, EmulatedHost, ShapedIntf
from topologies.star import Star
from topologies.tree import Tree
from topologies.two_isps import TwoIsps

Read = Callable[[Topo], Fabric]
Parameters = dict[str, object]


def names(ends: Sequence[ShapedIntf]) -> list[str]:
    return [end.name for end in ends]


def host(fabric: Fabric, name: str) -> EmulatedHost:
    return next(host for host in fabric.hosts if host.name == name)


def core(fabric: Fabric, name: str) -> Core:
    return next(core for core in fabric.cores if core.name == name)


def test_star_path_is_two_access_links(described: Read) -> None:
    star = described(Star(n=3))
    assert names(star.path(host(star, "h1"), host(star, "h3"))) == ["h1-eth0", "s1-eth3"]


def test_path_between_providers_crosses_bottleneck(described: Read) -> None:
    isps = described(TwoIsps(n=2))
    h1, h2, h3 = (host(isps, name) for name in ("h1", "h2", "h3"))
    assert names(isps.path(h1, h2)) == ["h1-eth0", "s1-eth3"]
    assert names(isps.path(h1, h3)) == ["h1-eth0", "s1-eth1", "s2-eth2"]
    assert names(isps.path(h3, h1)) == ["h3-eth0", "s2-eth1", "s1-eth2"]


def test_tree_path_turns_at_lowest_shared_core(described: Read) -> None:
    tree = described(Tree(depth=3, fanout=2))
    h1, h2, h4, h8 = (host(tree, name) for name in ("h1", "h2", "h4", "h8"))
    assert [end.node.name for end in tree.path(h1, h2)] == ["h1", "s3"]
    assert [end.node.name for end in tree.path(h1, h4)] == ["h1", "s3", "s2", "s4"]
    assert [end.node.name for end in tree.path(h1, h8)] == ["h1", "s3", "s2", "s1", "s5", "s7"]


def test_path_leads_from_source_to_destination(described: Read) -> None:
    tree = described(Tree(depth=2, fanout=3))
    for source in tree.hosts:
        for destination in (other for other in tree.hosts if other is not source):
            path = tree.path(source, destination)
            assert path[0].home is source
            assert path[-1].peer.home is destination
            assert all(here.peer.home is there.home for here, there in pairwise(path))


def test_cores_route_over_fewest_cores(described: Read) -> None:
    ring = described(Ring(5))
    first_hops = {other.name: trunk[1].name for other, trunk in ring.first_trunks(core(ring, "s1")).items()}
    assert first_hops == {"s2": "s2", "s3": "s2", "s4": "s5", "s5": "s5"}


def test_star_has_no_trunks(described: Read) -> None:
    star = described(Star(n=3))
    assert star.first_trunks(core(star, "s1")) == {}
    assert star.beyond(core(star, "s1")) == {}


def test_beyond_trunk_are_all_nodes_reached_through_it(described: Read) -> None:
    tree = described(Tree(depth=2, fanout=2))
    s1, s2, s3 = (core(tree, name) for name in ("s1", "s2", "s3"))
    at_s2 = [tree.addresses[s2], *(host(tree, name).address for name in ("h1", "h2"))]
    at_s3 = [tree.addresses[s3], *(host(tree, name).address for name in ("h3", "h4"))]
    assert {trunk[1]: addresses for trunk, addresses in tree.beyond(s1).items()} == {s2: at_s2, s3: at_s3}
    assert {trunk[1]: addresses for trunk, addresses in tree.beyond(s2).items()} == {s1: [tree.addresses[s1], *at_s3]}


def test_addresses_ascend_for_hosts_descend_for_cores(described: Read) -> None:
    isps = described(TwoIsps(n=1))
    assert [str(host.address) for host in isps.hosts] == ["198.18.0.1", "198.18.0.2"]
    assert [str(address) for address in isps.addresses.values()] == ["198.19.255.254", "198.19.255.253"]


def test_addresses_and_macs_are_reproducible(described: Read) -> None:
    first, second = described(Tree(depth=2, fanout=2)), described(Tree(depth=2, fanout=2))
    assert [host.address for host in first.hosts] == [host.address for host in second.hosts]
    macs = [end.MAC() for end in first.ends]
    assert macs == [end.MAC() for end in second.ends]
    assert len(set(macs)) == len(macs)
    assert all(re.fullmatch("02(:[0-9a-f]{2}){5}", mac or "") for mac in macs)


def test_topology_can_set_host_address(described: Read) -> None:
    fabric = described(Hosts({"ip": "198.18.7.7/15"}, {}))
    assert [str(host.address) for host in fabric.hosts] == ["198.18.7.7", "198.18.0.2"]


def test_rate_and_loss_limit_super_packets(described: Read) -> None:
    fabric = described(Star(n=3, up=[8_000_000, 100_000_000, 1_000_000_000], down=1_000_000_000))
    assert [fabric.gso_segments(host.access) for host in fabric.hosts] == [1, 4, 41]
    assert fabric.largest_super_packet == 41
    assert described(Star(n=2, up=[8_000_000, None])).largest_super_packet is None
    lossy = described(Star(n=2, up=100_000_000, down=100_000_000, loss=[0, 1]))
    assert {lossy.gso_segments(end) for end in lossy.ends} == {1}


@pytest.mark.filterwarnings("ignore:The 'warn' method is deprecated")  # Mininet's own warning
@pytest.mark.parametrize("count", [0, 2])
def test_host_needs_exactly_one_access_link(described: Read, count: int) -> None:
    with pytest.raises(ExplainedError, match=f"host h1 has {count} links: a host has one access link, to a core"):
        described(LinksOfAHost(count))


def test_link_between_hosts_is_refused(described: Read) -> None:
    with pytest.raises(ExplainedError, match="h1 - h2: a host's link leads to a core, not to another host"):
        described(HostToHost())


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("198.18.0.2/15", "h2: 198.18.0.2 is taken"),
        ("198.19.255.254/15", "h1: 198.19.255.254 is taken"),
        ("10.0.0.1/8", "h1: 10.0.0.1 is taken already, or not in 198.18.0.0/15, the range of hosts"),
        ("198.20.0.1/15", "not in 198.18.0.0/15, the range of hosts"),
        ("198.18.0.300/15", "h1: '198.18.0.300/15' is not an IPv4 address"),
        ("h1", "h1: 'h1' is not an IPv4 address"),
    ],
)
def test_invalid_address_is_refused(described: Read, address: str, message: str) -> None:
    with pytest.raises(ExplainedError, match=re.escape(message)):
        described(Hosts({"ip": address}, {}))


def test_more_hosts_than_addresses_are_refused(described: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    assert network.MOST_HOSTS == 2**17 - 3
    monkeypatch.setattr(network, "MOST_HOSTS", 3)
    with pytest.raises(ExplainedError, match=r"h4: no address of 198\.18\.0\.0/15 is left after 3 hosts"):
        described(Star(n=4))


@pytest.mark.parametrize("name", ["averylonghostname", "h12345678901"])
def test_too_long_interface_name_is_refused(described: Read, name: str) -> None:
    with pytest.raises(ExplainedError, match=f"'{name}-eth0' is longer than Linux allows, 15 characters"):
        described(NamedHost(name))


def test_mixing_routing_and_bridging_cores_is_refused(described: Read) -> None:
    with pytest.raises(ExplainedError, match="all route or all bridge"):
        described(Cores("route", "bridge"))


def test_unknown_forwarding_is_refused(described: Read) -> None:
    with pytest.raises(ExplainedError, match="s1: forwarding 'ovs': write 'route' or 'bridge'"):
        described(Cores("ovs"))


def test_bridge_beyond_1023_ports_is_refused(described: Read) -> None:
    with pytest.raises(ExplainedError, match="s1: a bridge has at most 1023 ports; use forwarding='route'"):
        described(Cores("bridge", hosts=1024))
    assert len(described(Cores("route", hosts=1024)).hosts) == 1024


@pytest.mark.parametrize(
    ("for_host", "for_core", "for_link", "message"),
    [
        ({"cls": CPULimitedHost}, {}, {}, "h1: the topology names the class CPULimitedHost"),
        ({}, {"cls": OVSSwitch}, {}, "s1: the topology names the class OVSSwitch"),
        (
            {},
            {},
            {"cls": TCLink},
            "h1 - s1: the topology names the class TCLink (cls=...), which the testbed cannot build",
        ),
    ],
)
def test_topology_with_own_classes_is_refused(
    described: Read, for_host: Parameters, for_core: Parameters, for_link: Parameters, message: str
) -> None:
    with pytest.raises(ExplainedError, match=re.escape(message)):
        described(OwnClasses(for_host, for_core, for_link))


def test_node_outside_namespace_is_refused(described: Read) -> None:
    with pytest.raises(ExplainedError, match="h1: every node has a network namespace"):
        described(Hosts({"inNamespace": False}, {}))
    with pytest.raises(ExplainedError, match="h1: every node has a network namespace and shares the sandbox's files"):
        described(Hosts({"privateDirs": ["/var"]}, {}))


def test_impossible_link_is_refused_with_interface_name(described: Read) -> None:
    with pytest.raises(ExplainedError, match=r"s1-eth1: rate 1 kbit/s: write"):
        described(Star(n=1, up=8_000_000, down=1_000))


def test_interface_knows_peer_and_index(described: Read) -> None:
    star = described(Star(n=2))
    access = host(star, "h2").access
    assert (access.peer.name, access.peer.peer) == ("s1-eth2", access)
    assert (access.index, access.peer.index) == (100, 1002)


def test_ends_of_link_have_different_indexes(described: Read) -> None:
    for topology in (Star(n=2), TwoIsps(n=1), Tree(depth=3, fanout=2), Ring(5)):
        for link in described(topology).links:
            one, other = link.ends
            assert one.index != other.index


class Ring(Topo):
    """Cores in a ring."""

    def build(self, n: int) -> None:
        for k in range(n):
            self.addSwitch(f"s{k + 1}")
        for k in range(n):
            self.addLink(f"s{k + 1}", f"s{(k + 1) % n + 1}")


class Hosts(Topo):
    """Hosts with the given parameters around one core."""

    def build(self, *parameters: Parameters) -> None:
        self.addSwitch("s1")
        for k, options in enumerate(parameters):
            self.addLink(self.addHost(f"h{k + 1}", **options), "s1")


class LinksOfAHost(Topo):
    """One host with `count` links."""

    def build(self, count: int) -> None:
        self.addHost("h1")
        for k in range(count):
            self.addLink("h1", self.addSwitch(f"s{k + 1}"))


class HostToHost(Topo):
    """Two hosts without a core."""

    def build(self) -> None:
        self.addLink(self.addHost("h1"), self.addHost("h2"))


class NamedHost(Topo):
    """One host with the given name, and a core."""

    def build(self, name: str) -> None:
        self.addLink(self.addHost(name), self.addSwitch("s1"))


class Cores(Topo):
    """A row of cores with the given forwarding, and hosts at the first."""

    def build(self, *forwarding: str, hosts: int = 1) -> None:
        for k, kind in enumerate(forwarding):
            self.addSwitch(f"s{k + 1}", forwarding=kind)
            if k:
                self.addLink(f"s{k}", f"s{k + 1}")
        for k in range(hosts):
            self.addLink(self.addHost(f"h{k + 1}"), "s1")


class OwnClasses(Topo):
    """A host, a core and a link with the given Mininet parameters."""

    def build(self, host: Parameters, core: Parameters, link: Parameters) -> None:
        self.addLink(self.addHost("h1", **host), self.addSwitch("s1", **core), **link)
