"""The server of the client-server scheme: one file over HTTP, from the page cache to sockets by sendfile.

    connection: waiting -- a whole head arrives --> answering -- all sent --> waiting
                   |                                   |  `-- `Connection: close`, HTTP/1.0, any error --> ending
                   |                                   `-- the client takes nothing for STALLED seconds --> closed
                   `-- no whole head within TIMEOUT of the last answer --> closed
    ending: nothing more is sent, what still arrives is ignored -- end of stream, or LINGER seconds --> closed
            (closing at once, with something unread, would reset the connection and discard the answer)

While an answer is being sent the client is not read: what it sends meanwhile waits in the kernel, and no memory grows.
Connections take turns: each sends what its socket takes, at most BYTES_PER_TURN, and TCP shares the uplink among them.
The kernel holds little unsent data, so what counts as sent is nearly on the wire.

Sockets are read and written here when the loop reports them ready: uvloop has no sendfile.
"""

import asyncio
import os
import socket
from contextlib import suppress
from time import monotonic
from typing import Final

from peer.distribution.client_server.ranges import (
    METHODS,
    Answer,
    Entity,
    answer,
    refusal,
)
from peer.files import OpenFile
from peer.net.address import Address
from peer.net.http import HttpError, parse_request, take_head
from peer.net.listener import Listener
from peer.net.poller import running_poller
from peer.net.sockets import explain
from peer.trace.recorder import TraceRecorder

TIMEOUT: Final = 15.0
STALLED: Final = 60.0
LINGER: Final = 2.0
MOST_CONNECTIONS: Final = 2_000
BYTES_PER_TURN: Final = 256 << 10
_MOST_UNSENT: Final = 128 << 10
_READ: Final = 4 << 10
_NO_ANSWER: Final = Answer(b"", range(0), is_last=False)


class Site:
    """A file and all connections that it is served over."""

    def __init__(
        self, file: OpenFile, path: str, recorder: TraceRecorder, *, most_connections: int = MOST_CONNECTIONS
    ) -> None:
        self.file: Final = file
        self.entity: Final = Entity(path, file.length, file.version)
        self.recorder: Final = recorder
        self._most_connections: Final = most_connections
        self._connections: Final[set[_Connection]] = set()

    def listen(self, bound: socket.socket) -> Listener:
        """Accept connections from now on."""
        return Listener(bound, asyncio.get_running_loop(), self._accept)

    def drop_overdue(self) -> None:
        """Close the connections whose deadline has passed."""
        now = monotonic()
        for connection in [connection for connection in self._connections if connection.deadline <= now]:
            connection.close("its deadline has passed", by_us=True)

    def close(self, reason: str) -> None:
        for connection in list(self._connections):
            connection.close(reason, by_us=True)

    def forget(self, connection: "_Connection") -> None:
        """Drop a connection that has been closed."""
        self._connections.discard(connection)

    def _accept(self, connected: socket.socket, address: Address) -> None:
        if len(self._connections) >= self._most_connections:
            error = HttpError(503, "too many connections; try again later")
            with suppress(OSError), connected:
                connected.send(refusal(error, self.entity))
            return
        self._connections.add(_Connection(connected, address, self))


class _Connection:
    """One connection."""

    def __init__(self, connected: socket.socket, address: Address, site: Site) -> None:
        self._socket = connected
        self._fd = connected.fileno()
        self._site = site
        self._key = site.recorder.connected(str(address), is_outgoing=False)
        self._poller = running_poller()
        self._buffer = bytearray()
        self._answer = _NO_ANSWER
        self._is_answering = False
        self._is_ending = False
        self.deadline = monotonic() + TIMEOUT
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _MOST_UNSENT)
        self._poller.add_reader(self._fd, self._readable)

    def close(self, reason: str, *, by_us: bool) -> None:
        if self._socket.fileno() < 0:
            return
        self._poller.remove_reader(self._fd)
        self._poller.remove_writer(self._fd)
        self._socket.close()
        self._site.recorder.disconnected(self._key, reason, by_us=by_us)
        self._site.forget(self)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.close(explain(error), by_us=False)
            return
        if not data:
            self.close("closed by the other end", by_us=False)
            return
        if not self._is_ending:
            self._buffer += data
            self._take_request()

    def _take_request(self) -> None:
        try:
            head = take_head(self._buffer)
            if head is not None:
                self._begin(answer(parse_request(head, METHODS), self._site.entity))
        except HttpError as error:
            self._site.recorder.failed(f"a request is refused: {error}", self._key)
            self._begin(Answer(refusal(error, self._site.entity), range(0), is_last=True))

    def _begin(self, wanted: Answer) -> None:
        self._answer = wanted
        if not self._is_answering:
            self._is_answering = True
            self._poller.remove_reader(self._fd)
            self._poller.add_writer(self._fd, self._writable)

    def _writable(self) -> None:
        try:
            self._send()
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.close(explain(error), by_us=False)
            return
        if not self._answer.head and not self._answer.body:
            self._end_answer()

    def _send(self) -> None:
        """Send some of the answer, and keep the rest of it."""
        head, body = self._answer.head, self._answer.body
        if head:
            head = head[self._socket.send(head, socket.MSG_MORE if body else 0) :]
        elif body:
            count = os.sendfile(self._fd, self._site.file.fileno(), body.start, min(len(body), BYTES_PER_TURN))
            if not count:
                self._site.recorder.failed(f"{self._site.file.path} was cut short at byte {body.start}", self._key)
                raise ConnectionAbortedError("the file was cut short")
            self._site.recorder.moved(self._key, sent=count)
            body = body[count:]
        self._answer = Answer(head, body, self._answer.is_last)
        self.deadline = monotonic() + STALLED

    def _end_answer(self) -> None:
        self._is_answering = False
        self._poller.remove_writer(self._fd)
        self._poller.add_reader(self._fd, self._readable)
        if self._answer.is_last:
            self._is_ending = True
            self.deadline = monotonic() + LINGER
            with suppress(OSError):  # it may have disconnected already, which the reader finds out
                self._socket.shutdown(socket.SHUT_WR)
        else:
            self.deadline = monotonic() + TIMEOUT
            self._take_request()
