"""One TCP connection to a neighbour: bytes to events, and messages and blocks to bytes.

The socket is read and written when the loop says that it is ready, once or a few times each, so that no neighbour holds
up the others. The path of the bytes is drawn in peer/bittorrent/wire/decoder.py and in send_queue.py.

A block is taken from the engine when the socket has room for it and not before: after that a choke cannot stop it any
more. So the kernel's own queue is kept short too. TCP_NOTSENT_LOWAT bounds what it holds beyond what the network takes
at once; the bound follows the rate, about 10 ms of it, so that a slow link has 16 KiB waiting and a fast one is never
idle.

On a slow link a block arrives packet by packet, and a wake-up for each costs more than reading it. So within a block,
SO_RCVLOWAT lets us sleep until its rest is there: what comes behind it cannot be read before that.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from time import monotonic
from typing import Final, Protocol

from peer.bittorrent.client.connections.encrypted_queue import EncryptedQueue
from peer.bittorrent.client.connections.ending import Ending
from peer.bittorrent.client.connections.send_queue import SendQueue
from peer.bittorrent.wire.decoder import USUAL_BLOCK, BlockReceived, Decoder
from peer.bittorrent.wire.encryption import Agreement, Cipher, Method, Negotiation
from peer.bittorrent.wire.handshake import Handshake
from peer.bittorrent.wire.messages import Message, PieceHeader, Request
from peer.errors import WireError
from peer.net.poller import poller_of

READ_BUFFER: Final = 256 << 10
"""One for all connections."""
_CAUTIOUS_READ: Final = 16 << 10
"""Bytes that are read at a time while messages come: so that a flood of small ones does not hold up the others."""
MOST_MESSAGES: Final = 1 << 20
"""Bytes of messages that are queued for a neighbour that does not read."""
LEAST_ROOM: Final = USUAL_BLOCK
MOST_ROOM: Final = 1 << 20
ROOM_SECONDS: Final = 0.01
_RATE_PERIOD: Final = 0.05
_SENDS_AT_A_TIME: Final = 4
_MOST_BUFFERS: Final = 1_000
"""The kernel takes 1024 buffers in a call."""

_DOES_NOT_READ: Final = "it does not read what we send"


class Owner(Protocol):
    """What a connection needs of its client; `now` is CLOCK_MONOTONIC."""

    def message_received(self, connection: "Connection", message: Handshake | Message, now: float) -> None:
        """A handshake or a message other than a block came."""

    def block_began(self, connection: "Connection", header: PieceHeader, now: float) -> memoryview | None:
        """The header of a block came: return where its bytes belong, None to drop them."""

    def block_received(self, connection: "Connection", header: PieceHeader, now: float) -> None:
        """A block is complete."""

    def may_begin(self, connection: "Connection", now: float) -> bool:
        """Return whether the rate limit lets a block be sent; if not, `start_block` is called when it does."""

    def next_block(self, connection: "Connection", now: float) -> tuple[Request, memoryview] | None:
        """Return the next block to send, if there is one."""

    def block_sent(self, connection: "Connection", request: Request, now: float) -> None:
        """The last byte of a block is in the kernel."""

    def protocol_error(self, connection: "Connection", error: str, now: float) -> None:
        """Bytes came that are no message; nothing after them is read."""

    def negotiated(self, connection: "Connection", method: Method | None, now: float) -> None:
        """Both ends agreed on how the stream goes on; None if the other end began in plaintext."""

    def disconnected(self, connection: "Connection", reason: str, now: float) -> None:
        """The connection ended, other than by `end` or `cut`."""

    def settle(self, now: float) -> None:
        """All events of this wake-up were reported: do what follows from them."""


class Connection:
    """A connected socket, until either side ends it."""

    def __init__(
        self,
        connected: socket.socket,
        key: int,
        owner: Owner,
        *,
        loop: asyncio.AbstractEventLoop,
        buffer: memoryview,
        piece_count: int | None,
        negotiation: Negotiation | None = None,
    ) -> None:
        """`buffer` is shared by all connections: nothing stays in it between two wake-ups.

        With a `negotiation`, nothing else is sent or received before that has led to an agreement.
        """
        self.key: Final = key
        self.aside: memoryview | None = None
        """The buffer of a block that was put aside."""
        self._owner = owner
        self._loop = loop
        self._poller = poller_of(loop)
        self._buffer = buffer
        self._reach = buffer[:_CAUTIOUS_READ]
        self._socket = connected
        self._fd = connected.fileno()
        self._decoder = Decoder(piece_count=piece_count)
        self._queue = SendQueue()
        self._negotiation = negotiation
        self._held = bytearray()
        """Messages that wait for the agreement."""
        self._decrypt: Cipher | None = None
        self._is_open = True
        self._wants_blocks = False
        """The engine may have blocks for this neighbour."""
        self._awaits_rate_limit = False
        """`start_block` will be called."""
        self._is_full = False
        """The loop will call `_writable` when the socket has room."""
        self._ending: Ending | None = None
        self._wakes_after = 1
        """The bytes that must have come before the loop calls `_readable`."""
        self._taken = 0
        self._measured_at = monotonic()
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._make_room(LEAST_ROOM)
        if negotiation is not None:
            self._queue.add_message(negotiation.take())
        self._poller.add_reader(self._fd, self._readable)

    def know_pieces(self, count: int) -> None:
        """Expect bitfields of the right length from now on."""
        self._decoder.piece_count = count

    @property
    def held(self) -> bytes:
        """The messages that wait for an agreement."""
        return bytes(self._held)

    def divert(self) -> None:
        """Drop the rest of the block that is coming: its place holds the block of another neighbour."""
        self._decoder.drop_block()

    def send(self, encoded: bytes, now: float) -> None:
        """Queue a message; `flush` sends it."""
        if self._negotiation is not None:
            self._held += encoded
            return
        self._queue.add_message(encoded)
        if self._queue.message_bytes > MOST_MESSAGES:
            self._disconnect(_DOES_NOT_READ, now)

    def offer_blocks(self) -> None:
        """The engine has blocks for this neighbour; `flush` sends them."""
        self._wants_blocks = True

    def flush(self, now: float) -> None:
        """Send what the socket takes, unless it is known to be full."""
        if not self._is_full:
            self._write(now)

    def start_block(self, now: float) -> None:
        """Take the block that the rate limit has let in."""
        self._awaits_rate_limit = False
        if self._wants_blocks and self._take_block(now):
            self.flush(now)

    def end(self, on_closed: Callable[[], None]) -> None:
        """Report nothing more, send what is queued, and close in order; `on_closed` is called once that is done."""
        self._stop()
        self._queue.drop_blocks()
        self._ending = Ending(self._socket, self._loop, self._buffer, on_closed)
        self.flush(monotonic())

    def cut(self) -> None:
        """Close at once."""
        self._stop()
        self._close()

    def _readable(self) -> None:
        now = monotonic()
        space = self._decoder.space()
        try:
            count = self._socket.recvmsg_into((space, self._reach))[0]
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._disconnect(_reason(error), now)
        else:
            if count and self._negotiation is not None:
                self._negotiate(self._negotiation, bytes(self._buffer[:count]), now)
            elif count:
                self._process(count, space, now)
            else:
                self._disconnect("closed by the other end", now)
        self._owner.settle(now)

    def _negotiate(self, negotiation: Negotiation, data: bytes, now: float) -> None:
        negotiation.payload = self.held
        try:
            self._queue.add_message(negotiation.receive(data))
            if negotiation.agreement is not None:
                del self._held[: negotiation.payload_sent]
                self._agree(negotiation.agreement, now)
        except WireError as error:
            self._owner.protocol_error(self, str(error), now)
        self.flush(now)

    def _agree(self, agreement: Agreement, now: float) -> None:
        self._negotiation = None
        self._decrypt = agreement.decrypt
        if agreement.encrypt is not None:
            self._queue = EncryptedQueue(agreement.encrypt, b"".join(self._queue.buffers()))
        self._queue.add_message(self.held)
        self._owner.negotiated(self, agreement.method, now)
        self._decode(memoryview(agreement.received), now)

    def _decipher(self, *views: memoryview) -> None:
        for view in views:
            if view and self._decrypt is not None:
                self._decrypt.update_into(view, view)

    def _process(self, count: int, space: memoryview, now: float) -> None:
        """Decode `count` bytes, of which the first went into the block's place."""
        room = len(space)
        if self._decrypt is not None:
            self._decipher(space[:count], self._buffer[: max(0, count - room)])
        before = self._decoder.payload_bytes
        try:
            if room and (block := self._decoder.received(min(count, room))):
                self._block_received(block, now)
            if count > room:
                self._decode(self._buffer[: count - room], now)
        except WireError as error:
            self._owner.protocol_error(self, str(error), now)
        self._wake_after(min(max(1, len(self._decoder.space())), USUAL_BLOCK))
        is_mostly_blocks = 2 * (self._decoder.payload_bytes - before) >= count
        self._reach = self._buffer if is_mostly_blocks else self._buffer[:_CAUTIOUS_READ]

    def _wake_after(self, count: int) -> None:
        """Let the loop call when `count` bytes have come, or the connection ends."""
        if count != self._wakes_after and self._is_open:
            self._wakes_after = count
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)

    def _decode(self, data: memoryview, now: float) -> None:
        for event in self._decoder.feed(data):
            if isinstance(event, BlockReceived):
                self._block_received(event, now)
            elif isinstance(event, PieceHeader):
                place = self._owner.block_began(self, event, now)
                if place is not None:
                    self._decoder.place_block(place)
            else:
                self._owner.message_received(self, event, now)

    def _block_received(self, block: BlockReceived, now: float) -> None:
        self._owner.block_received(self, block.header, now)
        self.aside = None

    def _writable(self) -> None:
        now = monotonic()
        self._write(now)
        self._owner.settle(now)

    def _write(self, now: float) -> None:
        """Send until the socket is full or nothing may be sent; a little at a time, as others wait too."""
        for _ in range(_SENDS_AT_A_TIME):
            if self._wants_blocks and not self._awaits_rate_limit:
                self._take_blocks(now)
            if not self._queue or not self._send_some(now) or self._queue:
                break
        if self._socket.fileno() < 0:
            return
        if self._queue or (self._wants_blocks and not self._awaits_rate_limit):
            self._watch()
        else:
            self._rest()

    def _take_blocks(self, now: float) -> None:
        queue = self._queue
        while not queue.block_bytes or queue.block_bytes + USUAL_BLOCK <= self._room:
            if not self._owner.may_begin(self, now):
                self._awaits_rate_limit = True
                return
            if not self._take_block(now):
                return

    def _take_block(self, now: float) -> bool:
        found = self._owner.next_block(self, now)
        if found is None:
            self._wants_blocks = False
            return False
        self._queue.add_block(*found)
        return True

    def _send_some(self, now: float) -> bool:
        """Hand the kernel what it takes; returns whether it took anything."""
        try:
            count = self._socket.sendmsg(self._queue.buffers()[:_MOST_BUFFERS])
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self._disconnect(_reason(error), now)
            return False
        for request in self._queue.sent(count):
            self._owner.block_sent(self, request, now)
        self._measure(count, now)
        return True

    def _measure(self, count: int, now: float) -> None:
        """Adapt the room to the rate."""
        self._taken += count
        passed = now - self._measured_at
        if passed >= _RATE_PERIOD:
            wanted = min(max(LEAST_ROOM, int(self._taken / passed * ROOM_SECONDS)), MOST_ROOM)
            self._taken, self._measured_at = 0, now
            if not self._room // 2 <= wanted <= self._room:
                self._make_room(wanted)

    def _make_room(self, count: int) -> None:
        self._room = count
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, count)

    def _watch(self) -> None:
        if not self._is_full:
            self._is_full = True
            self._poller.add_writer(self._fd, self._writable)

    def _rest(self) -> None:
        if self._is_full:
            self._is_full = False
            self._poller.remove_writer(self._fd)
        if self._ending is not None:
            self._ending.all_sent()

    def _disconnect(self, reason: str, now: float) -> None:
        was_open = self._is_open
        self.cut()
        if was_open:
            self._owner.disconnected(self, reason, now)

    def _stop(self) -> None:
        """Neither read nor take blocks from now on."""
        if self._is_open:
            self._is_open = self._wants_blocks = False
            self._poller.remove_reader(self._fd)

    def _close(self) -> None:
        if self._ending is not None:
            self._ending.close()
        elif self._socket.fileno() >= 0:
            self._poller.remove_writer(self._fd)
            self._socket.close()


def _reason(error: OSError) -> str:
    if error.errno == errno.EFAULT:
        return "a block cannot be read: its file was cut short, or the disk is broken"
    return error.strerror or str(error)
