"""Kernel features are found by trying them, and the trial leaves nothing behind."""

import socket
import subprocess

import pytest

from testbed.network import sandbox
from testbed.network.features import has_filter, has_link, has_qdisc

pytestmark = pytest.mark.kernel


def test_required_features_are_found() -> None:
    def body() -> list[bool]:
        return [*map(has_qdisc, ("htb", "bfifo", "tbf")), has_filter("bpf"), *map(has_link, ("veth", "bridge"))]

    assert sandbox.run(body) == [True] * 6


def test_unknown_features_are_not_found() -> None:
    def body() -> list[bool]:
        return [has_qdisc("tortoise"), has_filter("tortoise"), has_link("tortoise")]

    assert sandbox.run(body) == [False] * 3


def test_netem_is_found_where_tc_can_use_it() -> None:
    def body() -> tuple[bool, bool]:
        add = ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"]
        return has_qdisc("netem"), subprocess.run(add, capture_output=True, check=False).returncode == 0

    found, used = sandbox.run(body)
    assert found == used


def test_probing_leaves_nothing_behind() -> None:
    def body() -> tuple[list[str], list[str]]:
        before = seen()
        assert has_qdisc("htb")
        assert has_filter("bpf")
        assert has_link("veth")
        return before, seen()

    before, after = sandbox.run(body)
    assert after == before


def seen() -> list[str]:
    """Return all interfaces, and the qdiscs and filters of the loopback interface."""
    links = [name for _, name in socket.if_nameindex()]
    shown = [subprocess.check_output(["tc", what, "show", "dev", "lo"], text=True) for what in ("qdisc", "filter")]
    return [*links, *shown]
