"""The kernel's counters at the shaped end of a link."""

import socket
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from testbed.network import Network
from testbed.network.counters import EgressCount, LinkCounters
from topologies.star import Star

pytestmark = pytest.mark.kernel

OnNetwork = Callable[..., Any]
FRAME = 14 + 20 + 8  # the headers of a datagram on Ethernet


def test_sent_bytes_include_frame_headers(on_network: OnNetwork) -> None:
    def look(network: Network) -> list[EgressCount]:
        h1, h2 = network.hosts
        with LinkCounters([h1.access]) as counters:
            before = counters.read()[h1.access]
            with h1.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for size in (100, 1472):
                    sender.sendto(bytes(size), (str(h2.address), 9))
            return [before, counters.read()[h1.access]]

    before, after = on_network(Star(n=2, up=100_000_000), look)
    assert (before.data.sent_bytes, before.data.sent_packets) == (0, 0)
    assert (after.data.sent_bytes, after.data.sent_packets) == (100 + 1472 + 2 * FRAME, 2)
    assert after.data.time >= before.data.time
    assert (after.data.waiting_bytes, after.data.dropped_packets) == (0, 0)


def test_waiting_and_dropped_packets_are_counted(on_network: OnNetwork) -> None:
    def look(network: Network) -> EgressCount:
        h1, h2 = network.hosts
        with LinkCounters([h1.access]) as counters, h1.inside():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for _ in range(20):
                    sender.sendto(bytes(1472), (str(h2.address), 9))
            return counters.read()[h1.access]

    count = on_network(Star(n=2, up=56_000, queue=1000), look).data
    assert count.sent_packets >= 2  # the burst
    assert 0 < count.waiting_bytes <= 7000  # a second of the rate
    assert count.dropped_packets == 20 - count.sent_packets - count.waiting_bytes // 1514


def test_waiting_is_known_for_each_end(on_network: OnNetwork) -> None:
    def look(network: Network) -> list[bool]:
        h1, h2 = network.hosts
        with LinkCounters([h1.access, h2.access, h1.access.peer]) as counters, h1.inside():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for _ in range(20):
                    sender.sendto(bytes(1472), (str(h2.address), 9))
            return [counters.waiting(end) for end in (h1.access, h2.access, h1.access.peer)]

    assert on_network(Star(n=2, up=56_000, down=56_000_000, queue=1000), look) == [True, False, False]


def test_acks_are_counted_apart_unless_queue_is_shared(on_network: OnNetwork) -> None:
    def look(network: Network) -> EgressCount:
        h1, h2 = network.hosts
        with LinkCounters([h2.access]) as counters, h2.inside(), socket.create_server(("", 4000)) as server:
            with h1.inside():
                sender = socket.create_connection((str(h2.address), 4000), timeout=5)
            receiver, _ = server.accept()
            with sender, receiver:
                sender.sendall(bytes(100_000))
                receiver.recv(100_000, socket.MSG_WAITALL)
            return counters.read()[h2.access]

    apart = on_network(Star(n=2, up=100_000_000), look)
    assert apart.acks.sent_packets > 0
    assert apart.acks.sent_bytes < 100 * apart.acks.sent_packets
    shared = on_network(Star(n=2, up=100_000_000, acks="shared"), look)
    assert shared.acks is None
    assert shared.data.sent_packets > apart.data.sent_packets


def test_counters_agree_with_tc(on_network: OnNetwork) -> None:
    def look(network: Network) -> tuple[int, str]:
        (h1, _), (core,) = network.hosts, network.cores
        end = h1.access.peer
        with LinkCounters([end]) as counters, core.inside():
            subprocess.run(["ping", "-q", "-c", "3", "-i", "0.01", str(h1.address)], check=True, capture_output=True)
            shown = subprocess.check_output(["tc", "-s", "qdisc", "show", "dev", end.name, "handle", "11:"], text=True)
            return counters.read()[end].data.sent_bytes, shown

    sent, shown = on_network(Star(n=2, down=8_000_000), look)
    assert sent == 3 * 98
    assert f"Sent {sent} bytes 3 pkt" in shown


def test_ends_without_a_rate_are_left_out(on_network: OnNetwork) -> None:
    def look(network: Network) -> list[str]:
        ends = [end for link in network.links for end in link.ends]
        with LinkCounters(ends) as counters:
            return [end.name for end in counters.read()]

    assert on_network(Star(n=2, down=[8_000_000, None]), look) == ["s1-eth1"]
