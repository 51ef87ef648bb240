"""The tracker's HTTP server over loopback, with well-behaved and hostile clients."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.tracker.http import MOST_LINE, HttpServer
from peer.bittorrent.tracker.registry import Policy, Registry
from peer.bittorrent.wire.tracker.http import announce_url, decode_announce_response
from peer.bittorrent.wire.tracker.messages import (
    AnnounceRequest,
    AnnounceResponse,
    Event,
    Failure,
)
from peer.net.address import Address
from peer.net.http import MOST_HEAD, HttpError, Request, parse_request, take_head

ASK = AnnounceRequest(b"A" * 20, b"p" * 20, 6881, 0, 0, left=1)
TIMEOUT = 15.0
SOON = 5.0


class Listening:
    """A server that listens, with a clock to set by hand."""

    def __init__(self, most_connections: int) -> None:
        self.now = 0.0
        registry = Registry(Policy(), random.Random(1))
        self.http = HttpServer(registry, lambda: self.now, most_connections=most_connections, timeout=TIMEOUT)
        self.port = 0
        self.clients: list[Client] = []

    async def connect(self) -> "Client":
        self.clients.append(Client(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self.clients[-1]

    async def end(self) -> None:
        self.http.abort()
        for client in self.clients:
            await client.end()
        while self.http.connections:
            await asyncio.sleep(0)


class Client:
    """A connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, target: str, *headers: str, version: str = "1.1") -> tuple[int, bytes]:
        self.writer.write("\r\n".join([f"GET {target} HTTP/{version}", *headers, "", ""]).encode("latin-1"))
        return await self.answer()

    async def answer(self) -> tuple[int, bytes]:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), SOON)
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:"))
        return int(head.split()[1]), await asyncio.wait_for(self.reader.readexactly(length), SOON)

    async def end(self) -> None:
        self.writer.transport.abort()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

    async def is_ended(self) -> bool:
        """Wait for the server to close; doing so with unread data resets the connection."""
        with suppress(ConnectionError):
            return await asyncio.wait_for(self.reader.read(), SOON) == b""
        return True


@asynccontextmanager
async def listening(most_connections: int = 10) -> AsyncIterator[Listening]:
    server = Listening(most_connections)
    accepting = await asyncio.get_running_loop().create_server(server.http.connection, "127.0.0.1", 0)
    server.port = accepting.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        accepting.close()
        await server.end()
        await accepting.wait_closed()


def with_server(talk: Callable[[Listening], Awaitable[None]], most_connections: int = 10) -> None:
    async def main() -> None:
        async with listening(most_connections) as server:
            await talk(server)

    asyncio.run(main())


def take_request(buffer: bytearray) -> Request | None:
    head = take_head(buffer, MOST_LINE)
    return None if head is None else parse_request(head)


def target(request: AnnounceRequest) -> str:
    return announce_url("/announce", request)


def test_peers_find_each_other_and_are_counted() -> None:
    async def talk(server: Listening) -> None:
        client = await server.connect()
        await client.ask(target(AnnounceRequest(b"A" * 20, b"q" * 20, 7, 0, 0, left=0, event=Event.COMPLETED)))
        status, body = await client.ask(target(ASK))
        answer = decode_announce_response(body)
        assert status == 200
        assert isinstance(answer, AnnounceResponse)
        assert answer.addresses() == [Address("127.0.0.1", 7)]
        assert (answer.complete, answer.incomplete) == (1, 1)
        _, body = await client.ask(f"/scrape?info_hash={'A' * 20}&info_hash={'B' * 20}")
        entry = b"d8:completei1e10:downloadedi1e10:incompletei1ee"
        assert body == b"d5:filesd20:" + b"A" * 20 + entry + b"ee"
        assert (await client.ask("/"))[1] == b"A BitTorrent tracker: 1 torrent, 2 peers.\n"

    with_server(talk)


def test_refused_announcement_gets_bencoded_reason_and_keeps_connection() -> None:
    async def talk(server: Listening) -> None:
        client = await server.connect()
        status, body = await client.ask("/announce?info_hash=short")
        assert status == 200
        assert decode_announce_response(body) == Failure("query, info_hash: expected 20 bytes, found 5")
        assert (await client.ask(target(ASK)))[0] == 200

    with_server(talk)


def test_pipelined_requests_are_answered_in_order() -> None:
    async def talk(server: Listening) -> None:
        client = await server.connect()
        asked = [f"GET {target(ASK)} HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"] * 500
        client.writer.write("".join(asked).encode())
        for _ in range(500):
            assert (await client.answer())[1].startswith(b"d8:complete")
            assert (await client.answer())[1].startswith(b"A BitTorrent tracker")

    with_server(talk)


def test_client_that_never_reads_is_not_read() -> None:
    async def talk(server: Listening) -> None:
        client = await server.connect()
        client.writer.write(b"GET / HTTP/1.1\r\n\r\n" * 2_000_000)
        while not any(connection.is_congested for connection in server.http.connections):
            await asyncio.sleep(0)
        (connection,) = server.http.connections
        for _ in range(300):
            await asyncio.sleep(0)
            assert connection.buffered_bytes < 400_000
        server.now += TIMEOUT
        server.http.drop_overdue()
        assert (await (await server.connect()).ask("/"))[0] == 200

    with_server(talk)


@pytest.mark.parametrize(
    ("version", "header", "is_kept"),
    [
        ("1.1", "Host: x", True),
        ("1.1", "Connection: close", False),
        ("1.0", "Host: x", False),
        ("1.0", "Connection: Keep-Alive", True),
    ],
)
def test_connection_persists_as_client_asks(version: str, header: str, is_kept: bool) -> None:
    async def talk(server: Listening) -> None:
        client = await server.connect()
        await client.ask("/", header, version=version)
        if is_kept:
            assert (await client.ask("/"))[0] == 200
        else:
            assert await client.is_ended()

    with_server(talk)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET announce HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST /announce HTTP/1.1\r\n\r\n", 405),
        (b"GET /etc/passwd HTTP/1.1\r\n\r\n", 404),
        (b"GET /" + b"a" * MOST_LINE, 414),
        (b"GET /" + b"a" * MOST_LINE + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nx: " + b"a" * MOST_HEAD, 431),
    ],
)
def test_bad_request_gets_status_and_close(sent: bytes, status: int) -> None:
    async def talk(server: Listening) -> None:
        client = await server.connect()
        client.writer.write(sent)
        answer = await client.answer()
        assert answer[0] == status
        assert isinstance(decode_announce_response(answer[1]), Failure)
        assert await client.is_ended()

    with_server(talk)


def test_huge_request_line_closes_only_its_connection() -> None:
    async def talk(server: Listening) -> None:
        honest, hostile = await server.connect(), await server.connect()
        hostile.writer.write(b"GET /" + b"a" * (1 << 20))
        await honest.ask("/")
        assert await hostile.is_ended()
        assert len(server.http.connections) == 1
        assert (await honest.ask("/"))[0] == 200

    with_server(talk)


def test_slow_request_times_out() -> None:
    async def talk(server: Listening) -> None:
        honest, slow = await server.connect(), await server.connect()
        slow.writer.write(b"GET / HT")
        server.now = TIMEOUT - 1
        assert (await honest.ask("/"))[0] == 200
        slow.writer.write(b"TP/1.1\r\n")
        server.now = TIMEOUT
        server.http.drop_overdue()
        assert await slow.is_ended()
        assert (await honest.ask("/"))[0] == 200

    with_server(talk)


def test_aborted_request_leaves_no_connection() -> None:
    async def talk(server: Listening) -> None:
        gone = await server.connect()
        gone.writer.write(b"GET /announce?info")
        gone.writer.write_eof()
        assert await gone.is_ended()
        assert (await (await server.connect()).ask("/"))[0] == 200
        assert len(server.http.connections) == 1

    with_server(talk)


def test_excess_connection_is_refused() -> None:
    async def talk(server: Listening) -> None:
        first = await server.connect()
        await first.ask("/")
        assert (await (await server.connect()).answer())[0] == 503
        assert (await first.ask("/"))[0] == 200

    with_server(talk, most_connections=1)


@given(st.binary(max_size=300) | st.builds(lambda junk: b"GET /" + junk + b"\r\n\r\n", st.binary(max_size=200)))
def test_any_bytes_give_request_error_or_nothing(data: bytes) -> None:
    buffer = bytearray(data)
    with suppress(HttpError):
        assert (take_request(buffer) is None) == (b"\r\n\r\n" not in data)


@given(st.integers(1, 200))
def test_request_may_be_split_anywhere(cut: int) -> None:
    data = f"GET {target(ASK)} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    buffer = bytearray(data[:cut])
    if cut < len(data):
        assert take_request(buffer) is None
        buffer += data[cut:] + b"GET"
    request = take_request(buffer)
    assert request is not None
    assert (request.path, request.is_last, bytes(buffer)) == ("/announce", False, b"GET" if cut < len(data) else b"")
