"""Real traffic between nodes, from one process with sockets in all of their namespaces.

A stream is a TCP connection that always has data. The kernel discards it unread at the receiver (MSG_TRUNC), so that
the load is the network's and not that of copying. Where a link delays or loses packets, TCP may not fill it: there a
stream is datagrams, sent a little faster than the link.
"""

import contextlib
import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from types import TracebackType
from typing import Final, Self

from testbed.errors import ExplainedError
from testbed.network.build.nodes import Core, EmulatedHost
from testbed.network.links.shape import DATAGRAM_PAYLOAD_BYTES, FRAME_BYTES

_CHUNK: Final = memoryview(bytes(256 << 10))
_SINK: Final = bytearray(4 << 20)
_MAX_NAP: Final = 0.05
_PACE_SECONDS: Final = 0.005
_DATAGRAM: Final = bytes(DATAGRAM_PAYLOAD_BYTES)
_FRAME_BITS: Final = FRAME_BYTES * 8
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # otherwise the kernel keeps sending what is unsent


class TrafficError(ExplainedError):
    """A stream could not be set up, or failed."""


@dataclass(frozen=True)
class Route:
    """The ends of a stream."""

    sender: EmulatedHost | Core
    receiver: EmulatedHost | Core
    receiver_address: IPv4Address
    datagrams_bps: int = 0


@dataclass(eq=False)
class Stream:
    """One TCP connection; `arrivals` grows by (time, total bytes received) with each read."""

    route: Route
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    received: int = 0

    def received_by(self, moment: float) -> float:
        """Return the bytes received at a time, interpolated between reads."""
        before = (self.arrivals[0][0], 0) if self.arrivals else (moment, 0)
        for now, total in self.arrivals:
            if now >= moment:
                span = now - before[0]
                share = (moment - before[0]) / span if span else 1.0
                return before[1] + (total - before[1]) * max(0.0, share)
            before = (now, total)
        return before[1]


class _PacedSender:
    """Sends frames of one size at a rate: at each call, those that are due."""

    def __init__(self, sender: socket.socket, rate: int) -> None:
        self._sender = sender
        self._rate = rate
        self._sent = 0

    def send_due(self, elapsed: float) -> None:
        """Send the frames that are due; frames that the kernel refuses are not sent again."""
        due = int(elapsed * self._rate / _FRAME_BITS)
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            for _ in range(due - self._sent):
                self._sender.send(_DATAGRAM)
        self._sent = due


class Traffic:
    """Groups of streams: connected inside the `with`, and sending during `run` only."""

    def __init__(self, groups: Sequence[Sequence[Route]]) -> None:
        self.groups = [[Stream(route) for route in routes] for routes in groups]
        self.started = 0.0
        self._stack = ExitStack()
        self._epoll = select.epoll()
        self._senders: dict[int, socket.socket] = {}
        self._receivers: dict[int, tuple[socket.socket, Stream]] = {}
        self._paced: list[_PacedSender] = []

    def __enter__(self) -> Self:
        try:
            self._stack.callback(self._epoll.close)
            listeners: dict[EmulatedHost | Core, socket.socket] = {}
            for stream in (stream for group in self.groups for stream in group):
                receiver = stream.route.receiver
                if stream.route.datagrams_bps:
                    self._aim_datagrams(stream)
                    continue
                if receiver not in listeners:
                    listeners[receiver] = self._listen(receiver)
                self._connect(stream, listeners[receiver])
        except OSError as error:
            self._stack.close()
            raise TrafficError(f"cannot connect the streams: {error}") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Close all connections; data in the links' queues still leaves."""
        self._stack.close()

    def _listen(self, node: EmulatedHost | Core) -> socket.socket:
        with node.inside():
            listener = self._stack.enter_context(socket.socket())
        listener.bind(("", 0))
        listener.listen(128)
        listener.settimeout(10)
        return listener

    def _connect(self, stream: Stream, listener: socket.socket) -> None:
        with stream.route.sender.inside():
            sender = self._stack.enter_context(socket.socket())
        sender.settimeout(10)
        sender.connect((str(stream.route.receiver_address), listener.getsockname()[1]))
        receiver = self._stack.enter_context(listener.accept()[0])
        for end in (sender, receiver):
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._senders[sender.fileno()] = sender
        self._receivers[receiver.fileno()] = receiver, stream
        self._epoll.register(receiver, select.EPOLLIN)

    def _aim_datagrams(self, stream: Stream) -> None:
        route = stream.route
        with route.sender.inside():
            sender = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        with route.receiver.inside():
            receiver = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        receiver.bind((str(route.receiver_address), 0))
        sender.connect(receiver.getsockname())
        for end in (sender, receiver):
            end.setblocking(False)
        self._paced.append(_PacedSender(sender, route.datagrams_bps))
        self._receivers[receiver.fileno()] = receiver, stream
        self._epoll.register(receiver, select.EPOLLIN)

    def run(self, seconds: float, every: float, look: Callable[[], None]) -> None:
        """Keep all streams sending for `seconds`, and call `look` at the interval `every`."""
        self.started = time.monotonic()
        for descriptor in self._senders:
            self._epoll.register(descriptor, select.EPOLLOUT | select.EPOLLET)
            self._fill(descriptor)
        end, next_look = self.started + seconds, self.started
        longest_nap = _PACE_SECONDS if self._paced else _MAX_NAP
        while (now := time.monotonic()) < end:
            if now >= next_look:
                look()
                next_look = max(next_look + every, time.monotonic())
            for paced in self._paced:
                paced.send_due(time.monotonic() - self.started)
            for descriptor, _events in self._epoll.poll(min(longest_nap, max(0.0, next_look - time.monotonic()))):
                if descriptor in self._receivers:
                    self._drain(descriptor)
                else:
                    self._fill(descriptor)
        look()

    def _fill(self, descriptor: int) -> None:
        sender = self._senders[descriptor]
        try:
            while sender.send(_CHUNK):
                pass
        except BlockingIOError:
            pass
        except OSError as error:
            raise TrafficError(f"a stream failed: {error}") from error

    def _drain(self, descriptor: int) -> None:
        receiver, stream = self._receivers[descriptor]
        count = receiver.recv_into(_SINK, 0, socket.MSG_TRUNC)
        stream.received += count
        stream.arrivals.append((time.monotonic(), stream.received))
