"""When a link counts as busy: data waited at both ends of the second, and whenever somebody looked."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from testbed.network import EmulatedHost, Network
from testbed.network.counters import LinkCounters
from testbed.trial.monitoring import links
from testbed.trial.monitoring.links import LinkUse, LinkWatch
from topologies.star import Star

pytestmark = pytest.mark.kernel

OnNetwork = Callable[..., Any]
SLOW = Star(n=2, up=400_000, queue=1000)


@pytest.fixture(autouse=True)
def _any_stretch_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "SHORTEST_SECONDS", 0.0)


@contextmanager
def watched(network: Network) -> Iterator[tuple[LinkWatch, Callable[[], None]]]:
    """A watch that has begun, and a way to put some frames into the queue of the first host."""
    h1, h2 = network.hosts
    with LinkWatch(network) as watch, sender_on(h1) as sender:

        def send() -> None:
            send_frames(sender, h2, 8)

        watch.begin()
        yield watch, send


def sender_on(host: EmulatedHost) -> socket.socket:
    with host.inside():
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def send_frames(sender: socket.socket, host: EmulatedHost, count: int) -> None:
    for _ in range(count):
        sender.sendto(bytes(1472), (str(host.address), 9))


def use_of(watch: LinkWatch, host: EmulatedHost) -> LinkUse:
    return next(use for use in watch.uses if (use.host, use.direction) == (host.name, "up"))


def await_empty(host: EmulatedHost) -> None:
    with LinkCounters([host.access]) as counters:
        while counters.waiting(host.access):
            pass


def test_a_link_at_which_data_always_waits_is_busy(on_network: OnNetwork) -> None:
    def play(network: Network) -> LinkUse:
        with watched(network) as (watch, send):
            send()
            watch.sample(0)
            watch.look()
            send()
            watch.sample(0)
            return use_of(watch, network.hosts[0])

    assert on_network(SLOW, play).busy_seconds > 0


def test_a_link_that_was_empty_when_somebody_looked_is_not_busy(on_network: OnNetwork) -> None:
    def play(network: Network) -> LinkUse:
        with watched(network) as (watch, send):
            send()
            watch.sample(0)
            await_empty(network.hosts[0])
            watch.look()
            send()
            watch.look()
            watch.sample(0)
            return use_of(watch, network.hosts[0])

    assert on_network(SLOW, play).busy_seconds == 0


def test_a_link_at_which_nothing_waited_at_first_is_not_busy(on_network: OnNetwork) -> None:
    def play(network: Network) -> LinkUse:
        with watched(network) as (watch, send):
            watch.sample(0)
            send()
            watch.look()
            watch.sample(0)
            return use_of(watch, network.hosts[0])

    assert on_network(SLOW, play).busy_seconds == 0


def test_of_many_links_others_are_looked_at_each_second(on_network: OnNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MOST_LOOKED_AT", 1)

    def play(network: Network) -> list[bool]:
        h1, h2 = network.hosts
        with LinkWatch(network) as watch, sender_on(h1) as one, sender_on(h2) as other:
            watch.begin()
            for _ in range(4):
                send_frames(one, h2, 2)
                send_frames(other, h1, 2)
                watch.sample(0)
            return [use_of(watch, host).busy_seconds > 0 for host in network.hosts]

    assert on_network(SLOW, play) == [True, True]
