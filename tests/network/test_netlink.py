"""Requests to the kernel: their encoding, and the errors when the kernel refuses one."""

import errno
import json
import struct
import subprocess
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.network import sandbox
from testbed.network.kernel.messages import (
    LOOPBACK_INDEX,
    delete_link,
    delete_link_group,
    link_up,
    new_address,
    new_bridge,
    new_link_of_kind,
    new_route,
)
from testbed.network.kernel.netlink import (
    NetlinkError,
    NetlinkSocket,
    attribute,
    attributes,
)

PAIRS = st.lists(st.tuples(st.integers(0, 0x3FFF), st.binary(max_size=40)))


@given(PAIRS)
def test_attributes_survive_round_trip(pairs: list[tuple[int, bytes]]) -> None:
    assert list(attributes(b"".join(attribute(kind, value) for kind, value in pairs))) == pairs


@given(st.binary(max_size=100))
def test_garbage_attributes_end_parsing(garbage: bytes) -> None:
    assert len(list(attributes(garbage))) <= len(garbage) // 4


def test_attributes_are_aligned_to_four_bytes() -> None:
    assert attribute(7, b"abcde") == struct.pack("=HH", 9, 7) + b"abcde" + bytes(3)


@pytest.mark.kernel
def test_refusal_names_request_and_kernels_reason() -> None:
    def ask() -> None:
        with NetlinkSocket() as netlink:
            netlink.send([link_up(LOOPBACK_INDEX), new_address(99, IPv4Address("198.18.0.1"), 32), link_up(98)])

    with pytest.raises(NetlinkError, match=r"^give interface 99 .* 198.18.0.1/32: .*\(and 1 more\)$"):
        sandbox.run(ask)


@pytest.mark.kernel
def test_refused_request_does_not_stop_later_ones() -> None:
    def ask() -> tuple[int | None, str]:
        with NetlinkSocket() as netlink, pytest.raises(NetlinkError) as refusal:
            netlink.send([delete_link(99), new_link_of_kind("veth", "kept", 50)])
        return refusal.value.errno, subprocess.check_output(["ip", "-br", "link"], text=True)

    code, links = sandbox.run(ask)
    assert code == errno.ENODEV
    assert "kept" in links


@pytest.mark.kernel
def test_missing_kernel_module_points_to_doctor() -> None:
    def ask() -> None:
        with NetlinkSocket() as netlink:
            netlink.send([new_route(IPv4Network("198.18.0.0/15"), LOOPBACK_INDEX, congestion_control="tortoise")])

    with pytest.raises(NetlinkError, match=r"route 198\.18\.0\.0/15 out of interface 1: ") as refusal:
        sandbox.run(ask)
    assert refusal.value.errno != errno.ENOENT or "testbed doctor" in str(refusal.value)


@pytest.mark.kernel
def test_batch_may_exceed_one_message() -> None:
    addresses = [IPv4Address("198.18.0.0") + k for k in range(5000)]

    def ask() -> int:
        with NetlinkSocket() as netlink:
            netlink.send([new_bridge("b", 50, "02:00:00:00:00:01"), *(new_address(50, a, 32) for a in addresses)])
            found = json.loads(subprocess.check_output(["ip", "-j", "address", "show", "dev", "b"]))
            return len(found[0]["addr_info"])

    assert sandbox.run(ask) == len(addresses)


@pytest.mark.kernel
def test_deleting_link_group_keeps_other_links() -> None:
    def ask() -> str:
        with NetlinkSocket() as netlink:
            netlink.send([new_link_of_kind("veth", name, index) for index, name in ((50, "a"), (60, "b"))])
            subprocess.run(["ip", "link", "set", "dev", "a", "group", "7"], check=True)
            netlink.send([delete_link_group(7)])
            with pytest.raises(NetlinkError):
                netlink.send([delete_link_group(7)])
        return subprocess.check_output(["ip", "-br", "link"], text=True)

    names = [line.split("@")[0] for line in sandbox.run(ask).splitlines()]
    assert "b" in names
    assert "a" not in names


@pytest.mark.kernel
def test_refused_dump_is_an_error() -> None:
    def ask() -> None:
        with NetlinkSocket() as netlink:
            list(netlink.dump(9999, bytes(20)))

    with pytest.raises(NetlinkError, match="dump of 9999"):
        sandbox.run(ask)
