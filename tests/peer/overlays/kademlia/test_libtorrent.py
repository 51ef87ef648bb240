"""A session of libtorrent joins by our nodes; it finds a peer that we announced, and we find one that it announced."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import libtorrent as lt
import pytest

from contract.overlay_events import NodeErred
from peer.net.address import Address
from peer.overlays.content import key_of
from tests.peer.overlays.kademlia.nodes import DEADLINE, Hands, find_peers, running_nodes, until

pytestmark = pytest.mark.kernel

OURS, THEIRS = key_of("announced by us"), key_of("announced by libtorrent")
HOSTS = [Address(f"127.0.0.{number}", 0) for number in range(11, 19)]
"""Of our nodes, each with an address of its own on the loopback interface."""
LIBTORRENT = "127.0.0.31"


def settings(bootstrap: Address) -> dict[str, Any]:
    """The defaults, but for what would keep libtorrent from nodes that are all on the loopback interface."""
    return {
        "listen_interfaces": f"{LIBTORRENT}:0",
        "enable_dht": True,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "dht_bootstrap_nodes": str(bootstrap),
        # Nodes of the same network of 256 addresses.
        "dht_restrict_routing_ips": False,
        "dht_restrict_search_ips": False,
        "alert_mask": lt.alert.category_t.dht_notification
        | lt.alert.category_t.dht_operation_notification
        | lt.alert.category_t.error_notification
        | lt.alert.category_t.status_notification,
    }


@contextmanager
def session(bootstrap: Address) -> Iterator[lt.session]:
    running = lt.session(settings(bootstrap))
    try:
        yield running
    finally:
        running.pause()
        del running


def knows_libtorrent(hands: Hands) -> bool:
    return any(neighbour.host == LIBTORRENT for neighbour in hands.node.neighbours)


async def finds_ours(theirs: lt.session) -> list[tuple[str, int]]:
    """Have libtorrent ask until it is told peers."""
    found: list[tuple[str, int]] = []

    def ask() -> bool:
        for alert in theirs.pop_alerts():
            if isinstance(alert, lt.dht_get_peers_reply_alert):
                found.extend(tuple(peer) for peer in alert.peers())
        if not found:
            theirs.dht_get_peers(lt.sha1_hash(OURS))
        return bool(found)

    await until(ask)
    return found


async def fill_its_table(theirs: lt.session) -> int:
    """Wait until most of our nodes are in the routing table of libtorrent, and return how many are."""
    count = 0

    def ask() -> bool:
        nonlocal count
        theirs.post_dht_stats()
        for alert in theirs.pop_alerts():
            if isinstance(alert, lt.dht_stats_alert):
                count = sum(bucket["num_nodes"] for bucket in alert.routing_table)
        return count > len(HOSTS) / 2

    await until(ask)
    return count


async def find_theirs(hands: Hands) -> list[Address]:
    """Ask until we are told peers."""
    found: list[Address] = []
    async with asyncio.timeout(DEADLINE):
        while not found:
            found = await find_peers(hands, THEIRS)
    return found


async def meet() -> dict[str, Any]:
    async with running_nodes(HOSTS) as (running, events):
        stored = asyncio.Event()
        running[3].input(lambda node, now: node.announce(OURS, 6001, now, on_end=stored.set))
        await stored.wait()
        with session(running[0].node.table.own.address) as theirs:
            await until(lambda: any(map(knows_libtorrent, running)))
            theirs.dht_announce(lt.sha1_hash(THEIRS), 6002)
            return {
                "found by libtorrent": await finds_ours(theirs),
                "known by libtorrent": await fill_its_table(theirs),
                "found by us": await find_theirs(running[5]),
                "neighbours": [hands for hands in running if knows_libtorrent(hands)],
                "erred": [event for event in events if isinstance(event, NodeErred)],
            }


@pytest.fixture(scope="module")
def met() -> dict[str, Any]:
    return asyncio.run(meet())


def test_libtorrent_finds_a_peer_that_we_announced(met: dict[str, Any]) -> None:
    assert (HOSTS[3].host, 6001) in met["found by libtorrent"]


def test_we_find_a_peer_that_libtorrent_announced(met: dict[str, Any]) -> None:
    assert Address(LIBTORRENT, 6002) in met["found by us"]


def test_libtorrent_is_a_neighbour_of_our_nodes(met: dict[str, Any]) -> None:
    assert met["neighbours"]


def test_most_of_our_nodes_are_in_its_table(met: dict[str, Any]) -> None:
    assert len(HOSTS) / 2 < met["known by libtorrent"] <= len(HOSTS)


def test_nothing_that_libtorrent_sent_was_refused(met: dict[str, Any]) -> None:
    assert not met["erred"]
