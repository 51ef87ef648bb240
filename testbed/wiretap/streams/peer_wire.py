"""One direction of a peer-wire connection: from its bytes to messages, of which only the heads are looked at.

    offset  0 1 2 3   4    5 ...
            length    id   payload        length counts the id and the payload, big-endian; 0 is a keep-alive

The reader is always at one of three places: within a message (`skip` bytes of it are to come, and are not looked at),
at the beginning of one (of which `head` was captured so far), or lost, where it does not know where a message begins.
"""

import struct
from collections.abc import Callable
from typing import Final

from testbed.wiretap.messages import Endpoint, Losses, Message
from testbed.wiretap.streams import fields as read
from testbed.wiretap.streams.fields import HANDSHAKE_BYTES, NO_FIELDS, PROTOCOL, Fields

_HEAD: Final = struct.Struct(">IB").unpack_from
_BLOCK: Final = struct.Struct(">III").unpack_from
_LONGEST: Final = 1 << 24
"""No client accepts longer messages: one is a sign that no message begins here."""
_MOST_KEPT: Final = 16 << 10
"""Bytes of a bitfield or an extension's message that are looked at."""
_MOST_REQUESTS: Final = 4096
_HAVE, _REQUEST, _PIECE, _CANCEL, _EXTENDED, _REJECT = 4, 6, 7, 8, 20, 16

NAMES: Final = {
    0: "choke",
    1: "unchoke",
    2: "interested",
    3: "not interested",
    4: "have",
    5: "bitfield",
    6: "request",
    7: "piece",
    8: "cancel",
    9: "port",
    13: "suggest piece",
    14: "have all",
    15: "have none",
    16: "reject request",
    17: "allowed fast",
    20: "extended",
}
"""The words of BEP 3 and its extensions, by id."""
KINDS: Final = tuple(NAMES.get(number, f"unknown {number}") for number in range(256))

_FIXED: Final = {0: 1, 1: 1, 2: 1, 3: 1, 4: 5, 6: 13, 8: 13, 9: 3, 13: 5, 14: 1, 15: 1, 16: 13, 17: 5}
"""Lengths of messages that have only one."""
_LEAST: Final = tuple(_FIXED.get(number, {5: 1, 7: 9, 20: 2}.get(number, 1)) for number in range(256))
_MOST: Final = tuple(_FIXED.get(number, _LONGEST) for number in range(256))
_KEPT: Final = tuple(_FIXED.get(number, {5: _MOST_KEPT, 7: 9, 20: _MOST_KEPT}.get(number, 1)) for number in range(256))
"""How many bytes of a message are looked at, behind its length."""
_READERS: Final[dict[int, Callable[[bytes, int], Fields]]] = {
    4: read.index,
    5: read.bitfield,
    6: read.block,
    7: read.piece,
    8: read.block,
    9: read.port,
    13: read.index,
    16: read.block,
    17: read.index,
}


class PeerWire:
    """Reads the bytes of one direction in their order."""

    __slots__ = (
        "_connection",
        "_destination",
        "_losses",
        "_out",
        "_source",
        "boundary",
        "extensions",
        "head",
        "lost",
        "other",
        "pending",
        "requests",
        "skip",
    )

    def __init__(
        self, connection: int, source: Endpoint, destination: Endpoint, out: list[Message], losses: Losses
    ) -> None:
        self._connection, self._source, self._destination = connection, source, destination
        self._out, self._losses = out, losses
        self.boundary = 0
        """Where in the stream the message that is being read begins."""
        self.skip = 0
        self.pending: tuple[str, int, Fields] | None = None
        """Kind, length and fields of the message whose rest is skipped."""
        self.head = b""
        self.lost = False
        self.other: PeerWire | None = None
        """The opposite direction."""
        self.extensions: dict[int, str] = {}
        """The names that this direction's sender gave to the ids of extensions, which the opposite direction uses."""
        self.requests: dict[tuple[int, int, int], None] = {}
        """The blocks that were asked for in this direction and have not come in the opposite one."""

    def feed(self, data: bytes, start: int, end: int, length: int, time: int, packet: int) -> None:
        """Read the next `length` bytes of the stream, of which the first ones are `data[start:end]`."""
        if self.skip:
            if self.skip > length:
                self.skip -= length
                return
            start, length = start + self.skip, length - self.skip
            self._complete(time, packet)
        if self.lost:
            self._losses.unreadable_bytes += length
        elif length:
            if self.head:
                data = self.head + data[start:end]
                length += len(self.head)
                start, end, self.head = 0, len(data), b""
            self._read(data, start, end, start + length, time, packet)

    def _complete(self, time: int, packet: int) -> None:
        self.skip = 0
        if self.pending is None:
            return
        kind, length, fields = self.pending
        self._emit(time, packet, kind, length, fields)

    def _emit(self, time: int, packet: int, kind: str, length: int, fields: Fields) -> None:
        self._out.append(
            Message(
                time, packet, self._connection, self._source, self._destination, kind, self.boundary, length, fields
            )
        )
        self.boundary += length
        self.pending = None

    def _read(self, data: bytes, at: int, end: int, limit: int, time: int, packet: int) -> None:
        """Read messages from `at`, where one begins; bytes from `end` to `limit` were sent and not captured."""
        while at < limit:
            seen = end - at
            if seen < 4:
                if limit > end:
                    self._lose(limit - at)
                else:
                    self.head = data[at:end]
                return
            if not self.boundary and data[at : at + 4] == PROTOCOL[:4]:
                used = self._handshake(data, at, end, limit, time, packet)
            else:
                used = self._message(data, at, end, limit, time, packet)
            if not used:
                return
            at += used

    def _handshake(self, data: bytes, at: int, end: int, limit: int, time: int, packet: int) -> int:
        if limit == end and end - at < HANDSHAKE_BYTES:
            self.head = data[at:end]
            return 0
        seen = data[at + len(PROTOCOL) : min(end, at + HANDSHAKE_BYTES)]
        fields = read.handshake(seen)
        if len(fields) < 3:
            self._losses.cut_messages += 1
        return self._advance(at, limit, "handshake", HANDSHAKE_BYTES, fields, time, packet)

    def _message(self, data: bytes, at: int, end: int, limit: int, time: int, packet: int) -> int:
        """Read the message at `at`; returns its length, or 0 if what follows cannot be read yet."""
        seen, number = end - at, 0
        if seen >= 5:
            size, number = _HEAD(data, at)
        else:
            size = int.from_bytes(data[at:end], "big")
        if not size:
            return self._advance(at, limit, "keep-alive", 4, NO_FIELDS, time, packet)
        if seen < 5:
            return self._length_only(data, at, end, limit, size)
        if not _LEAST[number] <= size <= _MOST[number]:
            self._lose(limit - at)
            return 0
        kept = 4 + min(size, _KEPT[number])
        if seen < kept:
            if limit == end:
                self.head = data[at:end]
                return 0
            self._losses.cut_messages += 1
        body = data[at + 5 : at + min(seen, kept)]
        return self._advance(at, limit, KINDS[number], 4 + size, self._fields(number, body, size), time, packet)

    def _length_only(self, data: bytes, at: int, end: int, limit: int, size: int) -> int:
        """Skip a message of which the id was not captured."""
        if limit == end:
            self.head = data[at:end]
            return 0
        if size > _LONGEST:
            self._lose(limit - at)
            return 0
        self._losses.unreadable_bytes += 4 + size
        self.boundary += 4 + size
        self.skip = max(0, at + 4 + size - limit)
        return 0 if self.skip else 4 + size

    def _advance(self, at: int, limit: int, kind: str, length: int, fields: Fields, time: int, packet: int) -> int:
        """Go behind a message, or into it if its end is still to come."""
        if at + length <= limit:
            self._emit(time, packet, kind, length, fields)
            return length
        self.pending = (kind, length, fields)
        self.skip = at + length - limit
        return 0

    def _fields(self, number: int, body: bytes, size: int) -> Fields:
        if number == _EXTENDED:
            return self._extended(body)
        if number not in _READERS:
            return NO_FIELDS
        found = _READERS[number](body, size - 1)
        if number == _REQUEST and len(body) == 12:
            self._remember(_BLOCK(body))
        elif number == _PIECE and self.other is not None and len(body) == 8:
            self.other.requests.pop((found["index"], found["begin"], found["length"]), None)
        return found

    def _remember(self, block: tuple[int, int, int]) -> None:
        self.requests[block] = None
        if len(self.requests) > _MOST_REQUESTS:
            del self.requests[next(iter(self.requests))]

    def _extended(self, body: bytes) -> Fields:
        found, _ = read.extended(body, self.other.extensions if self.other is not None else {})
        if found.get("name") == "handshake" and "m" in found:
            self.extensions.update(read.extension_names(found))
        return found

    def _lose(self, length: int) -> None:
        self.lost = True
        self._losses.unreadable_bytes += length
