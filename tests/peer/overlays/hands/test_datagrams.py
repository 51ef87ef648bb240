"""Nodes on real sockets: what they ask for is done, and what it cost is recorded."""

import asyncio
from collections.abc import Callable, Coroutine
from math import inf
from random import Random
from socket import AF_INET, SOCK_DGRAM, socket
from typing import Any, TypeAlias

from contract.events import TraceEvent
from contract.overlay_events import UPKEEP, NodeErred, NodeJoined, NodeState, SearchEnded, Spent
from peer.net.address import Address
from peer.net.sockets import bound_socket
from peer.overlays.content import Item, Wanted
from peer.overlays.hands.datagrams import DatagramHands
from peer.overlays.kademlia import wire
from peer.overlays.kademlia.node import KademliaNode

Run: TypeAlias = Callable[[Coroutine[Any, Any, Any]], Any]
SEARCH = "5" * 32


class Running:
    """A node of the DHT on the loopback interface, and what it recorded."""

    def __init__(self, number: int, known: list[Address], items: list[str]) -> None:
        self.events: list[TraceEvent] = []
        self.changed = asyncio.Event()
        bound = bound_socket(Address("127.0.0.1", 0), SOCK_DGRAM)
        self.address = Address(*bound.getsockname())
        node = KademliaNode(
            self.address, rng=Random(number), record=self.record, known=known, items=[Item(name) for name in items]
        )
        self.hands = DatagramHands(node, bound, wire, self.record)
        self.hands.input(lambda node, now: node.start(now))

    def record(self, event: TraceEvent, _now: float) -> None:
        self.events.append(event)
        self.changed.set()

    def found(self, kind: type[TraceEvent]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


async def search() -> tuple[Running, Running]:
    """Let one node find what another shares, and record what it cost."""
    first = Running(1, [], [])
    second = Running(2, [first.address], ["song"])
    await second.until(lambda: second.found(NodeJoined))
    await first.until(lambda: first.hands.node.entries >= 2)
    third = Running(3, [first.address], [])
    await third.until(lambda: third.found(NodeJoined))
    third.hands.input(lambda node, now: node.search(SEARCH, Wanted("song"), now))
    await third.until(lambda: third.found(SearchEnded))
    for running in (first, second, third):
        running.hands.close()
    return second, third


def test_a_search_over_sockets_finds_the_holder_and_is_charged(run: Run) -> None:
    second, third = run(search())
    (end,) = third.found(SearchEnded)
    assert (end.outcome, end.answers) == ("found", 1)
    spent = third.found(Spent)
    sent = [row for each in spent for row in each.sent if row[0] == SEARCH]
    charged = [row for each in spent for row in each.charged if row[0] == SEARCH]
    assert sum(row[1] for row in sent) == sum(row[1] for row in charged) == 2
    assert 0 < sum(row[2] for row in sent) < sum(row[2] for row in charged)
    assert sum(each.messages_received for each in spent) >= 3
    assert {row[0] for each in second.found(Spent) for row in each.sent} == {UPKEEP}
    assert str(second.address) in third.found(NodeState)[-1].neighbours


async def send_rubbish() -> tuple[Running, bytes]:
    running = Running(1, [], [])
    with socket(AF_INET, SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.setblocking(False)
        stranger.sendto(b"rubbish", running.address)
        stranger.sendto(b"d1:ade1:q4:ping1:t2:aa1:y1:qe", running.address)
        await running.until(lambda: len(running.found(NodeErred)) == 2)
        answer = await asyncio.get_running_loop().sock_recv(stranger, 1000)
    running.hands.close()
    return running, answer


def test_bytes_that_are_no_message_go_to_the_node_as_such(run: Run) -> None:
    running, answer = run(send_rubbish())
    assert "expected an entry 'id'" in running.found(NodeErred)[1].what
    assert b"i203e" in answer


class Clock:
    """A node that asks to be woken three times."""

    neighbours = ()
    entries = 0

    def __init__(self) -> None:
        self.wakes_at = 0.0
        self.ticks: list[float] = []
        self.over = asyncio.Event()

    def tick(self, now: float) -> None:
        self.ticks.append(now)
        self.wakes_at = now + 0.01 if len(self.ticks) < 3 else inf
        if len(self.ticks) == 3:
            self.over.set()

    def next_deadline(self) -> float:
        return self.wakes_at

    def take_actions(self) -> list[Any]:
        return []


async def wake() -> list[float]:
    clock: Any = Clock()
    hands = DatagramHands(clock, bound_socket(Address("127.0.0.1", 0), SOCK_DGRAM), wire, lambda _event, _now: None)
    hands.input(lambda _node, _now: None)
    async with asyncio.timeout(20):
        await clock.over.wait()
    hands.close()
    return list(clock.ticks)


def test_a_node_is_woken_when_it_asks_for_it(run: Run) -> None:
    ticks = run(wake())
    assert len(ticks) == 3
    assert ticks == sorted(ticks)
