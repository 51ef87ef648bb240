"""The end of a connection in order, so that nothing which was sent is lost.

A socket that is closed before everything was read resets the connection: what is on its way in either direction is lost
then, blocks included that both ends have counted. So

    end --> what is queued is sent --> our half is shut --> the other end has shut its half, too --> closed
            what comes meanwhile is read and dropped

within limits that the other end cannot stretch.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from peer.net.poller import poller_of

SENDING_TIME: Final = 2.0
"""Seconds for sending what is queued."""
WAITING_TIME: Final = 1.5
"""Seconds for waiting for the other end after that."""
MOST_DROPPED: Final = 16 << 20
"""Bytes that are read meanwhile."""


class Ending:
    """A socket from which nothing is wanted any more."""

    def __init__(
        self,
        connected: socket.socket,
        loop: asyncio.AbstractEventLoop,
        buffer: memoryview,
        on_closed: Callable[[], None],
    ) -> None:
        """`on_closed` is called once; `buffer` is where dropped bytes go."""
        self._socket = connected
        self._loop = loop
        self._buffer = buffer
        self._on_closed = on_closed
        self._poller = poller_of(loop)
        self._dropped = 0
        self._is_shut = False
        self._has_ended = False
        """The other end sends nothing more, or too much."""
        self._limit = loop.call_later(SENDING_TIME, self.close)
        self._poller.add_reader(connected.fileno(), self._drop)

    def all_sent(self) -> None:
        """Shut our half, and wait for the other end."""
        if self._has_ended:
            self.close()
        elif not self._is_shut:
            self._is_shut = True
            self._limit.cancel()
            self._limit = self._loop.call_later(WAITING_TIME, self.close)
            try:
                self._socket.shutdown(socket.SHUT_WR)
            except OSError:  # the connection is dead already
                self.close()

    def close(self) -> None:
        """Close at once."""
        self._limit.cancel()
        if self._socket.fileno() >= 0:
            self._poller.remove_reader(self._socket.fileno())
            self._poller.remove_writer(self._socket.fileno())
            self._socket.close()
            self._on_closed()

    def _drop(self) -> None:
        try:
            count = self._socket.recv_into(self._buffer)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.close()
            return
        self._dropped += count
        if count and self._dropped < MOST_DROPPED:
            return
        self._has_ended = True
        self._poller.remove_reader(self._socket.fileno())
        if self._is_shut:
            self.close()
