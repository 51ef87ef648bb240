"""A listening TCP socket."""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Final

from peer.net.address import Address

BACKLOG: Final = 256
_ACCEPTS_PER_CALL: Final = 32
_OUT_OF_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PAUSE: Final = 0.5
"""Seconds without accepting when no descriptors are left; otherwise the loop would retry without end."""


class Listener:
    """Accepts connections and hands each to a callback."""

    def __init__(
        self,
        bound: socket.socket,
        loop: asyncio.AbstractEventLoop,
        accepted: Callable[[socket.socket, Address], None],
    ) -> None:
        self._socket = bound
        self._loop = loop
        self._accepted = accepted
        self._pause: asyncio.TimerHandle | None = None
        bound.listen(BACKLOG)
        loop.add_reader(bound.fileno(), self._accept_some)

    def close(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _accept_some(self) -> None:
        for _ in range(_ACCEPTS_PER_CALL):
            try:
                connected, name = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as error:  # the connection ended meanwhile, or there is no descriptor for it
                if error.errno in _OUT_OF_FILES:
                    self._pause_accepting()
                    return
                continue
            connected.setblocking(False)
            self._accepted(connected, Address(*name[:2]))
            if self._socket.fileno() < 0:
                return

    def _pause_accepting(self) -> None:
        fd = self._socket.fileno()
        self._loop.remove_reader(fd)
        self._pause = self._loop.call_later(_PAUSE, self._loop.add_reader, fd, self._accept_some)
