"""When a link counts as busy: data waited at both ends of the second and at every look in between."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from testbed.network import EmulatedHost, Network
from testbed.network.counters import LinkCounters
from testbed.trial.monitoring import links
from testbed.trial.monitoring.links import LinkMonitor, LinkUse
from topologies.star import Star

pytestmark = pytest.mark.kernel

OnNetwork = Callable[..., Any]
SLOW = Star(n=2, up=400_000, queue=1000)


@pytest.fixture(autouse=True)
def _any_stretch_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "SHORTEST_BUSY_SECONDS", 0.0)


@contextmanager
def watched(network: Network) -> Iterator[tuple[LinkMonitor, Callable[[], None]]]:
    """Yield a monitor that has begun, and a function that puts some frames into the queue of the first host."""
    h1, h2 = network.hosts
    with LinkMonitor(network) as monitor, sender_on(h1) as sender:

        def send() -> None:
            send_frames(sender, h2, 8)

        monitor.begin()
        yield monitor, send


def sender_on(host: EmulatedHost) -> socket.socket:
    with host.inside():
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def send_frames(sender: socket.socket, host: EmulatedHost, count: int) -> None:
    for _ in range(count):
        sender.sendto(bytes(1472), (str(host.address), 9))


def use_of(monitor: LinkMonitor, host: EmulatedHost) -> LinkUse:
    return next(use for use in monitor.uses if (use.host, use.direction) == (host.name, "up"))


def await_empty(host: EmulatedHost) -> None:
    with LinkCounters([host.access]) as counters:
        while counters.waiting(host.access):
            pass


def test_link_with_data_always_waiting_is_busy(on_network: OnNetwork) -> None:
    def body(network: Network) -> LinkUse:
        with watched(network) as (monitor, send):
            send()
            monitor.sample(0)
            monitor.look()
            send()
            monitor.sample(0)
            return use_of(monitor, network.hosts[0])

    assert on_network(SLOW, body).busy_seconds > 0


def test_link_that_a_look_found_empty_is_not_busy(on_network: OnNetwork) -> None:
    def body(network: Network) -> LinkUse:
        with watched(network) as (monitor, send):
            send()
            monitor.sample(0)
            await_empty(network.hosts[0])
            monitor.look()
            send()
            monitor.look()
            monitor.sample(0)
            return use_of(monitor, network.hosts[0])

    assert on_network(SLOW, body).busy_seconds == 0


def test_link_that_began_empty_is_not_busy(on_network: OnNetwork) -> None:
    def body(network: Network) -> LinkUse:
        with watched(network) as (monitor, send):
            monitor.sample(0)
            send()
            monitor.look()
            monitor.sample(0)
            return use_of(monitor, network.hosts[0])

    assert on_network(SLOW, body).busy_seconds == 0


def test_many_links_are_looked_at_in_turn(on_network: OnNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MOST_LOOKED_AT", 1)

    def body(network: Network) -> list[bool]:
        h1, h2 = network.hosts
        with LinkMonitor(network) as monitor, sender_on(h1) as one, sender_on(h2) as other:
            monitor.begin()
            for _ in range(4):
                send_frames(one, h2, 2)
                send_frames(other, h1, 2)
                monitor.sample(0)
            return [use_of(monitor, host).busy_seconds > 0 for host in network.hosts]

    assert on_network(SLOW, body) == [True, True]
