"""The tracker over HTTP/1.0 and 1.1: GET /announce, /scrape and /, connections kept, requests answered in turn.

    connection: waiting -- a whole head arrives --> answered -- kept --> waiting
                   |                                   `-- HTTP/1.0, `Connection: close`, any error --> closed
                   `-- no whole head within PATIENCE of the last answer --> closed

The deadline runs from the opening or the last answer, and no byte that arrives moves it: sending slowly gains nothing.
A client that does not read its answers is not read either: a connection holds one full buffer each way at most.
"""

import asyncio
import re
from collections.abc import Callable
from socket import inet_aton
from typing import Final, NamedTuple, cast

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

PATIENCE: Final = 15.0
MOST_CONNECTIONS: Final = 2_000
MOST_LINE: Final = 4_096
MOST_HEAD: Final = 8_192

_REQUEST_LINE: Final = re.compile(rb"([A-Z]{1,16}) (?:http://[^/?\s]*)?(/[^\x00-\x20\x7f]*) HTTP/1\.([01])")
_HEAD_END: Final = b"\r\n\r\n"
_REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class HttpError(Exception):
    """A request that is answered by a status and the end of the connection."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


class Request(NamedTuple):
    """What a client asks for; `is_last` if the connection is to be closed after the answer."""

    path: bytes
    query: bytes
    is_last: bool


def take_request(buffer: bytearray) -> Request | None:
    """Take the first request out of `buffer`; None if it is not all there yet. Raises HttpError."""
    end = buffer.find(_HEAD_END, 0, MOST_HEAD)
    if end < 0:
        _check_unfinished(buffer)
        return None
    line, *headers = bytes(buffer[:end]).split(b"\r\n")
    del buffer[: end + len(_HEAD_END)]
    return _request(line, dict(map(_header, headers)))


def _check_unfinished(buffer: bytearray) -> None:
    if buffer.find(b"\r\n", 0, MOST_LINE) < 0 and len(buffer) >= MOST_LINE:
        raise HttpError(414, f"expected a request line of less than {MOST_LINE} bytes")
    if len(buffer) >= MOST_HEAD:
        raise HttpError(431, f"expected a request of less than {MOST_HEAD} bytes")


def _request(line: bytes, headers: dict[bytes, bytes]) -> Request:
    if len(line) >= MOST_LINE:
        raise HttpError(414, f"expected a request line of less than {MOST_LINE} bytes")
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise HttpError(400, "expected a request line GET /announce?... HTTP/1.1")
    method, target, version = match.groups()
    if method != b"GET":
        raise HttpError(405, "expected GET")
    # A body would be read as the next request.
    if headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers:
        raise HttpError(400, "expected a request without a body")
    wish = headers.get(b"connection", b"").lower()
    path, _, query = target.partition(b"?")
    return Request(path, query, b"close" in wish if version == b"1" else b"keep-alive" not in wish)


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon:
        raise HttpError(400, "expected header lines name: value")
    return name.lower(), value.strip()


def reply(status: int, body: bytes, *, is_last: bool) -> bytes:
    """Write an answer."""
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
        f"Connection: {'close' if is_last else 'keep-alive'}\r\n\r\n"
    )
    return head.encode() + body


class HttpFace:
    """All the HTTP connections of a tracker."""

    def __init__(
        self,
        registry: Registry,
        clock: Callable[[], float],
        *,
        most_connections: int = MOST_CONNECTIONS,
        patience: float = PATIENCE,
    ) -> None:
        self._registry = registry
        self.clock = clock
        self.connections: set[_Connection] = set()
        self._most_connections = most_connections
        self.patience = patience

    def connection(self) -> asyncio.Protocol:
        """Make the protocol of a new connection."""
        return _Connection(self)

    @property
    def is_full(self) -> bool:
        """Whether there are more connections than allowed."""
        return len(self.connections) > self._most_connections

    def drop_overdue(self) -> None:
        """End the connections that keep us waiting."""
        now = self.clock()
        for connection in [one for one in self.connections if one.deadline <= now]:
            connection.abort()

    def close(self) -> None:
        """End all connections once their answers are sent."""
        for connection in list(self.connections):
            connection.close()

    def abort(self) -> None:
        """End all connections now."""
        for connection in list(self.connections):
            connection.abort()

    def body(self, request: Request, host: bytes) -> bytes:
        """Answer a request; what the tracker protocol refuses is a bencoded answer, for that is what clients read."""
        try:
            match request.path:
                case b"/announce":
                    return self._announce(request.query, host)
                case b"/scrape":
                    return self._scrape(request.query)
                case b"/":
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
        return f"A BitTorrent tracker: {registry.torrent_count} torrents, {registry.peer_count} peers.\n".encode()


class _Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, face: HttpFace) -> None:
        self._face = face
        self._buffer = bytearray()
        self._host = b""
        self.is_congested = False
        self.deadline = face.clock() + face.patience

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._face.connections.add(self)
        peername = transport.get_extra_info("peername")
        if peername is None:  # It is gone already.
            self.abort()
        elif self._face.is_full:
            self._refuse(HttpError(503, "too many connections; try again later"))
        else:
            self._host = inet_aton(peername[0])

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._face.connections.discard(self)

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
        """Send what is written, then end."""
        self._buffer.clear()
        self._transport.close()

    @property
    def held_bytes(self) -> int:
        """How much memory this client's requests and answers take."""
        return len(self._buffer) + self._transport.get_write_buffer_size()

    def abort(self) -> None:
        """End at once."""
        self._transport.abort()

    def _answer_all(self) -> None:
        try:
            while self._buffer and not self.is_congested and not self._transport.is_closing():
                request = take_request(self._buffer)
                if request is None:
                    return
                self._answer(request)
        except HttpError as error:
            self._refuse(error)

    def _answer(self, request: Request) -> None:
        body = self._face.body(request, self._host)
        self.deadline = self._face.clock() + self._face.patience
        self._transport.write(reply(200, body, is_last=request.is_last))
        if request.is_last:
            self.close()

    def _refuse(self, error: HttpError) -> None:
        self._transport.write(reply(error.status, encode_failure(Failure(str(error))), is_last=True))
        self.close()
