"""Files as tcpdump writes them (pcap): a head with the link type, then frames.

    head    magic, version 2.4, zone, accuracy, longest captured frame, link type      24 bytes
    frame   seconds, fraction, captured length, length on the network, bytes           16 bytes and the frame

The magic number tells the byte order and whether fractions are microseconds or nanoseconds.
"""

import struct
from collections.abc import Iterator
from typing import Final

from testbed.wiretap.files.frames import MOST_CAPTURED, Frame
from testbed.wiretap.files.source import Source

_MAGICS: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
"""Byte order, and nanoseconds in one unit of a fraction."""
HEAD_BYTES: Final = 24
_RECORD_BYTES: Final = 16
_SECOND: Final = 1_000_000_000
_LINK_TYPE: Final = 0xFFFF
"""The bits above it tell the length of a checksum at the end of each frame."""


def is_pcap(head: bytes) -> bool:
    """Return whether a file begins as a pcap file does."""
    return head[:4] in _MAGICS


class PcapFrames:
    """The frames of a pcap file, of which the first bytes have been read."""

    def __init__(self, head: bytes, source: Source) -> None:
        order, self._unit = _MAGICS[head[:4]]
        self._record = struct.Struct(f"{order}IIII")
        self.link: int = struct.unpack_from(f"{order}I", head, 20)[0] & _LINK_TYPE
        self._rest, self._source = head, source
        self.names: dict[str, str] = {}
        self.comment = ""
        self.unread = 0
        self.damage = ""

    def __iter__(self) -> Iterator[Frame]:
        unpack, unit, link, second, record = self._record.unpack_from, self._unit, self.link, _SECOND, _RECORD_BYTES
        data, at, size = self._rest, HEAD_BYTES, len(self._rest)
        while True:
            while at + record <= size:
                seconds, fraction, captured, length = unpack(data, at)
                start = at + record
                end = start + captured
                if end > size:
                    break
                yield seconds * second + fraction * unit, data, start, end, length, link
                at = end
            if at + _RECORD_BYTES <= size and captured > MOST_CAPTURED:
                self._stop(size - at, "holds a damaged frame")
                return
            more = self._source.read()
            if not more:
                self._stop(size - at, "ends within a frame")
                return
            data = data[at:] + more
            at, size = 0, len(data)

    def _stop(self, unread: int, damage: str) -> None:
        self.unread = unread + self._source.remaining()
        self.damage = self._source.damage or (f"{self._source.path} {damage}" if self.unread else "")
