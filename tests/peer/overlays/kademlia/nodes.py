"""Nodes of ours with sockets, for programs of other people to join; also as a program of its own, for one host.

    python -m tests.peer.overlays.kademlia.nodes HOST:PORT... [--look-for INFO_HASH...]

It prints `ready` when the nodes have joined each other, and `peer INFO_HASH HOST:PORT` for each peer that the first of
them is told of, which it asks for once a second.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random
from socket import SOCK_DGRAM
from typing import Any, Final

from contract.overlay_events import NodeJoined
from peer.net.address import Address, parse_address
from peer.net.sockets import bound_socket
from peer.overlays.hands.datagrams import DatagramHands
from peer.overlays.kademlia import wire
from peer.overlays.kademlia.node import KademliaNode

Hands = DatagramHands[KademliaNode]
DEADLINE: Final = 30.0
_ASK_AGAIN: Final = 1.0


@asynccontextmanager
async def running_nodes(addresses: Sequence[Address]) -> AsyncIterator[tuple[list[Hands], list[Any]]]:
    """Run nodes that have joined each other; yields them, and the list of what they record."""
    events: list[Any] = []
    running: list[Hands] = []
    for number, wanted in enumerate(addresses):
        bound = bound_socket(wanted, SOCK_DGRAM)
        address = Address(*bound.getsockname())
        known = [running[0].node.table.own.address] if running else []
        node = KademliaNode(address, rng=Random(number), record=lambda event, _: events.append(event), known=known)
        running.append(DatagramHands(node, bound, wire, lambda event, _: events.append(event)))
        running[-1].input(lambda node, now: node.start(now))
        await until(lambda: sum(isinstance(event, NodeJoined) for event in events) >= len(running))
    try:
        yield running, events
    finally:
        for hands in running:
            hands.close()


async def until(condition: Callable[[], object], seconds: float = DEADLINE) -> None:
    """Let the event loop run until something is so."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def find_peers(hands: Hands, info_hash: bytes) -> list[Address]:
    """Look for peers once."""
    found: list[Address] = []
    over = asyncio.Event()

    def ask(node: KademliaNode, now: float) -> None:
        node.get_peers(info_hash, now, lambda peers, _: found.extend(peers), over.set)

    hands.input(ask)
    async with asyncio.timeout(DEADLINE):
        await over.wait()
    return found


async def tell_peers(addresses: Sequence[Address], info_hashes: Sequence[bytes]) -> None:
    told: set[tuple[bytes, Address]] = set()
    async with running_nodes(addresses) as (running, _):
        print("ready", flush=True)
        while True:
            for info_hash in info_hashes:
                for peer in await find_peers(running[0], info_hash):
                    if (info_hash, peer) not in told:
                        told.add((info_hash, peer))
                        print(f"peer {info_hash.hex()} {peer}", flush=True)
            await asyncio.sleep(_ASK_AGAIN)


def main() -> None:
    parser = argparse.ArgumentParser(description="nodes of ours")
    parser.add_argument("addresses", nargs="+", type=parse_address, metavar="HOST:PORT")
    parser.add_argument("--look-for", nargs="*", type=bytes.fromhex, default=[], metavar="INFO_HASH")
    chosen = parser.parse_args()
    asyncio.run(tell_peers(chosen.addresses, chosen.look_for))


if __name__ == "__main__":
    main()
