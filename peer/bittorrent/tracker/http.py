"""The tracker over HTTP/1.0 and 1.1: GET /announce, /scrape and /, persistent connections, answers in order.

    connection: waiting -- a whole head arrives --> answered -- kept --> waiting
                   |                                   `-- HTTP/1.0, `Connection: close`, any error --> closed
                   `-- no whole head within TIMEOUT of the last answer --> closed

The deadline runs from the opening or the last answer. Bytes that arrive do not move it, so sending slowly gains
nothing. A client that does not read its answers is not read either: a connection holds at most one full buffer each
way.
"""

import asyncio
from collections.abc import Callable
from socket import inet_aton
from typing import Final, cast

from contract.wording import counted
from peer.bittorrent.tracker.registry import Registry
from peer.bittorrent.wire.tracker.http import (
    decode_announce_query,
    decode_scrape_query,
    encode_announce_response,
    encode_failure,
    encode_scrape_response,
)
from peer.bittorrent.wire.tracker.messages import Failure
from peer.errors import WireError
from peer.net.http import (
    HttpError,
    Request,
    encode_response,
    parse_request,
    take_head,
)

TIMEOUT: Final = 15.0
MOST_CONNECTIONS: Final = 2_000
MOST_LINE: Final = 4_096


class HttpServer:
    """All HTTP connections of a tracker."""

    def __init__(
        self,
        registry: Registry,
        clock: Callable[[], float],
        *,
        most_connections: int = MOST_CONNECTIONS,
        timeout: float = TIMEOUT,
    ) -> None:
        self._registry = registry
        self.clock = clock
        self.connections: set[_Connection] = set()
        self._most_connections = most_connections
        self.timeout = timeout

    def connection(self) -> asyncio.Protocol:
        """Make the protocol of a new connection, for asyncio."""
        return _Connection(self)

    @property
    def is_full(self) -> bool:
        """Whether there are more connections than allowed."""
        return len(self.connections) > self._most_connections

    def drop_overdue(self) -> None:
        """End the connections whose deadline has passed."""
        now = self.clock()
        for connection in [one for one in self.connections if one.deadline <= now]:
            connection.abort()

    def close(self) -> None:
        """End all connections once their answers have been sent."""
        for connection in list(self.connections):
            connection.close()

    def abort(self) -> None:
        """End all connections now."""
        for connection in list(self.connections):
            connection.abort()

    def answer(self, request: Request, host: bytes) -> bytes:
        """Return the body of an answer. What the tracker protocol refuses is a bencoded body: clients read no other."""
        query = request.query.encode("latin-1")
        try:
            match request.path:
                case "/announce":
                    return self._announce(query, host)
                case "/scrape":
                    return self._scrape(query)
                case "/":
                    return self._summary()
        except WireError as error:
            return encode_failure(Failure(str(error)))
        raise HttpError(404, "expected /announce or /scrape")

    def _announce(self, query: bytes, host: bytes) -> bytes:
        answer = self._registry.announce(decode_announce_query(query), host, self.clock())
        return encode_failure(answer) if isinstance(answer, Failure) else encode_announce_response(answer)

    def _scrape(self, query: bytes) -> bytes:
        answer = self._registry.scrape(decode_scrape_query(query), self.clock())
        return encode_failure(answer) if isinstance(answer, Failure) else encode_scrape_response(answer)

    def _summary(self) -> bytes:
        registry = self._registry
        return (
            f"A BitTorrent tracker: {counted(registry.torrent_count, 'torrent')},"
            f" {counted(registry.peer_count, 'peer')}.\n"
        ).encode()


class _Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._buffer = bytearray()
        self._host = b""
        self.is_congested = False
        self.deadline = server.clock() + server.timeout

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._server.connections.add(self)
        peername = transport.get_extra_info("peername")
        if peername is None:  # It has disconnected already.
            self.abort()
        elif self._server.is_full:
            self._refuse(HttpError(503, "too many connections; try again later"))
        else:
            self._host = inet_aton(peername[0])

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._server.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._answer_all()

    def pause_writing(self) -> None:
        self.is_congested = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self.is_congested = False
        self._transport.resume_reading()
        self._answer_all()

    def close(self) -> None:
        """End after sending what is written."""
        self._buffer.clear()
        self._transport.close()

    @property
    def buffered_bytes(self) -> int:
        """The memory that this client's requests and answers take."""
        return len(self._buffer) + self._transport.get_write_buffer_size()

    def abort(self) -> None:
        """End at once."""
        self._transport.abort()

    def _answer_all(self) -> None:
        try:
            while self._buffer and not self.is_congested and not self._transport.is_closing():
                head = take_head(self._buffer, MOST_LINE)
                if head is None:
                    return
                self._answer(parse_request(head))
        except HttpError as error:
            self._refuse(error)

    def _answer(self, request: Request) -> None:
        body = self._server.answer(request, self._host)
        self.deadline = self._server.clock() + self._server.timeout
        self._transport.write(_encode(200, body, is_last=request.is_last))
        if request.is_last:
            self.close()

    def _refuse(self, error: HttpError) -> None:
        self._transport.write(_encode(error.status, encode_failure(Failure(str(error))), is_last=True))
        self.close()


def _encode(status: int, body: bytes, *, is_last: bool) -> bytes:
    headers = {"Content-Type": "text/plain", "Content-Length": len(body)}
    return encode_response(status, headers, is_last=is_last) + body
