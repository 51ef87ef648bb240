"""Decoding a byte stream, cut anywhere, into messages; blocks are received straight into their place.

The decoder does no I/O and keeps no read buffer: all connections of a process can share one. It copies only the
start of an incomplete message. Blocks are not decoded as whole messages: as soon as the 13 bytes before a block have
arrived, a PieceHeader is yielded, and its consumer says where the block belongs.

    socket --recv_into--> shared buffer --feed--> PieceHeader --> place_block(memory)
                          |13|bbbbbbb|             the b that arrived with the header are copied: their only copy

    socket --recv_into--> space()                  later bytes are received into their place
                          |.......bbbbbbbbbbbbb|
           --received(n)---------------------------> BlockReceived, once the block is complete

One read of a connection (`recvmsg_into` can fill both at once; `recv_into` fills whichever comes first):

    space = decoder.space()                               # empty while no block is being received
    n = sock.recvmsg_into([space, shared])[0] if space else sock.recv_into(shared)
    here = min(n, len(space))
    if here and (block := decoder.received(here)):
        handle(block)
    for event in decoder.feed(shared[: n - here]):        # consume to the end: bytes are read as events are taken
        if isinstance(event, PieceHeader):
            decoder.place_block(where_it_belongs(event))  # before the next event is taken; else the block is dropped
        handle(event)

Wrong lengths are refused as early as possible: above every limit at the fourth byte, wrong for the message at the
fifth. After an error the stream cannot be decoded further: close the connection.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from peer.bittorrent.wire.bitfield import wire_length
from peer.bittorrent.wire.errors import MessageError
from peer.bittorrent.wire.handshake import (
    HANDSHAKE_LENGTH,
    Handshake,
    check_front,
    decode_handshake,
)
from peer.bittorrent.wire.messages import (
    PIECE_HEADER_LENGTH,
    PIECE_OVERHEAD,
    Id,
    Message,
    PieceHeader,
    check_length,
    decode_checked,
    name_of,
)

USUAL_BLOCK: Final = 16 << 10
_PREFIX: Final = struct.Struct(">I")
_HEAD: Final = struct.Struct(">IB")
_PIECE: Final = struct.Struct(">IBII")
_NOWHERE: Final = memoryview(bytearray())
_PIECE_ID: Final = int(Id.PIECE)
_BITFIELD_ID: Final = int(Id.BITFIELD)


@dataclass(frozen=True, slots=True)
class BlockReceived:
    """The last byte of a block was received; `is_placed` is false if the block was dropped."""

    header: PieceHeader
    is_placed: bool


Event: TypeAlias = Handshake | Message | BlockReceived
Bytes: TypeAlias = bytes | bytearray | memoryview


class Decoder:
    """The receiving half of one connection."""

    __slots__ = (
        "_block",
        "_block_arrived",
        "_block_place",
        "_is_shaken",
        "_max_block",
        "_max_message",
        "_unfinished",
        "payload_bytes",
        "piece_count",
    )

    def __init__(
        self,
        *,
        has_handshake: bool = True,
        piece_count: int | None = None,
        max_block: int = USUAL_BLOCK,
        max_message: int = 1 << 20,
    ) -> None:
        self.piece_count = piece_count
        """Set it when the torrent is known; from then on a bitfield must have the right length."""
        self.payload_bytes = 0
        """Bytes of blocks received so far, dropped ones included."""
        self._max_block = max_block
        self._max_message = max_message
        self._is_shaken = not has_handshake
        self._unfinished = bytearray()
        self._block: PieceHeader | None = None
        self._block_place: memoryview | None = None
        self._block_arrived = 0

    def feed(self, data: Bytes) -> Iterator[Event]:
        """Decode received bytes and yield what they complete; `data` may be reused once this is exhausted."""
        view = memoryview(data)
        at, end = 0, len(view)
        while at < end:
            if self._block is not None:
                front = view[at : at + self._block.length - self._block_arrived]
                at += len(front)
                received = self._store(front)
                if received is not None:
                    yield received
            else:
                unit, at = self._next_unit(view, at)
                if unit is not None:
                    yield self._decode(unit)

    def place_block(self, place: memoryview) -> None:
        """Set the place of the block of the last PieceHeader: writable memory of its length."""
        if self._block is None or self._block_place is not None or self._block_arrived:
            raise RuntimeError("a block is placed once, right after its PieceHeader was taken")
        if place.nbytes != self._block.length or place.readonly:
            raise ValueError(f"expected {self._block.length} writable bytes, got {place.nbytes}")
        self._block_place = place.cast("B")

    def drop_block(self) -> None:
        """Drop the rest of the current block: its place belongs to another connection now."""
        self._block_place = None

    def space(self) -> memoryview:
        """Return the memory for the next bytes of the stream; empty if they go to `feed`."""
        return _NOWHERE if self._block_place is None else self._block_place[self._block_arrived :]

    def received(self, count: int) -> BlockReceived | None:
        """Record that `count` bytes were received into `space()`; return the block if that completes it."""
        if self._block is None or self._block_place is None or count > self._block.length - self._block_arrived:
            raise RuntimeError("more bytes received than space() had room for")
        return self._advance(count)

    def _store(self, front: memoryview) -> BlockReceived | None:
        if self._block_place is not None:
            self._block_place[self._block_arrived : self._block_arrived + len(front)] = front
        return self._advance(len(front))

    def _advance(self, count: int) -> BlockReceived | None:
        block = self._block
        assert block is not None  # noqa: S101 - both callers have looked
        self.payload_bytes += count
        self._block_arrived += count
        if self._block_arrived < block.length:
            return None
        done = BlockReceived(block, self._block_place is not None)
        self._block, self._block_place, self._block_arrived = None, None, 0
        return done

    def _next_unit(self, view: memoryview, at: int) -> tuple[Bytes | None, int]:
        """Decode the next unit, or keep its start for later; also return how much of the view was used."""
        if self._unfinished:
            return self._finish_unit(view, at)
        front = view[at:]
        size = self._unit_size(front)
        if size <= len(front):
            return front[:size], at + size
        self._unfinished += front
        return None, len(view)

    def _finish_unit(self, view: memoryview, at: int) -> tuple[Bytes | None, int]:
        unit = self._unfinished
        while (size := self._unit_size(unit)) > len(unit):
            if at == len(view):
                return None, at
            more = view[at : at + size - len(unit)]
            unit += more
            at += len(more)
        self._unfinished = bytearray()
        return unit, at

    def _unit_size(self, front: Bytes) -> int:
        """Return the size of the unit (handshake, message, or what precedes a block) that begins with `front`.

        If `front` is too short to tell, return how much is needed to ask again.
        """
        if not self._is_shaken:
            check_front(bytes(front[:HANDSHAKE_LENGTH]))
            return HANDSHAKE_LENGTH
        if len(front) < _HEAD.size:
            return self._size_by_prefix(front)
        length, kind = _HEAD.unpack_from(front)
        if length == 0:
            return _PREFIX.size
        self._check_length(kind, length)
        return PIECE_HEADER_LENGTH if kind == _PIECE_ID else _PREFIX.size + length

    def _size_by_prefix(self, front: Bytes) -> int:
        if len(front) < _PREFIX.size:
            return _PREFIX.size
        (length,) = _PREFIX.unpack(front)
        self._check_any_length(length)
        return _HEAD.size if length else _PREFIX.size

    def _check_any_length(self, length: int) -> None:
        most = max(self._max_message, self._max_block + PIECE_OVERHEAD)
        if length > most:
            raise MessageError(f"length prefix: expected at most {most}, found {length}")

    def _check_length(self, kind: int, length: int) -> None:
        check_length(kind, length)
        if kind == _PIECE_ID:
            most = self._max_block + PIECE_OVERHEAD
        elif kind == _BITFIELD_ID and self.piece_count is not None:
            most = 1 + wire_length(self.piece_count)
            if length < most:
                raise MessageError(f"bitfield: expected length {most}, found {length}")
        else:
            most = self._max_message
        if length > most:
            raise MessageError(f"{name_of(kind)}: expected length {most} or less, found {length}")

    def _decode(self, unit: Bytes) -> Event:
        if not self._is_shaken:
            self._is_shaken = True
            return decode_handshake(bytes(unit))
        if len(unit) == PIECE_HEADER_LENGTH and unit[4] == _PIECE_ID:
            length, _, index, begin = _PIECE.unpack(unit)
            self._block = PieceHeader(index, begin, length - PIECE_OVERHEAD)
            return self._block
        return decode_checked(memoryview(unit)[4:])
