"""Our node of the DHT, on the UDP port with the number of our TCP port, and what it does for one client.

What the node finds is reported in a turn of the event loop of its own: neither the node nor the session is ever called
while it is being called.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable
from functools import partial
from random import Random
from typing import Final, TypeAlias

from peer.errors import WireError
from peer.net.address import Address, pack_host
from peer.net.sockets import explain
from peer.overlays.hands.datagrams import DatagramHands
from peer.overlays.kademlia import wire
from peer.overlays.kademlia.node import KademliaNode
from peer.overlays.node import Record

OnPeers: TypeAlias = Callable[[int, list[Address]], None]
"""Takes peers that were found for one of our identities."""
OnEnd: TypeAlias = Callable[[int, int], None]
"""Takes the identity whose announcement is over, and how many nodes ours knows."""


class Dht:
    """One node for one life."""

    def __init__(self, bound: socket.socket, info_hash: bytes, rng: Random, record: Record) -> None:
        own = Address(*bound.getsockname()[:2])
        self._info_hash: Final = info_hash
        self._own_host: Final = own.host
        self._loop: Final = asyncio.get_running_loop()
        self._hands: Final = DatagramHands(KademliaNode(own, rng=rng, record=record), bound, wire, record)
        self._resolving: Final[set[asyncio.Task[None]]] = set()

    @property
    def neighbours(self) -> list[Address]:
        """Nodes by which to join again."""
        return self._hands.node.neighbours

    def start(self, nodes: Iterable[Address]) -> None:
        """Join by these nodes, and by those with names once these are resolved."""
        for address in nodes:
            if _is_numeric(address.host):
                self._add(address)
            else:
                task = self._loop.create_task(self._resolve(address))
                self._resolving.add(task)
                task.add_done_callback(self._resolving.discard)
        self._hands.input(lambda node, now: node.start(now))

    def meet(self, address: Address) -> None:
        """Get to know the node of a neighbour."""
        self._hands.input(lambda node, now: node.add_node(address, now))

    def announce(self, port: int, identity: int, on_peers: OnPeers, on_end: OnEnd) -> None:
        """Announce that one of our identities listens at a port, and find others."""
        ours = Address(self._own_host, port)

        def take(peers: list[Address], _hops: int) -> None:
            self._loop.call_soon(on_peers, identity, [each for each in peers if each != ours])

        def end() -> None:
            self._loop.call_soon(on_end, identity, len(self._hands.node.neighbours))

        self._hands.input(lambda node, now: node.announce(self._info_hash, port, now, take, end))

    def close(self) -> None:
        """Leave, and end."""
        if not self._hands.is_over:
            for task in self._resolving:
                task.cancel()
            self._hands.input(lambda node, now: node.leave(now, by_word=False))
            self._hands.close()

    def _add(self, router: Address) -> None:
        if router != self._hands.node.table.own.address:
            self._hands.input(lambda node, now: node.add_router(router, now))

    async def _resolve(self, address: Address) -> None:
        lookup = partial(self._loop.getaddrinfo, family=socket.AF_INET, type=socket.SOCK_DGRAM)
        try:
            found = await lookup(address.host, address.port)
        except (OSError, UnicodeError) as error:
            why = explain(error) if isinstance(error, OSError) else "it is no name"
            self._hands.troubles.note(f"a node of the DHT has no IPv4 address: {why}", address)
            return
        for name in dict.fromkeys(each[4] for each in found):
            self._add(Address(str(name[0]), int(name[1])))


def _is_numeric(host: str) -> bool:
    try:
        return bool(pack_host(host))
    except WireError:
        return False
