"""Files as Wireshark and dumpcap write them (pcapng): sections of blocks.

    block   type, total length, body, total length again

A section header opens a section and tells its byte order. Interface descriptions number the interfaces of their
section, each with a link type and a unit of time; packet blocks name an interface. Other blocks are skipped.
"""

import socket
import struct
from collections.abc import Callable, Iterator
from itertools import chain
from math import gcd
from typing import Final, NamedTuple

from testbed.wiretap.files.frames import MOST_CAPTURED, Frame
from testbed.wiretap.files.source import Source

SECTION: Final = 0x0A0D0D0A
_INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _NAMES, _PACKET = 1, 2, 3, 4, 6
_ORDERS: Final = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_BLOCK_BYTES: Final = 12
_PACKET_HEAD: Final = 28
_LEAST_PACKET: Final = 32
_COMMENT, _RESOLUTION, _OFFSET = 1, 9, 14
_SECOND: Final = 1_000_000_000
_MICROSECONDS: Final = b"\x06"
_RECORD_IPV4, _RECORD_IPV6 = 1, 2
_MOST_NAMES: Final = 100_000


def is_pcapng(head: bytes) -> bool:
    """Return whether a file begins as a pcapng file does."""
    return head[:4] == SECTION.to_bytes(4, "big") and head[8:12] in _ORDERS


class Interface(NamedTuple):
    """What the packets of one interface have in common."""

    link: int
    snaplen: int
    factor: int
    units: int
    """A time is so many times `factor / units` nanoseconds."""
    offset: int
    """Nanoseconds to add to each time."""


class PcapngFrames:
    """The frames of a pcapng file, of which the first bytes have been read."""

    def __init__(self, head: bytes, source: Source) -> None:
        self._data, self._at, self._source = head, 0, source
        self._order, self._interfaces = "<", list[Interface]()
        self.names: dict[str, str] = {}
        self.comment = ""
        self.unread = 0
        self.damage = ""
        self._first: Frame | None = None
        self._frames = self._read_blocks()

    def read_head(self) -> None:
        """Read what stands before the first packet."""
        self._first = next(self._frames, None)

    def __iter__(self) -> Iterator[Frame]:
        first, self._first = self._first, None
        return self._frames if first is None else chain([first], self._frames)

    def _read_blocks(self) -> Iterator[Frame]:
        others: dict[int, Callable[[int, int], None]] = {_INTERFACE: self._interface, _NAMES: self._names}
        packets = {_PACKET: self._packet, _SIMPLE_PACKET: self._simple_packet, _OLD_PACKET: self._old_packet}
        try:
            while (block := self._next_block()) is not None:
                kind, start, end = block
                if kind in packets:
                    yield packets[kind](start, end)
                elif kind == SECTION:
                    self._section(start, end)
                elif kind in others:
                    others[kind](start, end)
                yield from self._packets()
        except (_DamagedError, struct.error, IndexError) as error:
            self._stop(f"holds a damaged block ({error})")

    def _packets(self) -> Iterator[Frame]:
        """Yield packets as long as blocks of the most common type follow, in memory and sound."""
        unpack, data, at, size = struct.Struct(f"{self._order}7I").unpack_from, self._data, self._at, len(self._data)
        interfaces, count = self._interfaces, len(self._interfaces)
        while at + _LEAST_PACKET <= size:
            kind, length, number, high, low, captured, original = unpack(data, at)
            end = at + length
            if kind != _PACKET or end > size or number >= count or captured > length - _LEAST_PACKET or length & 3:
                break
            link, _, factor, units, offset = interfaces[number]
            time = (high << 32 | low) * factor // units + offset
            start, self._at = at + _PACKET_HEAD, end
            yield time, data, start, start + captured, original, link
            at = end

    def _next_block(self) -> tuple[int, int, int] | None:
        """Return the type of the next block and where its body is; the whole block is in memory then."""
        while True:
            data, at = self._data, self._at
            if at + _BLOCK_BYTES <= len(data):
                if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
                    self._order = _order(data[at + 8 : at + 12])
                kind, length = struct.unpack_from(f"{self._order}II", data, at)
                if length < _BLOCK_BYTES or length % 4 or length > MOST_CAPTURED:
                    raise _DamagedError(f"a length of {length} bytes")
                if at + length <= len(data):
                    self._at = at + length
                    return kind, at + 8, at + length - 4
            more = self._source.read()
            if not more:
                self._stop("ends within a block")
                return None
            self._data, self._at = data[at:] + more, 0

    def _stop(self, damage: str) -> None:
        self.unread = len(self._data) - self._at + self._source.remaining()
        self.damage = self._source.damage or (f"{self._source.path} {damage}" if self.unread else "")

    def _section(self, start: int, end: int) -> None:
        self._interfaces = []
        for code, value in self._options(start + 16, end):
            if code == _COMMENT and not self.comment:
                self.comment = value.decode(errors="replace")

    def _interface(self, start: int, end: int) -> None:
        link, snaplen = struct.unpack_from(f"{self._order}HxxI", self._data, start)
        options = dict(self._options(start + 8, end))
        resolution = (options.get(_RESOLUTION) or _MICROSECONDS)[0]
        units = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10 ** (resolution & 0x7F)
        offset = options.get(_OFFSET, b"")
        seconds = struct.unpack(f"{self._order}q", offset)[0] if len(offset) == 8 else 0
        common = gcd(units, _SECOND)
        self._interfaces.append(Interface(link, snaplen, _SECOND // common, units // common, seconds * _SECOND))

    def _packet(self, start: int, end: int) -> Frame:
        number, high, low, captured, length = struct.unpack_from(f"{self._order}IIIII", self._data, start)
        return self._frame(number, high << 32 | low, start + 20, min(start + 20 + captured, end), length)

    def _old_packet(self, start: int, end: int) -> Frame:
        number, high, low, captured, length = struct.unpack_from(f"{self._order}HxxIIII", self._data, start)
        return self._frame(number, high << 32 | low, start + 20, min(start + 20 + captured, end), length)

    def _simple_packet(self, start: int, end: int) -> Frame:
        """Return a packet without a time, of the first interface; its captured length follows from the block's."""
        (length,) = struct.unpack_from(f"{self._order}I", self._data, start)
        captured = min(length, self._interfaces[0].snaplen or length)
        return self._frame(0, 0, start + 4, min(start + 4 + captured, end), length)

    def _frame(self, number: int, units: int, start: int, end: int, length: int) -> Frame:
        if number >= len(self._interfaces):
            raise _DamagedError(f"a packet of interface {number}, which is not described")
        interface = self._interfaces[number]
        time = units * interface.factor // interface.units + interface.offset
        return time, self._data, start, end, length, interface.link

    def _names(self, start: int, end: int) -> None:
        """Read records of an address and its names; the first name counts."""
        while start + 4 <= end:
            kind, length = struct.unpack_from(f"{self._order}HH", self._data, start)
            value = self._data[start + 4 : min(start + 4 + length, end)]
            size = {_RECORD_IPV4: 4, _RECORD_IPV6: 16}.get(kind)
            if kind == 0:
                return
            if size is not None and len(value) > size and len(self.names) < _MOST_NAMES:
                family = socket.AF_INET if size == 4 else socket.AF_INET6
                name = value[size:].split(b"\0")[0].decode(errors="replace")
                self.names.setdefault(socket.inet_ntop(family, value[:size]), name)
            start += 4 + length + -length % 4

    def _options(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        while start + 4 <= end:
            code, length = struct.unpack_from(f"{self._order}HH", self._data, start)
            if code == 0:
                return
            yield code, self._data[start + 4 : min(start + 4 + length, end)]
            start += 4 + length + -length % 4


class _DamagedError(Exception):
    """A block that cannot be read; those behind it cannot be found."""


def _order(magic: bytes) -> str:
    if magic not in _ORDERS:
        raise _DamagedError("a section without its byte order")
    return _ORDERS[magic]
