"""How connections come about: a peer is dialled, dials us, or is dialled again because it knows no encryption."""

import asyncio
import mmap
import socket
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Final

from peer.bittorrent.client.connections.connection import READ_BUFFER, Connection, Owner
from peer.bittorrent.client.connections.connections import Connections
from peer.bittorrent.client.connections.encryption import Fallbacks
from peer.bittorrent.engine.actions import Dial
from peer.bittorrent.engine.session import Session
from peer.bittorrent.wire.encryption import Negotiation
from peer.net.address import Address
from peer.net.dialler import Dialler


class ConnectionMaker:
    """Makes the connections of one session."""

    def __init__(
        self,
        session: Session,
        owner: Owner,
        connections: Connections,
        *,
        dialler: Dialler,
        negotiation: Callable[[bool], Negotiation | None],
        falls_back: bool,
    ) -> None:
        """`owner` hears of what happens on `connections`. `negotiation` and `falls_back` are those of the client."""
        self._session: Final = session
        self._owner: Final = owner
        self._connections: Final = connections
        self._dialler: Final = dialler
        self._negotiation: Final = negotiation
        self._fallbacks: Final = (
            Fallbacks(dialler, self._dialled_again, self._dial_again_failed) if falls_back else None
        )
        self._loop: Final = asyncio.get_running_loop()
        self._buffer: Final = memoryview(mmap.mmap(-1, READ_BUFFER))  # costs memory only as far as reads reach into it
        self.piece_count: int | None = None
        """Of the torrent, once it is known."""

    def accepted(self, identity: int, connected: socket.socket, address: Address) -> None:
        """A peer connected to one of our identities."""
        now = monotonic()
        self._connected(connected, address, now, is_outgoing=False, identity=identity)
        self._owner.settle(now)

    def dial(self, action: Dial, _: float) -> None:
        identity = action.identity
        self._dialler.dial(action.address, partial(self._dialled, identity), partial(self._dial_failed, identity))

    def dial_again(self, connection: Connection) -> bool:
        """Dial a neighbour that has hung up, if it may know no encryption; returns whether that is so."""
        return self._fallbacks is not None and self._fallbacks.begin(connection.key, connection.held)

    def forget(self, key: int) -> None:
        """The neighbour knows encryption, or is not wanted any more."""
        if self._fallbacks is not None:
            self._fallbacks.forget(key)

    def close(self) -> None:
        """Dial nobody any more."""
        self._dialler.close()

    def _dialled(self, identity: int, address: Address, connected: socket.socket) -> None:
        now = monotonic()
        self._connected(connected, address, now, is_outgoing=True, identity=identity)
        self._owner.settle(now)

    def _dial_failed(self, identity: int, address: Address, reason: str) -> None:
        now = monotonic()
        self._session.dial_failed(address, reason, now, identity)
        self._owner.settle(now)

    def _connected(
        self, connected: socket.socket, address: Address, now: float, *, is_outgoing: bool, identity: int
    ) -> None:
        key = self._session.connected(address, now, is_outgoing=is_outgoing, identity=identity)
        if key is None:
            connected.close()
            return
        if is_outgoing and self._fallbacks is not None:
            self._fallbacks.expect(key, address)
        self._add(connected, key, self._negotiation(is_outgoing))

    def _add(self, connected: socket.socket, key: int, negotiation: Negotiation | None) -> Connection:
        connection = Connection(
            connected,
            key,
            self._owner,
            loop=self._loop,
            buffer=self._buffer,
            piece_count=self.piece_count,
            negotiation=negotiation,
        )
        self._connections.add(connection)
        return connection

    def _dialled_again(self, key: int, greeting: bytes, connected: socket.socket) -> None:
        now = monotonic()
        connection = self._add(connected, key, None)
        connection.send(greeting, now)
        connection.flush(now)
        self._owner.settle(now)

    def _dial_again_failed(self, key: int, reason: str) -> None:
        now = monotonic()
        self._session.disconnected(key, reason, now)
        self._owner.settle(now)
