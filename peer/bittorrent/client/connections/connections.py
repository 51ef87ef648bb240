"""The connections of a client: the open ones, those of them that have something to send, and those that are ending."""

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Final

from peer.bittorrent.client.connections.connection import Connection

MOST_ENDING: Final = 500
"""Connections that are being closed in order: with more, the one that has had the most time is cut."""


class Connections:
    """Knows the open ones by the numbers of neighbours; whoever is forgotten or ended is not among these any more."""

    def __init__(self) -> None:
        self._open: Final[dict[int, Connection]] = {}
        self._to_flush: Final[dict[int, Connection]] = {}
        self._ending: Final[dict[Connection, None]] = {}
        """The longest ago first."""
        self._has_ended: Final = asyncio.Event()
        """Set when the last of those has ended."""

    def __iter__(self) -> Iterator[Connection]:
        """Iterate over the open ones."""
        return iter(self._open.values())

    def add(self, connection: Connection) -> None:
        self._open[connection.key] = connection

    def __getitem__(self, key: int) -> Connection:
        return self._open[key]

    def get(self, key: int) -> Connection | None:
        """Return the open connection to a neighbour, if there is one."""
        return self._open.get(key)

    def get_to_send(self, key: int) -> Connection | None:
        """Return it like `get`; the next `flush` sends what it is given."""
        connection = self._open.get(key)
        if connection is not None:
            self._to_flush[key] = connection
        return connection

    @property
    def have_to_flush(self) -> bool:
        """Whether any was given something to send."""
        return bool(self._to_flush)

    def flush(self, now: float) -> None:
        """Send what connections were given."""
        while self._to_flush:
            self._to_flush.popitem()[1].flush(now)

    def forget(self, connection: Connection) -> None:
        self._open.pop(connection.key, None)
        self._to_flush.pop(connection.key, None)

    def end(self, connection: Connection) -> None:
        """Close a connection in order."""
        self.forget(connection)
        if len(self._ending) >= MOST_ENDING:
            next(iter(self._ending)).cut()
        self._ending[connection] = None
        self._has_ended.clear()
        connection.end(partial(self._ended, connection))

    def _ended(self, connection: Connection) -> None:
        del self._ending[connection]
        if not self._ending:
            self._has_ended.set()

    async def wait_for_ends(self) -> None:
        """Wait until no connection is being closed any more."""
        if self._ending:
            await self._has_ended.wait()

    def cut(self) -> None:
        """Close all at once."""
        for each in (*self._open.values(), *self._ending):
            each.cut()
