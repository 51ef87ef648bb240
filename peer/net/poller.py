"""Readiness of sockets, level-triggered and with errors, as the kernel's epoll reports it.

asyncio's own loop does this itself. uvloop does not: it reports a reset connection once and then stops watching it. If
data arrived before the reset, that one call consumes the data, and the program never learns that the connection is
dead. So sockets are watched by an epoll of our own. The loop watches only that epoll, which has no errors to report.
"""

import asyncio
import select
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

_EVENTS_PER_CALL: Final = 256
_ENDS: Final = select.EPOLLERR | select.EPOLLHUP
_READABLE: Final = select.EPOLLIN | _ENDS
_WRITABLE: Final = select.EPOLLOUT | _ENDS

_pollers: "Final[WeakKeyDictionary[asyncio.AbstractEventLoop, Poller]]" = WeakKeyDictionary()


def running_poller() -> "Poller":
    """Return the poller of the running loop."""
    return poller_of(asyncio.get_running_loop())


def poller_of(loop: asyncio.AbstractEventLoop) -> "Poller":
    """Return the one poller of a loop."""
    if loop not in _pollers:
        _pollers[loop] = Poller(loop)
    return _pollers[loop]


@dataclass(slots=True)
class _Watch:
    """The callbacks of one socket."""

    read: Callable[[], None] | None = None
    write: Callable[[], None] | None = None

    @property
    def mask(self) -> int:
        return (select.EPOLLIN if self.read else 0) | (select.EPOLLOUT if self.write else 0)


class Poller:
    """Calls back for as long as a socket is readable or writable, or has an error."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._epoll = select.epoll()
        self._watches: dict[int, _Watch] = {}
        loop.add_reader(self._epoll.fileno(), self._call_back)

    def add_reader(self, fd: int, call: Callable[[], None]) -> None:
        """Call back while the socket is readable, has ended, or has an error."""
        watch = self._watch_of(fd)
        watch.read = call
        self._epoll.modify(fd, watch.mask)

    def add_writer(self, fd: int, call: Callable[[], None]) -> None:
        """Call back while the socket is writable, has ended, or has an error."""
        watch = self._watch_of(fd)
        watch.write = call
        self._epoll.modify(fd, watch.mask)

    def remove_reader(self, fd: int) -> None:
        """Stop reading callbacks, if there are any."""
        if (watch := self._watches.get(fd)) and watch.read:
            watch.read = None
            self._keep_or_drop(fd, watch)

    def remove_writer(self, fd: int) -> None:
        """Stop writing callbacks, if there are any."""
        if (watch := self._watches.get(fd)) and watch.write:
            watch.write = None
            self._keep_or_drop(fd, watch)

    def _watch_of(self, fd: int) -> _Watch:
        if fd not in self._watches:
            self._epoll.register(fd, 0)
            self._watches[fd] = _Watch()
        return self._watches[fd]

    def _keep_or_drop(self, fd: int, watch: _Watch) -> None:
        if watch.mask:
            self._epoll.modify(fd, watch.mask)
        else:
            del self._watches[fd]
            self._epoll.unregister(fd)

    def _call_back(self) -> None:
        """A callback may close any other socket; a new socket with the same number is then called back in vain."""
        for fd, mask in self._epoll.poll(0, _EVENTS_PER_CALL):
            watch = self._watches.get(fd)
            if watch is None:
                continue
            if mask & _READABLE and watch.read:
                watch.read()
            if mask & _WRITABLE and watch.write:
                watch.write()
