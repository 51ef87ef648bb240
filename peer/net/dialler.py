"""Outgoing TCP connections."""

import asyncio
import socket
from collections.abc import Callable

from peer.net.address import Address
from peer.net.sockets import explain, family_of


class Dialler:
    """Connects to addresses from one address of this host."""

    def __init__(self, host: str, timeout: float, loop: asyncio.AbstractEventLoop) -> None:
        """`timeout` is for each attempt, in seconds."""
        self._host = host
        self._timeout = timeout
        self._loop = loop
        self._attempts: set[asyncio.Task[None]] = set()

    def dial(
        self,
        address: Address,
        connected: Callable[[Address, socket.socket], None],
        failed: Callable[[Address, str], None],
    ) -> None:
        """Connect. One of the two callbacks is called, unless `close` comes first."""
        attempt = self._loop.create_task(self._dial(address, connected, failed))
        self._attempts.add(attempt)
        attempt.add_done_callback(self._attempts.discard)

    def close(self) -> None:
        for attempt in self._attempts:
            attempt.cancel()

    async def _dial(
        self,
        address: Address,
        connected: Callable[[Address, socket.socket], None],
        failed: Callable[[Address, str], None],
    ) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                made = await self._connect(address)
        except TimeoutError:
            failed(address, f"no answer within {self._timeout:g} s")
        except OSError as error:
            failed(address, explain(error))
        else:
            connected(address, made)

    async def _connect(self, address: Address) -> socket.socket:
        family, numeric = await self._resolve(address)
        made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            if family == family_of(self._host):
                made.bind((self._host, 0))
            await self._loop.sock_connect(made, numeric)
        except BaseException:
            made.close()
            raise
        return made

    async def _resolve(self, address: Address) -> tuple[int, tuple[str, int]]:
        """Look up a name. Most addresses are numeric already and need no thread."""
        if _is_numeric(address.host):
            return family_of(address.host), (address.host, address.port)
        found = await self._loop.getaddrinfo(*address, family=family_of(self._host), type=socket.SOCK_STREAM)
        return found[0][0], (str(found[0][4][0]), int(found[0][4][1]))


def _is_numeric(host: str) -> bool:
    try:
        socket.inet_pton(family_of(host), host)
    except OSError:
        return False
    return True
