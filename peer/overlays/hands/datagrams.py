"""A node whose messages are datagrams, on a UDP socket.

Whatever is read goes to the node as a message, or as bytes that are none; whatever the node then asks for is done at
once. Once a second the trace gets what was sent and received (`Spent`), and every ten seconds what the node keeps
(`NodeState`) if that has changed. A datagram that the kernel does not take is lost, as datagrams may be.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from contract.overlay_events import NodeState
from peer.errors import WireError
from peer.net.address import Address
from peer.net.timer import Timer
from peer.overlays.hands.spending import Spending
from peer.overlays.node import Charge, DatagramNode, Fetch, Record, SendTo

AnyNode = TypeVar("AnyNode", bound=DatagramNode)
OnFetch: TypeAlias = Callable[[Fetch], None]

COUNT_PERIOD: Final = 1.0
STATE_EVERY: Final = 10
"""How many counts are made for each state."""
_LONGEST: Final = 65_536
_DATAGRAMS_A_TURN: Final = 64
"""Datagrams taken before other callbacks of the event loop run."""


class Wire(Protocol):
    """How an overlay writes and reads its messages: its module or package `wire`."""

    def encode(self, message: Any) -> bytes:
        """Write a message."""

    def decode(self, data: bytes) -> Any:
        """Read one; raises WireError."""


class DatagramHands(Generic[AnyNode]):
    """Runs a node until `close`. It begins with an input: `hands.input(lambda node, now: node.start(now))`."""

    def __init__(
        self,
        node: AnyNode,
        bound: socket.socket,
        wire: Wire,
        record: Record,
        fetch: OnFetch = lambda _: None,
    ) -> None:
        """The socket is non-blocking and bound to the node's address; from now on it is ours."""
        self.node: Final = node
        self._socket: Final = bound
        self._wire: Final = wire
        self._record: Final = record
        self._fetch: Final = fetch
        self._loop: Final = asyncio.get_running_loop()
        self._timer: Final = Timer(self._loop, self._wake)
        self._spending: Final = Spending()
        self._counts = 0
        self._state: NodeState | None = None
        self._last_size = 0
        """Of the datagram that was read last."""
        self._loop.add_reader(bound.fileno(), self._read_some)
        self._ticker = self._loop.call_later(COUNT_PERIOD, self._count)

    def input(self, give: Callable[[AnyNode, float], None]) -> None:
        """Give the node an input with the time, and do what it asks for."""
        give(self.node, monotonic())
        self._act()

    def close(self) -> None:
        """Stop, and record what has not been recorded; the node has left before, if it was to leave by word."""
        self._loop.remove_reader(self._socket.fileno())
        self._timer.cancel()
        self._ticker.cancel()
        self._write_down()
        self._write_state()
        self._socket.close()

    def _read_some(self) -> None:
        for _ in range(_DATAGRAMS_A_TURN):
            try:
                data, source = self._socket.recvfrom(_LONGEST)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # an earlier datagram could not be delivered, and the kernel says so now
                continue
            self._take(data, Address(*source[:2]))
            if self._socket.fileno() < 0:
                return

    def _take(self, data: bytes, source: Address) -> None:
        self._last_size = len(data)
        self._spending.count_received(len(data))
        now = monotonic()
        try:
            message = self._wire.decode(data)
        except WireError as error:
            self.node.refused(source, data, str(error), now)
        else:
            self.node.received(source, message, now)
        self._act()

    def _wake(self) -> None:
        self.node.tick(monotonic())
        self._act()

    def _act(self) -> None:
        for action in self.node.take_actions():
            match action:
                case SendTo():
                    self._send(action)
                case Charge():
                    self._spending.charge(action.search, self._last_size)
                case Fetch():
                    self._fetch(action)
                case _:
                    raise TypeError(f"a node of datagrams asked for {action}")
        self._timer.set(self.node.next_deadline(), monotonic())

    def _send(self, action: SendTo) -> None:
        data = self._wire.encode(action.message)
        with suppress(OSError):
            self._socket.sendto(data, action.to)
            self._spending.count_sent(action.search, len(data))

    def _count(self) -> None:
        self._ticker = self._loop.call_later(COUNT_PERIOD, self._count)
        self._write_down()
        self._counts += 1
        if self._counts % STATE_EVERY == 0:
            self._write_state()

    def _write_down(self) -> None:
        spent = self._spending.take()
        if spent is not None:
            self._record(spent, monotonic())

    def _write_state(self) -> None:
        state = NodeState(tuple(map(str, self.node.neighbours)), self.node.entries)
        if state != self._state:
            self._state = state
            self._record(state, monotonic())
