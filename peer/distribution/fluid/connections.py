"""Connections of the fluid scheme. Each carries blocks one way.

    Source      a connection that we made: blocks come in
    Sink        a connection that another program made: blocks go out
    Newcomer    a connection that another program made, until its hello has arrived

The program that wants blocks dials, and says once who it is and how many of the blocks of this connection it has. From
then on the connection carries those blocks, in the plan's order and without any framing, until the receiver has them
all and closes it. A connection that was lost is made again and resumes with the block in which it ended.
"""

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from time import monotonic
from typing import Final, NamedTuple, Protocol

from contract.events import DialFailed
from peer.files import OpenFile
from peer.net.address import Address
from peer.net.backoff import backoff
from peer.net.dialler import Dialler
from peer.net.poller import poller_of, running_poller
from peer.net.sockets import explain, keep_alive
from peer.trace.recorder import TraceRecorder

HELLO_TIMEOUT: Final = 5.0
FIRST_WAIT: Final = 0.02
LONGEST_WAIT: Final = 1.0
_LEAST_UNSENT: Final = 16 << 10
_SENDS_A_TURN: Final = 4
_HELLO: Final = struct.Struct(">8s20sII")
_MAGIC: Final = b"\x05fluid/1"
_CLOSED: Final = "closed by the other end"


class Hello(NamedTuple):
    """The first message, from the program that dialled."""

    plan: bytes
    """The plan's digest."""
    who: int
    have: int
    """How many blocks of this connection the program has already."""

    def encode(self) -> bytes:
        return _HELLO.pack(_MAGIC, *self)


def decode_hello(data: bytes) -> Hello:
    """Read a hello; raises ValueError."""
    magic, *rest = _HELLO.unpack(data)
    if magic != _MAGIC:
        raise ValueError("expected a program of the fluid scheme")
    return Hello(*rest)


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks of a connection in their order; all but the file's last have the same size."""

    indices: Sequence[int]
    size: int
    file_length: int

    def __len__(self) -> int:
        return len(self.indices)

    def span(self, number: int) -> tuple[int, int]:
        """Return where in the file a block begins, by its number on this connection, and its length."""
        begin = self.indices[number] * self.size
        return begin, min(self.size, self.file_length - begin)


class Source:
    """Blocks from one sender, which is dialled again and again until all have arrived."""

    def __init__(
        self,
        address: Address,
        blocks: Blocks,
        hello: Callable[[int], Hello],
        arrived: Callable[[int, memoryview], None],
        *,
        dialler: Dialler,
        recorder: TraceRecorder,
        rng: Random,
    ) -> None:
        """`arrived` takes where a block begins, and the block."""
        self._address: Final = address
        self._blocks: Final = blocks
        self._hello: Final = hello
        self._arrived: Final = arrived
        self._dialler: Final = dialler
        self._recorder: Final = recorder
        self._rng: Final = rng
        self._loop: Final = asyncio.get_running_loop()
        self._poller: Final = poller_of(self._loop)
        self._space: Final = memoryview(bytearray(blocks.size))
        self._have = 0
        self._filled = 0
        self._socket: socket.socket | None = None
        self._key = 0
        self._low_mark = 0
        self._failures = 0
        self._retry: asyncio.TimerHandle | None = None

    @property
    def is_done(self) -> bool:
        return self._have == len(self._blocks)

    def start(self) -> None:
        """Dial, unless all blocks are here."""
        if not self.is_done:
            self._dialler.dial(self._address, self._connected, self._dial_failed)

    def close(self, reason: str) -> None:
        """End the connection and do not dial again."""
        if self._retry is not None:
            self._retry.cancel()
        self._disconnect(reason, by_us=True)

    def _connected(self, _address: Address, connected: socket.socket) -> None:
        self._socket, self._filled, self._low_mark = connected, 0, 0
        self._key = self._recorder.connected(str(self._address), is_outgoing=True)
        keep_alive(connected)
        self._await(self._blocks.span(self._have)[1])
        self._poller.add_reader(connected.fileno(), partial(self._readable, connected))
        try:
            connected.send(self._hello(self._have).encode())
        except OSError as error:
            self._lose(explain(error))

    def _dial_failed(self, address: Address, reason: str) -> None:
        wait = self._wait()
        self._recorder.record(DialFailed(str(address), reason, wait))
        self._retry = self._loop.call_later(wait, self.start)

    def _readable(self, connected: socket.socket) -> None:
        begin, length = self._blocks.span(self._have)
        try:
            count = connected.recv_into(self._space[self._filled : length])
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(explain(error))
            return
        if not count:
            self._lose(_CLOSED)
            return
        self._filled += count
        self._recorder.moved(self._key, received=count)
        if self._filled == length:
            self._take_block(begin, length)
        else:
            self._await(length - self._filled)

    def _take_block(self, begin: int, length: int) -> None:
        self._have += 1
        self._filled = self._failures = 0
        if self.is_done:
            self._disconnect("complete", by_us=True)
        else:
            self._await(self._blocks.span(self._have)[1])
        self._arrived(begin, self._space[:length])

    def _await(self, count: int) -> None:
        """Wake up for `count` bytes and not for each segment: this takes an eighth of the calls."""
        if self._socket is not None and count != self._low_mark:
            self._low_mark = count
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)

    def _lose(self, reason: str) -> None:
        self._recorder.wasted += self._filled
        self._disconnect(reason, by_us=False)
        wait = self._wait()
        self._recorder.failed(f"lost {self._address}: {reason}", self._key, wait)
        self._retry = self._loop.call_later(wait, self.start)

    def _wait(self) -> float:
        self._failures += 1
        return backoff(self._failures, FIRST_WAIT, LONGEST_WAIT, self._rng)

    def _disconnect(self, reason: str, *, by_us: bool) -> None:
        if self._socket is not None:
            self._poller.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None
            self._recorder.disconnected(self._key, reason, by_us=by_us)


class Sink:
    """Blocks to one receiver: those that have been released, as fast as its connection takes them."""

    def __init__(self, blocks: Blocks, file: OpenFile, recorder: TraceRecorder, done: Callable[[], None]) -> None:
        """`done` is called when the receiver has all blocks and has closed the connection."""
        self._blocks: Final = blocks
        self._file: Final = file
        self._recorder: Final = recorder
        self._done: Final = done
        self._poller: Final = running_poller()
        self._socket: socket.socket | None = None
        self._key = 0
        self._released = 0
        self._at = 0
        """The block that is next, or of which `_gone` bytes have been sent."""
        self._gone = 0
        self._is_full = False
        self.is_done = not blocks
        """Whether the receiver has all of them."""

    @property
    def block_count(self) -> int:
        return len(self._blocks)

    def attach(self, connected: socket.socket, address: Address, have: int) -> None:
        """Use this connection from now on, starting with block `have`."""
        self.close("replaced by a new connection")
        self._socket, self._at, self._gone, self._is_full = connected, have, 0, False
        self._key = self._recorder.connected(str(address), is_outgoing=False)
        keep_alive(connected)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, max(_LEAST_UNSENT, 2 * self._blocks.size))
        self._poller.add_reader(connected.fileno(), partial(self._readable, connected))
        self._send()

    def release(self, count: int) -> None:
        """Allow the first `count` blocks to be sent."""
        self._released = min(max(count, self._released), len(self._blocks))
        if not self._is_full:
            self._send()

    def close(self, reason: str) -> None:
        """End the connection; the receiver may dial again."""
        self._disconnect(reason, by_us=True)

    def _send(self) -> None:
        """Send what the socket takes, a little at a time, since other connections wait too."""
        if self._socket is None:
            return
        try:
            for _ in range(_SENDS_A_TURN):
                if self._at >= self._released:
                    break
                self._send_some(self._socket.fileno())
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            self._disconnect(explain(error), by_us=False)
            return
        self._watch(self._at < self._released)

    def _send_some(self, fd: int) -> None:
        begin, length = self._blocks.span(self._at)
        count = os.sendfile(fd, self._file.fileno(), begin + self._gone, length - self._gone)
        if not count:
            raise ConnectionAbortedError(f"{self._file.path} was cut short")
        self._recorder.moved(self._key, sent=count)
        self._gone += count
        if self._gone == length:
            self._at, self._gone = self._at + 1, 0

    def _watch(self, is_full: bool) -> None:
        """Wake up when the socket has room again, or stop doing so."""
        if self._socket is None or is_full == self._is_full:
            return
        self._is_full = is_full
        if is_full:
            self._poller.add_writer(self._socket.fileno(), self._send)
        else:
            self._poller.remove_writer(self._socket.fileno())

    def _readable(self, connected: socket.socket) -> None:
        """A receiver sends nothing after its hello, so this is the end of the connection."""
        try:
            data = connected.recv(1)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._disconnect(explain(error), by_us=False)
            return
        if data:
            self._recorder.failed("expected nothing after the hello", self._key)
            self._disconnect("it sent data after its hello", by_us=True)
        else:
            self._end()

    def _end(self) -> None:
        is_all = self._at == len(self._blocks)
        self._disconnect("the receiver is complete" if is_all else _CLOSED, by_us=False)
        if is_all:
            self.is_done = True
            self._done()

    def _disconnect(self, reason: str, *, by_us: bool) -> None:
        if self._socket is not None:
            self._poller.remove_reader(self._socket.fileno())
            self._poller.remove_writer(self._socket.fileno())
            self._socket.close()
            self._socket = None
            self._recorder.disconnected(self._key, reason, by_us=by_us)


class Acceptor(Protocol):
    """What a newcomer needs of the program that it has dialled."""

    def introduced(self, newcomer: "Newcomer", hello: Hello) -> None:
        """Its hello has arrived."""

    def dismissed(self, newcomer: "Newcomer", reason: str) -> None:
        """It has disconnected, or sent no valid hello."""


class Newcomer:
    """A connection that another program made, until its hello has arrived."""

    def __init__(self, connected: socket.socket, address: Address, acceptor: Acceptor) -> None:
        self.address: Final = address
        self.socket: Final = connected
        self._acceptor: Final = acceptor
        self._heard = b""
        self._loop: Final = asyncio.get_running_loop()
        self._poller: Final = poller_of(self._loop)
        self._timer: Final = self._loop.call_later(HELLO_TIMEOUT, acceptor.dismissed, self, "it sent no hello in time")
        self._poller.add_reader(connected.fileno(), self._readable)

    def hand_over(self) -> socket.socket:
        self._timer.cancel()
        self._poller.remove_reader(self.socket.fileno())
        return self.socket

    def _readable(self) -> None:
        try:
            data = self.socket.recv(_HELLO.size - len(self._heard))
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._acceptor.dismissed(self, explain(error))
            return
        self._heard += data
        if not data:
            self._acceptor.dismissed(self, _CLOSED)
        elif len(self._heard) == _HELLO.size:
            self._introduce()

    def _introduce(self) -> None:
        try:
            hello = decode_hello(self._heard)
        except ValueError as error:
            self._acceptor.dismissed(self, str(error))
        else:
            self._acceptor.introduced(self, hello)


class Pacer:
    """Releases a sink's blocks by the clock: the k-th k block times after the first."""

    def __init__(self, sink: Sink, block_seconds: float) -> None:
        self._sink: Final = sink
        self._block_seconds: Final = block_seconds
        self._loop: Final = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, number: int) -> None:
        """Release the block of this number now, and from now on the others."""
        self.close()
        self._began = monotonic() - number * self._block_seconds
        self._release()

    def close(self) -> None:
        """Stop releasing."""
        if self._timer is not None:
            self._timer.cancel()

    def _release(self) -> None:
        """Release what is due, including what a late timer has missed."""
        passed = monotonic() - self._began
        due = int(passed / self._block_seconds) + 1
        self._sink.release(due)
        if due < self._sink.block_count:
            self._timer = self._loop.call_later(due * self._block_seconds - passed, self._release)
