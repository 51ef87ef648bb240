"""Making connections: a listening socket, and dialling out."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from typing import Final

from peer.net.address import Address

BACKLOG: Final = 256
_ACCEPTED_AT_A_TIME: Final = 32
_OUT_OF_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PAUSE: Final = 0.5
"""Seconds without accepting when there are no files left: the loop would try without end."""


def bound_socket(address: Address) -> socket.socket:
    """Return a TCP socket at an address of this host, not listening yet; raises OSError."""
    bound = socket.socket(_family(address.host), socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except BaseException:
        bound.close()
        raise
    return bound


class Listener:
    """Accepts connections; what becomes of them is decided elsewhere."""

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
        """Listen no more."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _accept_some(self) -> None:
        for _ in range(_ACCEPTED_AT_A_TIME):
            try:
                connected, name = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as error:  # a connection that ended meanwhile, or no room for it
                if error.errno in _OUT_OF_FILES:
                    self._rest_a_while()
                    return
                continue
            connected.setblocking(False)
            self._accepted(connected, Address(*name[:2]))
            if self._socket.fileno() < 0:
                return

    def _rest_a_while(self) -> None:
        fd = self._socket.fileno()
        self._loop.remove_reader(fd)
        self._pause = self._loop.call_later(_PAUSE, self._loop.add_reader, fd, self._accept_some)


class Dialler:
    """Connects to addresses, from one address of this host."""

    def __init__(self, host: str, patience: float, loop: asyncio.AbstractEventLoop) -> None:
        """`patience` is for each try, in seconds."""
        self._host = host
        self._patience = patience
        self._loop = loop
        self._tries: set[asyncio.Task[None]] = set()

    def dial(
        self,
        address: Address,
        connected: Callable[[Address, socket.socket], None],
        failed: Callable[[Address, str], None],
    ) -> None:
        """Connect; one of the two is called, unless `close` comes first."""
        trying = self._loop.create_task(self._dial(address, connected, failed))
        self._tries.add(trying)
        trying.add_done_callback(self._tries.discard)

    def close(self) -> None:
        """Give up all tries."""
        for trying in self._tries:
            trying.cancel()

    async def _dial(
        self,
        address: Address,
        connected: Callable[[Address, socket.socket], None],
        failed: Callable[[Address, str], None],
    ) -> None:
        try:
            async with asyncio.timeout(self._patience):
                made = await self._connect(address)
        except TimeoutError:
            failed(address, f"no answer within {self._patience:g} s")
        except OSError as error:
            failed(address, explain(error))
        else:
            connected(address, made)

    async def _connect(self, address: Address) -> socket.socket:
        family, place = await self._resolve(address)
        made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            if family == _family(self._host):
                made.bind((self._host, 0))
            await self._loop.sock_connect(made, place)
        except BaseException:
            made.close()
            raise
        return made

    async def _resolve(self, address: Address) -> tuple[int, tuple[str, int]]:
        """Look a name up; most addresses are numbers already, and take no thread."""
        if _is_number(address.host):
            return _family(address.host), (address.host, address.port)
        found = await self._loop.getaddrinfo(*address, family=_family(self._host), type=socket.SOCK_STREAM)
        return found[0][0], (str(found[0][4][0]), int(found[0][4][1]))


def explain(error: OSError) -> str:
    """Say in a line what the kernel or the resolver refused; the loop's own words repeat the address."""
    if isinstance(error, socket.gaierror) or error.errno is None:
        return error.strerror or str(error)
    return os.strerror(error.errno)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _is_number(host: str) -> bool:
    try:
        socket.inet_pton(_family(host), host)
    except OSError:
        return False
    return True
