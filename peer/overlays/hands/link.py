"""One TCP connection: bytes in, bytes out, and an end.

open: what arrives is given to the owner; what is to be sent waits, at most MOST_UNSENT bytes of it
  |-- an error, the end of the stream, too much that waits, or STALLED seconds without progress --> lost, closed
  `-- `finish` --> finishing: what waits is sent and then the end of the stream, what arrives is ignored
                     `-- end of stream, an error, or LINGER seconds --> closed
"""

import asyncio
import socket
from contextlib import suppress
from typing import Final, Protocol

from peer.net.address import Address
from peer.net.poller import running_poller
from peer.net.sockets import explain, keep_alive
from peer.overlays.overlay import Decoder

MOST_UNSENT: Final = 1 << 20
STALLED: Final = 60.0
LINGER: Final = 2.0
_READ: Final = 64 << 10


class Owner(Protocol):
    """Who is told of a link, from the event loop."""

    def link_received(self, link: "Link", data: bytes) -> None: ...

    def link_lost(self, link: "Link", reason: str) -> None:
        """It ended, and not by `finish` or `close`."""

    def link_closed(self, link: "Link") -> None:
        """Its socket is closed, whoever ended it. This alone comes within `close` and `send` too."""


class Link:
    """A connection with a neighbour."""

    def __init__(self, number: int, connected: socket.socket, address: Address, decoder: Decoder, owner: Owner) -> None:
        self.number: Final = number
        self.address: Final = address
        self.decoder: Final = decoder
        self._socket: Final = connected
        self._fd: Final = connected.fileno()
        self._owner: Final = owner
        self._loop: Final = asyncio.get_running_loop()
        self._poller: Final = running_poller()
        self._unsent: Final = bytearray()
        self._is_finishing = False
        self._deadline: asyncio.TimerHandle | None = None
        with suppress(OSError):  # it has ended already, which the reader finds out
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            keep_alive(connected)
        self._poller.add_reader(self._fd, self._readable)

    @property
    def is_closed(self) -> bool:
        return self._socket.fileno() < 0

    def send(self, data: bytes, most_unsent: int = MOST_UNSENT) -> bool:
        """Send in the next turn of the loop, with what else is sent in this one; False ends a link that has no room."""
        if len(self._unsent) + len(data) > most_unsent:
            self.close()
            self._loop.call_soon(self._owner.link_lost, self, "it does not read what we send")
            return False
        if not self._unsent:
            self._poller.add_writer(self._fd, self._writable)
            self._set_deadline(STALLED, "it reads nothing")
        self._unsent.extend(data)
        return True

    def finish(self) -> None:
        """End the connection once everything is sent."""
        self._is_finishing = True
        self._set_deadline(LINGER, "")
        if not self._unsent:
            self._end_stream()

    def close(self) -> None:
        """End the connection now."""
        if self.is_closed:
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self._poller.remove_reader(self._fd)
        self._poller.remove_writer(self._fd)
        self._socket.close()
        self._owner.link_closed(self)

    def _set_deadline(self, seconds: float, reason: str) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._loop.call_later(seconds, self._lose, reason)

    def _lose(self, reason: str) -> None:
        if self.is_closed:
            return
        self.close()
        if not self._is_finishing:
            self._owner.link_lost(self, reason)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(explain(error))
            return
        if not data:
            self._lose("closed by the other end")
        elif not self._is_finishing:
            self._owner.link_received(self, data)

    def _writable(self) -> None:
        try:
            with memoryview(self._unsent) as view:
                count = self._socket.send(view)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(explain(error))
            return
        del self._unsent[:count]
        self._progress()

    def _progress(self) -> None:
        """Some was sent: wait for the next, or end."""
        if self._unsent:
            if not self._is_finishing:
                self._set_deadline(STALLED, "it reads nothing")
            return
        self._poller.remove_writer(self._fd)
        if self._is_finishing:
            self._end_stream()
        elif self._deadline is not None:
            self._deadline.cancel()

    def _end_stream(self) -> None:
        with suppress(OSError):  # the reader finds out what is wrong
            self._socket.shutdown(socket.SHUT_WR)
