"""What runs a node whose messages are datagrams: one UDP socket.

A datagram that the kernel does not take is lost, as any may be on its way: the node waits for an answer in vain.
"""

import socket
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, Final, Protocol, TypeVar

from peer.errors import WireError
from peer.net.address import Address
from peer.net.poller import running_poller
from peer.net.sockets import explain
from peer.overlays.hands.hands import Hands, OnFetch, fetch_nothing
from peer.overlays.node import Charge, DatagramNode, Fetch, Record, SendTo

AnyNode = TypeVar("AnyNode", bound=DatagramNode)

_LONGEST: Final = 1 << 16
_RECEIVE_BUFFER: Final = 1 << 20
_DATAGRAMS_A_TURN: Final = 64
"""Received before other callbacks of the event loop run."""


class Wire(Protocol):
    """How an overlay writes and reads its messages: its module `wire`, or a DatagramOverlay."""

    @property
    def encode(self) -> Callable[[Any], bytes]: ...

    @property
    def decode(self) -> Callable[[bytes], Any]:
        """Raises WireError."""


class DatagramHands(Hands[AnyNode]):
    """Runs one node on a UDP socket, which it closes."""

    def __init__(
        self,
        node: AnyNode,
        bound: socket.socket,
        wire: Wire,
        record: Record,
        fetch: OnFetch = fetch_nothing,
        *,
        followed: Collection[str] = (),
    ) -> None:
        super().__init__(node, record, followed)
        self.performers = {SendTo: self._send, Charge: self._charge, Fetch: fetch}
        self._last_size = 0
        """Of the datagram that came last."""
        self._last_message: Any = None
        """That came, from the address `_last_source`."""
        self._last_source = Address("", 0)
        self._wire: Final = wire
        self._socket: Final = bound
        self._poller: Final = running_poller()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self._poller.add_reader(bound.fileno(), self._receive_some)

    def cut(self) -> None:
        """End at once."""
        super().cut()
        if self._socket.fileno() >= 0:
            self._poller.remove_reader(self._socket.fileno())
            self._socket.close()

    def _receive_some(self) -> None:
        with suppress(BlockingIOError, InterruptedError):
            for _ in range(_DATAGRAMS_A_TURN):
                if self.is_over:
                    return
                data, name = self._socket.recvfrom(_LONGEST)
                self._received(data, Address(*name[:2]))

    def _received(self, data: bytes, source: Address) -> None:
        self._last_size = len(data)
        self.costs.count_received(1, len(data))
        try:
            message = self._wire.decode(data)
        except WireError as error:
            why = str(error)
            self.input(lambda node, now: node.refused(source, data, why, now))
        else:
            self._last_message, self._last_source = message, source
            self.input(lambda node, now: node.received(source, message, now))

    def _send(self, action: SendTo) -> None:
        data = self._wire.encode(action.message)
        try:
            self._socket.sendto(data, action.to)
        except OSError as error:
            self.troubles.note(f"a datagram was not sent: {explain(error)}", action.to)
        else:
            self.costs.count_sent(action.search, len(data))
            self.following.sent(action.search, action.to, action.message)

    def _charge(self, action: Charge) -> None:
        self.costs.charge(action.search, self._last_size)
        self.following.charged(action.search, self._last_source, self._last_message)
