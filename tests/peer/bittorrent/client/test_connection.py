"""One connection over real TCP on loopback: blocks to and from their places, limits, and how it ends."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeAlias

import pytest

from peer.bittorrent.client.connections.connection import MOST_MESSAGES, READ_BUFFER, Connection
from peer.bittorrent.wire.handshake import Handshake
from peer.bittorrent.wire.messages import (
    Have,
    KeepAlive,
    Message,
    PieceHeader,
    Request,
    encode,
)

BLOCK = 16 << 10
SOON = 5.0
HELLO = Handshake(b"i" * 20, b"p" * 20)


@dataclass
class Owner:
    """Records what a connection reports, and has blocks to send."""

    messages: list[Handshake | Message] = field(default_factory=list)
    received: list[PieceHeader] = field(default_factory=list)
    sent: list[Request] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    endings: list[str] = field(default_factory=list)
    places: dict[PieceHeader, memoryview] = field(default_factory=dict)
    blocks: list[tuple[Request, memoryview]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    is_shut: bool = False
    turns: list[int] = field(default_factory=list)

    def message_received(self, _: Connection, message: Handshake | Message, _now: float) -> None:
        self.messages.append(message)

    def block_began(self, _: Connection, header: PieceHeader, _now: float) -> memoryview | None:
        return self.places.get(header)

    def block_received(self, _: Connection, header: PieceHeader, _now: float) -> None:
        self.received.append(header)

    def may_begin(self, _: Connection, _now: float) -> bool:
        return not self.is_shut

    def next_block(self, _: Connection, _now: float) -> tuple[Request, memoryview] | None:
        return self.blocks.pop(0) if self.blocks else None

    def block_sent(self, _: Connection, request: Request, _now: float) -> None:
        self.sent.append(request)

    def protocol_error(self, _: Connection, error: str, _now: float) -> None:
        self.errors.append(error)

    def disconnected(self, _: Connection, reason: str, _now: float) -> None:
        self.endings.append(reason)

    def settle(self, _now: float) -> None:
        self.turns.append(len(self.messages))
        self.changed.set()

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(SOON):
            while not holds():
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def connected(owner: Owner) -> AsyncIterator[tuple[Connection, socket.socket]]:
    """Yield a connection and the socket at its other end."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as theirs:
        theirs.setblocking(False)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        await loop.sock_connect(theirs, server.getsockname())
        ours, _ = server.accept()
        ours.setblocking(False)
        buffer = memoryview(bytearray(READ_BUFFER))
        connection = Connection(ours, 1, owner, loop=loop, buffer=buffer, piece_count=None)
        try:
            yield connection, theirs
        finally:
            connection.cut()


Run: TypeAlias = Callable[[Coroutine[Any, Any, Any]], Any]


def say(theirs: socket.socket, data: bytes) -> Awaitable[None]:
    return asyncio.get_running_loop().sock_sendall(theirs, data)


async def hear(theirs: socket.socket, count: int) -> bytes:
    data = b""
    async with asyncio.timeout(SOON):
        while len(data) < count:
            more = await asyncio.get_running_loop().sock_recv(theirs, count - len(data))
            assert more, f"ended after {len(data)} of {count} bytes"
            data += more
    return data


def test_block_lands_in_place_and_unwanted_is_dropped(run: Run) -> None:
    async def body() -> None:
        owner = Owner()
        wanted, unwanted = PieceHeader(1, 0, BLOCK), PieceHeader(2, 0, BLOCK)
        place = bytearray(BLOCK)
        owner.places[wanted] = memoryview(place)
        async with connected(owner) as (_, theirs):
            stream = [HELLO.encode(), encode(unwanted), b"u" * BLOCK, encode(wanted), b"w" * BLOCK, encode(Have(3))]
            await say(theirs, b"".join(stream))
            await owner.until(lambda: len(owner.messages) == 2)
        assert owner.messages == [HELLO, Have(3)]
        assert owner.received == [unwanted, wanted]
        assert place == b"w" * BLOCK

    run(body())


def test_trickling_block_does_not_wake_us_per_packet(run: Run) -> None:
    async def body() -> None:
        owner, header, place = Owner(), PieceHeader(1, 0, BLOCK), bytearray(BLOCK)
        owner.places[header] = memoryview(place)
        async with connected(owner) as (_, theirs):
            await say(theirs, HELLO.encode() + encode(header) + b"x" * 1024)
            await owner.until(lambda: place[1023])
            turns = len(owner.turns)
            for _chunk in range(BLOCK // 1024 - 1):
                await say(theirs, b"x" * 1024)
                for _turn_of_the_loop in range(5):
                    await asyncio.sleep(0)
            await owner.until(lambda: owner.received)
            assert len(owner.turns) == turns + 1
            await say(theirs, encode(Have(1)))
            await owner.until(lambda: owner.messages == [HELLO, Have(1)])
        assert place == b"x" * BLOCK

    run(body())


def test_disconnection_within_a_block_is_reported_at_once(run: Run) -> None:
    async def body() -> None:
        owner, header, place = Owner(), PieceHeader(1, 0, BLOCK), bytearray(BLOCK)
        owner.places[header] = memoryview(place)
        async with connected(owner) as (_, theirs):
            await say(theirs, HELLO.encode() + encode(header) + b"x" * 100)
            await owner.until(lambda: place[99])
            theirs.shutdown(socket.SHUT_WR)
            await owner.until(lambda: owner.endings)
        assert owner.endings == ["closed by the other end"]

    run(body())


def test_diverted_block_leaves_its_place_alone(run: Run) -> None:
    async def body() -> None:
        owner, header, place = Owner(), PieceHeader(1, 0, BLOCK), bytearray(BLOCK)
        owner.places[header] = memoryview(place)
        async with connected(owner) as (connection, theirs):
            await say(theirs, HELLO.encode() + encode(header) + b"x" * 100)
            await owner.until(lambda: place[99])
            connection.divert()
            await say(theirs, b"y" * (BLOCK - 100) + encode(Have(1)))
            await owner.until(lambda: len(owner.messages) == 2)
        assert place == b"x" * 100 + bytes(BLOCK - 100)
        assert owner.received == [header]

    run(body())


def test_blocks_are_sent_from_their_place_and_counted(run: Run) -> None:
    async def body() -> None:
        owner = Owner()
        requests = [Request(index, 0, BLOCK) for index in range(100)]
        owner.blocks = [(request, memoryview(bytes([request.index]) * BLOCK)) for request in requests]
        async with connected(owner) as (connection, theirs):
            connection.offer_blocks()
            connection.flush(0)
            assert 0 < len(owner.blocks) < 100
            received = await hear(theirs, 100 * (13 + BLOCK))
            await owner.until(lambda: len(owner.sent) == 100)
        assert owner.sent == requests
        expected = [encode(PieceHeader(n, 0, BLOCK)) + bytes([n]) * BLOCK for n in range(100)]
        assert received == b"".join(expected)

    run(body())


def test_few_blocks_are_taken_for_a_slow_reader(run: Run) -> None:
    async def body() -> None:
        owner = Owner()
        owner.blocks = [(Request(index, 0, BLOCK), memoryview(bytes(BLOCK))) for index in range(1000)]
        async with connected(owner) as (connection, _):
            connection.offer_blocks()
            connection.flush(0)
            await asyncio.sleep(0)
            taken = 1000 - len(owner.blocks)
            for _ in range(1000):
                connection.flush(0)
            assert 1000 - len(owner.blocks) == taken
            assert taken - len(owner.sent) <= 1

    run(body())


def test_rate_limited_connection_waits_for_its_turn(run: Run) -> None:
    async def body() -> None:
        owner = Owner(is_shut=True)
        owner.blocks = [(Request(index, 0, 10), memoryview(bytes(10))) for index in range(2)]
        async with connected(owner) as (connection, theirs):
            connection.offer_blocks()
            connection.flush(0)
            connection.flush(0)
            assert owner.sent == []
            connection.start_block(0)
            assert owner.sent == [Request(0, 0, 10)]
            connection.start_block(0)
            connection.start_block(0)
            await hear(theirs, 2 * (13 + 10))
        assert owner.sent == [Request(0, 0, 10), Request(1, 0, 10)]

    run(body())


def test_neighbour_that_never_reads_is_disconnected(run: Run) -> None:
    async def body() -> None:
        owner = Owner()
        have = encode(Have(1))
        async with connected(owner) as (connection, _):
            count = 0
            while not owner.endings:
                connection.send(have, 0)
                connection.flush(0)
                count += 1
                assert count * len(have) < MOST_MESSAGES + (8 << 20)
        assert owner.endings == ["it does not read what we send"]

    run(body())


def test_flood_of_messages_does_not_hold_up_others(run: Run) -> None:
    async def body() -> None:
        owner = Owner()
        async with connected(owner) as (_, theirs):
            await say(theirs, HELLO.encode() + encode(KeepAlive()) * 100_000)
            await owner.until(lambda: len(owner.messages) == 100_001)
        steps = [later - earlier for earlier, later in pairwise(owner.turns)]
        assert max(steps) <= (16 << 10) // 4

    run(body())


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n", HELLO.encode() + b"\xff\xff\xff\xff"])
def test_malformed_bytes_are_reported_once(run: Run, garbage: bytes) -> None:
    async def body() -> None:
        owner = Owner()
        async with connected(owner) as (_, theirs):
            await say(theirs, garbage)
            await owner.until(lambda: owner.errors)
        assert len(owner.errors) == 1
        assert owner.endings == []

    run(body())


def test_end_by_the_other_side_is_reported_once(run: Run) -> None:
    async def body() -> None:
        owner = Owner()
        async with connected(owner) as (_, theirs):
            await say(theirs, HELLO.encode())
            theirs.close()
            await owner.until(lambda: owner.endings)
        assert owner.endings == ["closed by the other end"]

    run(body())


def test_end_by_us_flushes_messages_and_reports_nothing(run: Run) -> None:
    async def body() -> None:
        owner, ended = Owner(), asyncio.Event()
        owner.blocks = [(Request(index, 0, BLOCK), memoryview(bytes(BLOCK))) for index in range(1000)]
        async with connected(owner) as (connection, theirs):
            connection.offer_blocks()
            connection.flush(0)
            connection.send(encode(Have(7)), 0)
            connection.end(ended.set)
            received = await everything(theirs)
            assert not ended.is_set()
            theirs.close()
            async with asyncio.timeout(SOON):
                await ended.wait()
        assert received.endswith(encode(Have(7)))
        assert owner.endings == []

    run(body())


def test_what_comes_during_the_end_resets_nothing(run: Run) -> None:
    async def body() -> None:
        ended = asyncio.Event()
        async with connected(Owner()) as (connection, theirs):
            await say(theirs, HELLO.encode())
            connection.end(ended.set)
            await say(theirs, bytes(1 << 20))
            assert await everything(theirs) == b""
            theirs.close()
            async with asyncio.timeout(SOON):
                await ended.wait()

    run(body())


def test_both_may_end_at_once(run: Run) -> None:
    async def body() -> None:
        ended = asyncio.Event()
        async with connected(Owner()) as (connection, theirs):
            await say(theirs, bytes(1 << 16))
            theirs.shutdown(socket.SHUT_WR)
            connection.send(encode(Have(7)), 0)
            connection.end(ended.set)
            assert await everything(theirs) == encode(Have(7))
            async with asyncio.timeout(SOON):
                await ended.wait()

    run(body())


@pytest.mark.parametrize("sends", [True, False], ids=["sends without end", "is silent"])
def test_the_other_end_cannot_hold_a_connection_open(run: Run, monkeypatch: pytest.MonkeyPatch, sends: bool) -> None:
    monkeypatch.setattr("peer.bittorrent.client.connections.ending.WAITING_TIME", SOON if sends else 0.01)
    monkeypatch.setattr("peer.bittorrent.client.connections.ending.MOST_DROPPED", 1 << 20)

    async def body() -> None:
        ended = asyncio.Event()
        async with connected(Owner()) as (connection, theirs):
            connection.end(ended.set)
            with suppress(ConnectionResetError, BrokenPipeError):
                while sends:
                    await say(theirs, bytes(1 << 16))
            async with asyncio.timeout(SOON / 2):
                await ended.wait()

    run(body())


async def everything(theirs: socket.socket) -> bytes:
    data = b""
    async with asyncio.timeout(SOON):
        while more := await asyncio.get_running_loop().sock_recv(theirs, 1 << 20):
            data += more
    return data


RESET = struct.pack("ii", 1, 0)
"""Of SO_LINGER: closing resets the connection, as it does where something is unread."""


@pytest.mark.parametrize("is_whole", [True, False], ids=["a whole block", "a part of a block"])
def test_a_reset_behind_data_is_noticed(run: Run, is_whole: bool) -> None:
    async def main() -> Owner:
        header, owner = PieceHeader(0, 0, BLOCK), Owner()
        owner.places[header] = memoryview(bytearray(BLOCK))
        async with connected(owner) as (_, theirs):
            await say(theirs, HELLO.encode())
            await owner.until(lambda: owner.messages)
            theirs.send(encode(header) + bytes(BLOCK if is_whole else 5000))
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            theirs.close()
            await owner.until(lambda: owner.endings)
            return owner

    owner = run(main())
    assert owner.endings == ["Connection reset by peer"]
    assert len(owner.received) == is_whole
