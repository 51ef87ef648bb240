"""Files from node to node, by HTTP, each over a connection of its own. Content is as long as a file, and all zeros.

an upload:    a request is awaited, PATIENCE seconds
                |-- the node is asked; who asked waits, as long as the node makes it wait
                |-- `give` --> the content is sent; ended when the other end, which has it all, closes the connection
                `-- `refuse` --> the status is sent, and the connection ends
a download:   a call, a request, a head that is awaited without end, and so many bytes as it says

While content moves, STALLED seconds without progress end either. Little waits in the kernel, so that there is progress
as long as the link carries anything. A node that is only waited for is known to live by keep-alive.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from peer.errors import WireError
from peer.net.address import Address
from peer.net.dialler import Dialler
from peer.net.http import (
    HttpError,
    Request,
    encode_request,
    encode_response,
    parse_request,
    parse_response,
    take_head,
)
from peer.net.poller import running_poller
from peer.net.sockets import explain, keep_alive
from peer.overlays.node import Get, Give, Refuse

PATIENCE: Final = 10.0
STALLED: Final = 60.0
MOST_TRANSFERS: Final = 1_000
SEND_BUFFER: Final = 64 << 10
_AT_ONCE: Final = 64 << 10
_CONTENT: Final = memoryview(bytes(_AT_ONCE))


class Owner(Protocol):
    """Who is told of transfers, each time in a turn of the event loop of its own."""

    def upload_asked(self, upload: int, source: Address, request: Request) -> None: ...

    def upload_ended(self, upload: int, count: int) -> None: ...

    def download_began(self, download: str, size: int) -> None: ...

    def download_ended(self, download: str, count: int, problem: str) -> None: ...


class Transfers:
    """The uploads and downloads of one node, for one life."""

    def __init__(self, host: str, dial_timeout: float, owner: Owner) -> None:
        self._owner: Final = owner
        self._loop: Final = asyncio.get_running_loop()
        self._dialler: Final = Dialler(host, dial_timeout, self._loop)
        self._last_number = 0
        self._uploads: Final[dict[int, _Upload]] = {}
        self._connections: Final[set[_Connection]] = set()

    def accepted(self, connected: socket.socket, source: Address) -> None:
        """Take a connection whose first bytes are those of a request."""
        if len(self._connections) >= MOST_TRANSFERS:
            connected.close()
            return
        self._last_number += 1
        upload = _Upload(self._last_number, connected, source, self._owner, self._forget)
        self._uploads[upload.number] = upload
        self._connections.add(upload)

    def get(self, action: Get) -> None:
        """Both outcomes of the call arrive in a turn of the loop of their own: there no exception is lost."""
        self._dialler.dial(
            action.holder,
            lambda _, connected: self._soon(self._called, action, connected),
            lambda _, reason: self._soon(self._owner.download_ended, action.download, 0, reason),
        )

    def give(self, action: Give) -> None:
        if action.upload in self._uploads:
            self._uploads[action.upload].give(action.size)

    def refuse(self, action: Refuse) -> None:
        if action.upload in self._uploads:
            self._uploads[action.upload].refuse(action.status)

    def close(self) -> None:
        """End all at once; nobody is told."""
        self._dialler.close()
        for connection in list(self._connections):
            connection.close()

    def _soon(self, call: Callable[..., None], *arguments: object) -> None:
        self._loop.call_soon(call, *arguments)

    def _called(self, action: Get, connected: socket.socket) -> None:
        self._connections.add(_Download(action, connected, self._owner, self._forget))

    def _forget(self, connection: "_Connection") -> None:
        self._connections.discard(connection)
        if isinstance(connection, _Upload):
            self._uploads.pop(connection.number, None)


class _Connection:
    """A connection for one file."""

    def __init__(self, connected: socket.socket, closed: Callable[["_Connection"], None]) -> None:
        self._socket: Final = connected
        self._fd: Final = connected.fileno()
        self._closed: Final = closed
        self._poller: Final = running_poller()
        self._buffer: Final = bytearray()
        """Of a head that is not complete."""
        self._unsent: Final = bytearray()
        self._content_left = 0
        """Bytes of content to send after that."""
        self._deadline: asyncio.TimerHandle | None = None
        with suppress(OSError):  # it has ended already, which the reader finds out
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            keep_alive(connected)
        self._poller.add_reader(self._fd, self._readable)

    def close(self) -> None:
        if self._socket.fileno() < 0:
            return
        self._wait_for(None, "")
        self._poller.remove_reader(self._fd)
        self._poller.remove_writer(self._fd)
        self._socket.close()
        self._closed(self)

    def _received(self, data: bytes) -> None:
        raise NotImplementedError

    def _ended(self, problem: str) -> None:
        """The connection is closed."""
        raise NotImplementedError

    def _sent(self, content: int) -> None:
        """So many bytes of content were given to the kernel."""

    def _end(self, problem: str) -> None:
        if self._socket.fileno() >= 0:
            self.close()
            self._ended(problem)

    def _wait_for(self, seconds: float | None, problem: str) -> None:
        """End with this problem unless something happens within so many seconds."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None
        if seconds is not None:
            self._deadline = asyncio.get_running_loop().call_later(seconds, self._end, problem)

    def _send(self, head: bytes, content: int = 0) -> None:
        self._unsent.extend(head)
        self._content_left = content
        self._poller.add_writer(self._fd, self._writable)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(explain(error))
            return
        if data:
            self._received(data)
        else:
            self._end("closed by the other end")

    def _writable(self) -> None:
        try:
            if self._unsent:
                with memoryview(self._unsent) as view:
                    count = self._socket.send(view)
                del self._unsent[:count]
            elif self._content_left:
                count = self._socket.send(_CONTENT[: min(self._content_left, _AT_ONCE)])
                self._content_left -= count
                self._sent(count)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(explain(error))
            return
        if not self._unsent and not self._content_left:
            self._poller.remove_writer(self._fd)


class _Upload(_Connection):
    """Somebody who asks, and gets it from us."""

    def __init__(
        self,
        number: int,
        connected: socket.socket,
        source: Address,
        owner: Owner,
        closed: Callable[[_Connection], None],
    ) -> None:
        super().__init__(connected, closed)
        self.number: Final = number
        self._source: Final = source
        self._owner: Final = owner
        self._has_asked = False
        self._is_refused = False
        self._count = 0
        self._wait_for(PATIENCE, "no request in time")

    def give(self, size: int) -> None:
        self._send(encode_response(200, {"Content-Length": size}, is_last=True), size)
        self._wait_for(STALLED, "it reads nothing")

    def refuse(self, status: int) -> None:
        self._is_refused = True
        self._send(encode_response(status, {"Content-Length": 0}, is_last=True))
        self._wait_for(PATIENCE, "it does not go")

    def _received(self, data: bytes) -> None:
        """Take the request; whatever comes after it is none of ours."""
        if self._has_asked or self._is_refused:
            return
        self._buffer.extend(data)
        try:
            head = take_head(self._buffer)
            request = parse_request(head) if head is not None else None
        except HttpError as error:
            self.refuse(error.status)
            return
        if request is not None:
            self._has_asked = True
            self._wait_for(None, "")
            self._owner.upload_asked(self.number, self._source, request)

    def _sent(self, content: int) -> None:
        self._count += content
        self._wait_for(STALLED, "it reads nothing")

    def _ended(self, problem: str) -> None:  # noqa: ARG002
        if self._has_asked and not self._is_refused:
            self._owner.upload_ended(self.number, self._count)


class _Download(_Connection):
    """Something that we ask for."""

    def __init__(
        self, action: Get, connected: socket.socket, owner: Owner, closed: Callable[[_Connection], None]
    ) -> None:
        super().__init__(connected, closed)
        self._name: Final = action.download
        self._owner: Final = owner
        self._size: int | None = None
        """Of the content, once the head has come."""
        self._count = 0
        fields = {"Host": str(action.holder), "Connection": "close", **dict(action.headers)}
        self._send(encode_request(action.target, fields))

    def _received(self, data: bytes) -> None:
        if self._size is not None:
            self._got_content(len(data))
            return
        self._buffer.extend(data)
        try:
            head = take_head(self._buffer)
            size = None if head is None else _length_in(head)
        except WireError as error:
            self._end(str(error))
            return
        if size is not None:
            self._size = size
            self._owner.download_began(self._name, size)
            self._got_content(len(self._buffer))

    def _got_content(self, count: int) -> None:
        self._count += count
        if self._size is not None and self._count >= self._size:
            self._count = self._size
            self._end("")
        else:
            self._wait_for(STALLED, "nothing comes")

    def _ended(self, problem: str) -> None:
        self._owner.download_ended(self._name, self._count, problem)


def _length_in(head: str) -> int:
    """Return how long the content is; raises WireError for a refusal, whose text begins with the status."""
    response = parse_response(head)
    length = response.headers.get("content-length", "")
    if response.status != 200:
        raise WireError(f"{response.status} {response.reason}".strip())
    if not (length.isascii() and length.isdigit() and len(length) < 16):
        raise WireError(f"an answer without a length: {length[:32]!r}")
    return int(length)
