"""A connection with a neighbour: what is sent arrives, memory is bounded, and it ends in each of its ways."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import pytest

from contract.events import TraceEvent
from contract.overlay_events import NodeErred
from peer.net.address import Address
from peer.overlays.hands import link as link_module
from peer.overlays.hands.link import MOST_UNSENT, Link
from peer.overlays.hands.streams import StreamHands
from peer.overlays.overlay import Setup
from tests.peer.overlays.toys import LINE, LineDecoder, Parameters

Run = Callable[[Coroutine[Any, Any, Any]], Any]
SOMEBODY = Address("198.18.0.2", 6346)


class Ends:
    """A link, its owner, and the neighbour's socket."""

    def __init__(self) -> None:
        ours, self.far = socket.socketpair()
        ours.setblocking(False)
        self.far.setblocking(False)
        self.told: list[Any] = []
        self.is_told = asyncio.Event()
        self.link = Link(1, ours, SOMEBODY, LineDecoder(False), self)

    def link_received(self, _: Link, data: bytes) -> None:
        self._tell(data)

    def link_lost(self, _: Link, reason: str) -> None:
        self._tell(reason)

    def link_closed(self, _: Link) -> None:
        self._tell(None)

    def _tell(self, what: object) -> None:
        self.told.append(what)
        self.is_told.set()

    async def next(self) -> None:
        self.is_told.clear()
        await asyncio.wait_for(self.is_told.wait(), 10)

    async def read_all(self) -> bytes:
        found, loop = b"", asyncio.get_running_loop()
        while data := await loop.sock_recv(self.far, 1 << 16):
            found += data
        return found


def test_all_that_is_sent_arrives_before_the_end(run: Run) -> None:
    async def main() -> None:
        ends = Ends()
        parts = [Random(number).randbytes(90_000) for number in range(10)]
        assert all(ends.link.send(part) for part in parts)
        ends.link.finish()
        assert await ends.read_all() == b"".join(parts)
        assert ends.told == []
        ends.far.close()
        await ends.next()
        assert ends.told == [None]

    run(main())


def test_more_than_may_wait_ends_the_link_but_not_within_the_call(run: Run) -> None:
    async def main() -> None:
        ends = Ends()
        assert ends.link.send(bytes(MOST_UNSENT))
        assert not ends.link.send(b"x")
        assert (ends.link.is_closed, ends.told) == (True, [None])
        await ends.next()
        assert ends.told == [None, "it does not read what we send"]
        ends.far.close()

    run(main())


def test_neighbour_that_takes_nothing_is_given_up(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "STALLED", 0.05)

    async def main() -> None:
        ends = Ends()
        ends.link.send(bytes(MOST_UNSENT))
        await ends.next()
        assert ends.told == [None, "it reads nothing"]
        ends.far.close()

    run(main())


def test_departure_does_not_wait_for_ever(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "LINGER", 0.05)

    async def main() -> None:
        for waiting in (0, MOST_UNSENT):
            ends = Ends()
            ends.link.send(bytes(waiting))
            ends.far.send(b"this is ignored")
            ends.link.finish()
            await ends.next()
            assert ends.told == [None]
            ends.far.close()

    run(main())


def test_neighbour_speaks_and_ends(run: Run) -> None:
    async def main() -> None:
        ends = Ends()
        ends.far.send(b"hello")
        await ends.next()
        ends.far.close()
        await ends.next()
        assert ends.told == [b"hello", None, "closed by the other end"]

    run(main())


def test_connections_beyond_the_limit_are_refused(run: Run) -> None:
    async def main() -> None:
        events: list[TraceEvent] = []

        def record(event: TraceEvent, _: float) -> None:
            events.append(event)

        bound = socket.socket()
        bound.setblocking(False)
        bound.bind(("127.0.0.1", 0))
        address = Address(*bound.getsockname())
        node = LINE.roles["node"].make(Setup(address, (), (), Parameters(), Random(1), record))
        hands = StreamHands(node, bound, LINE, record, most_links=2)
        neighbours = [await asyncio.open_connection(*address) for _ in range(3)]
        assert await neighbours[2][0].read() == b""
        neighbours[0][1].write(b'{"hang up": 1}\n')
        assert await neighbours[0][0].read() == b'{"well": "bye"}\n'
        neighbours[0][1].close()
        hands.tell()
        refusals = [event.what for event in events if isinstance(event, NodeErred)]
        assert refusals == ["a connection was refused, as there are too many"]
        assert hands.node.neighbours == [Address(*neighbours[1][1].get_extra_info("sockname"))]
        for _, writer in neighbours[1:]:
            writer.close()
        await hands.end()

    run(main())
