"""Which sockets can be read or written, told as the kernel tells it: again and again, errors too.

The loop of asyncio does so itself. uvloop does not: of a connection that was reset it tells once, and then watches it
no more. If data stood before the reset, that one call takes the data, and nobody ever learns that the connection is
dead. So sockets are watched by an epoll of our own, which is all that the loop watches: it has no errors to tell.
"""

import asyncio
import select
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

_MOST_AT_A_TIME: Final = 256
_ENDS: Final = select.EPOLLERR | select.EPOLLHUP
_READABLE: Final = select.EPOLLIN | _ENDS
_WRITABLE: Final = select.EPOLLOUT | _ENDS

_pollers: "Final[WeakKeyDictionary[asyncio.AbstractEventLoop, Poller]]" = WeakKeyDictionary()


def running_poller() -> "Poller":
    """Return what watches sockets for the loop that runs."""
    return poller_of(asyncio.get_running_loop())


def poller_of(loop: asyncio.AbstractEventLoop) -> "Poller":
    """Return what watches sockets for a loop: one for all."""
    if loop not in _pollers:
        _pollers[loop] = Poller(loop)
    return _pollers[loop]


@dataclass(slots=True)
class _Watch:
    """A socket: whom to call when it can be read, and when it can be written."""

    read: Callable[[], None] | None = None
    write: Callable[[], None] | None = None

    @property
    def mask(self) -> int:
        return (select.EPOLLIN if self.read else 0) | (select.EPOLLOUT if self.write else 0)


class Poller:
    """Calls who waits for a socket, as often as it can be read or written, or has an error to tell."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._epoll = select.epoll()
        self._watches: dict[int, _Watch] = {}
        loop.add_reader(self._epoll.fileno(), self._call_those_that_can)

    def add_reader(self, fd: int, call: Callable[[], None]) -> None:
        """Call when it can be read, or has ended."""
        watch = self._watch_of(fd)
        watch.read = call
        self._epoll.modify(fd, watch.mask)

    def add_writer(self, fd: int, call: Callable[[], None]) -> None:
        """Call when it can be written, or has ended."""
        watch = self._watch_of(fd)
        watch.write = call
        self._epoll.modify(fd, watch.mask)

    def remove_reader(self, fd: int) -> None:
        """Call no more when it can be read; nothing if nobody was to be called."""
        if (watch := self._watches.get(fd)) and watch.read:
            watch.read = None
            self._keep_or_drop(fd, watch)

    def remove_writer(self, fd: int) -> None:
        """Call no more when it can be written; nothing if nobody was to be called."""
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

    def _call_those_that_can(self) -> None:
        """Whoever is called may end any of them; one that came since under the same number is called for nothing."""
        for fd, mask in self._epoll.poll(0, _MOST_AT_A_TIME):
            watch = self._watches.get(fd)
            if watch is None:
                continue
            if mask & _READABLE and watch.read:
                watch.read()
            if mask & _WRITABLE and watch.write:
                watch.write()
