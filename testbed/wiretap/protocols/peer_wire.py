"""One direction of a peer-wire connection: from its bytes to messages, of which only the heads are looked at.

    offset  0 1 2 3   4    5 ...
            length    id   payload        length counts the id and the payload, big-endian; 0 is a keep-alive

The reader is always at one of three places: within a message (`skip` bytes of it are to come, and are not looked at),
at the beginning of one (of which `head` has been captured so far), or lost: then it does not know where a message
begins, and a search goes on (search.py).
"""

import struct
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from testbed.wiretap.messages import Message
from testbed.wiretap.protocols import fields as read
from testbed.wiretap.protocols.fields import HANDSHAKE_BYTES, NO_FIELDS, PROTOCOL, Fields
from testbed.wiretap.protocols.reader import Findings, Way
from testbed.wiretap.protocols.requests import Requests

REQUEST: Final = 6
PIECE: Final = 7
EXTENDED: Final = 20
PIECE_HEAD: Final = 13
NAMES: Final[Mapping[int, str]] = {
    0: "choke",
    1: "unchoke",
    2: "interested",
    3: "not interested",
    4: "have",
    5: "bitfield",
    REQUEST: "request",
    PIECE: "piece",
    8: "cancel",
    9: "port",
    13: "suggest piece",
    14: "have all",
    15: "have none",
    16: "reject request",
    17: "allowed fast",
    EXTENDED: "extended",
}
"""The words of BEP 3 and its extensions, by id."""
KINDS: Final = tuple(NAMES.get(number, f"unknown {number}") for number in range(256))

_HEAD: Final = struct.Struct(">IB").unpack_from
_LONGEST: Final = 1 << 24
"""No client accepts longer messages: one is a sign that no message begins here."""
_MOST_KEPT: Final = 16 << 10
"""Bytes of a bitfield or an extension's message that are looked at."""
_MOST_SPLIT: Final = 68
"""Bytes of a head of any message: so many are always kept until the rest comes."""
_FIXED: Final = {0: 1, 1: 1, 2: 1, 3: 1, 4: 5, 6: 13, 8: 13, 9: 3, 13: 5, 14: 1, 15: 1, 16: 13, 17: 5}
"""Lengths of messages that have only one."""
_LEAST: Final = tuple(_FIXED.get(number, {PIECE: 9, EXTENDED: 2}.get(number, 1)) for number in range(256))
_MOST: Final = tuple(_FIXED.get(number, _LONGEST) for number in range(256))
_KEPT: Final = tuple(
    4 + _FIXED.get(number, {5: _MOST_KEPT, PIECE: 9, EXTENDED: _MOST_KEPT}.get(number, 1)) for number in range(256)
)
"""How many bytes of a message are looked at."""
_READERS: Final[Mapping[int, Callable[[bytes, int], Fields]]] = {
    4: read.index,
    5: read.bitfield,
    REQUEST: read.block,
    PIECE: read.piece,
    8: read.block,
    9: read.port,
    13: read.index,
    16: read.block,
    17: read.index,
}


class Search(Protocol):
    """Looks for the beginning of a message."""

    def feed(self, data: bytes, start: int, end: int, length: int) -> None:
        """Look at the next bytes."""

    def finish(self) -> None:
        """There are no more."""


class PeerWire:
    """Reads the bytes of one direction in their order."""

    __slots__ = (
        "boundary",
        "extensions",
        "findings",
        "head",
        "other",
        "pending",
        "requests",
        "search",
        "search_from",
        "skip",
        "way",
    )

    def __init__(self, way: Way, findings: Findings, search_from: "Callable[[PeerWire, int], Search]") -> None:
        self.way, self.findings, self.search_from = way, findings, search_from
        self.boundary = 0
        """Where in the stream the message that is being read begins."""
        self.skip = 0
        self.pending: tuple[str, int, Fields] | None = None
        """Kind, length and fields of the message whose rest is skipped."""
        self.head = b""
        self.search: Search | None = None
        self.other: PeerWire | None = None
        """The opposite direction."""
        self.extensions: dict[int, str] = {}
        """The names that this direction's sender gave to the ids of extensions; the opposite direction uses them."""
        self.requests = Requests(findings.allowance)
        """The blocks that were asked for in this direction and have not come in the opposite one."""

    def feed(self, data: bytes, start: int, end: int, length: int) -> None:
        """Read the next `length` bytes of the stream, of which the first ones are `data[start:end]`."""
        skip = self.skip
        if skip > length:
            self.skip = skip - length
            return
        if skip:
            start, length = start + skip, length - skip
            self._complete()
        if self.search is not None:
            self.search.feed(data, start, end, length)
        elif length:
            if self.head:
                head = self.take_head()
                data, length = head + data[start:end], length + len(head)
                start, end = 0, len(data)
            self._read(data, start, end, start + length)

    def finish(self) -> None:
        """There are no more bytes."""
        if self.search is not None:
            self.search.finish()
        elif self.pending is not None or self.head:
            self.findings.losses.cut_messages += 1
        self.take_head()
        self.requests.clear()

    def take_head(self) -> bytes:
        """Remove and return what has been kept of a message."""
        head, self.head = self.head, b""
        if len(head) > _MOST_SPLIT:
            self.findings.allowance.give_back(len(head))
        return head

    def keep_head(self, head: bytes) -> bool:
        """Keep the beginning of a message until more of it comes; returns False if there is no room for it."""
        if len(head) > _MOST_SPLIT and not self.findings.allowance.take(len(head)):
            return False
        self.head = head
        return True

    def _complete(self) -> None:
        self.skip = 0
        if self.pending is not None:
            self._emit(*self.pending)

    def _emit(self, kind: str, length: int, fields: Fields) -> None:
        now, way = self.findings.now, self.way
        self.findings.messages.append(
            Message(
                now.time,
                now.packet,
                way.connection,
                way.source,
                way.destination,
                kind,
                self.boundary,
                length,
                fields,
            )
        )
        self.boundary += length
        self.pending = None

    def _read(self, data: bytes, at: int, end: int, limit: int) -> None:
        """Read messages from `at`, where one begins; bytes from `end` to `limit` were sent and not captured."""
        used = 1
        while used and at < limit:
            read_one = self._message if end - at >= 5 else self._short
            used = read_one(data, at, end, limit)
            at += used

    def _short(self, data: bytes, at: int, end: int, limit: int) -> int:
        """Read a message of which no more than the length was captured here, or wait for the rest of its head."""
        if end - at < 4:
            if limit > end:
                return self._lose(at, limit)
            self.head = data[at:end]
            return 0
        size = int.from_bytes(data[at:end], "big")
        if not size:
            return self._advance(at, limit, "keep-alive", 4, NO_FIELDS)
        if limit == end:
            self.head = data[at:end]
            return 0
        if size > _LONGEST:
            return self._fail(at, limit)
        return self._pass(at, limit, 4 + size)

    def _message(self, data: bytes, at: int, end: int, limit: int) -> int:
        """Read the message at `at`; returns its length, or 0 if what follows cannot be read yet."""
        size, number = _HEAD(data, at)
        if not _LEAST[number] <= size <= _MOST[number]:
            if not size:
                return self._advance(at, limit, "keep-alive", 4, NO_FIELDS)
            return self._handshake(data, at, end, limit)
        seen, kept = end - at, min(4 + size, _KEPT[number])
        if seen < kept:
            if limit == end and self.keep_head(data[at:end]):
                return 0
            self.findings.losses.cut_messages += 1
            kept = seen
        return self._advance(at, limit, KINDS[number], 4 + size, self._fields(number, data[at + 5 : at + kept], size))

    def _handshake(self, data: bytes, at: int, end: int, limit: int) -> int:
        """Read a handshake, which is no message of the usual form, or be lost."""
        seen = data[at : min(end, at + HANDSHAKE_BYTES)]
        if seen[: len(PROTOCOL)] != PROTOCOL[: len(seen)]:
            return self._fail(at, limit)
        if len(seen) < HANDSHAKE_BYTES:
            if limit == end:
                self.head = seen
                return 0
            self.findings.losses.cut_messages += 1
        return self._advance(at, limit, "handshake", HANDSHAKE_BYTES, read.handshake(seen[len(PROTOCOL) :]))

    def _pass(self, at: int, limit: int, length: int) -> int:
        """Go behind a message of which the id was not captured."""
        self.findings.losses.unreadable_bytes += length
        self.requests.break_run()
        self.boundary += length
        self.skip = max(0, at + length - limit)
        return 0 if self.skip else length

    def _advance(self, at: int, limit: int, kind: str, length: int, fields: Fields) -> int:
        """Go behind a message, or into it if its end is still to come."""
        if at + length <= limit:
            self._emit(kind, length, fields)
            return length
        self.pending = (kind, length, fields)
        self.skip = at + length - limit
        return 0

    def _fields(self, number: int, body: bytes, size: int) -> Fields:
        if number == EXTENDED:
            return self._extended(body)
        if number not in _READERS:
            return NO_FIELDS
        found = _READERS[number](body, size - 1)
        if number == REQUEST:
            if len(body) == 12:
                self.requests.add((found["index"], found["begin"], found["length"]))
            else:
                self.requests.break_run()
        elif number == PIECE and self.other is not None and len(body) == 8:
            self.other.requests.answer((found["index"], found["begin"], found["length"]))
        return found

    def _extended(self, body: bytes) -> Fields:
        found, _ = read.extended(body, self.other.extensions if self.other is not None else {})
        if found.get("name") == "handshake" and "m" in found:
            self.extensions.update(read.extension_names(found))
        return found

    def _lose(self, at: int, limit: int) -> int:
        """Begin to search: the head of the message at `at` was cut off."""
        self.requests.break_run()
        self.search = self.search_from(self, limit - at)
        return 0

    def _fail(self, _at: int, _limit: int) -> int:
        """Begin to search: what is at `_at` is no message."""
        return self._lose(_at, _limit)
