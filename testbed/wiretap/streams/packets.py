"""From a frame to the segment or datagram in it: IPv4 and IPv6, with the lengths that their headers tell.

What was cut off by the capture's snaplen still counts in `length`, so that streams have holes of known size.
"""

import struct
from enum import IntEnum
from typing import Final, NamedTuple

TCP: Final = 6
UDP: Final = 17
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION, _MOBILITY, _HIP, _SHIM6 = (
    0,
    43,
    44,
    51,
    60,
    135,
    139,
    140,
)
_EXTENSIONS: Final = frozenset({_HOP_BY_HOP, _ROUTING, _AUTHENTICATION, _DESTINATION, _MOBILITY, _HIP, _SHIM6})
_MOST_EXTENSIONS: Final = 16
_LONGEST: Final = 16 << 20
"""Bytes of a packet whose length only the capture tells; a longer one is damage."""
_IPV4: Final = struct.Struct(">BxHxxHxB").unpack_from


class Unread(IntEnum):
    """Why there is no segment."""

    OTHER = 0
    """Neither TCP nor UDP."""
    CUT = 1
    """Cut or damaged before the end of its headers."""
    FRAGMENT = 2


class Packet(NamedTuple):
    """What IP carries."""

    protocol: int
    addresses: bytes
    """Of the sender and of the receiver, one behind the other."""
    start: int
    length: int
    """Its bytes as sent, from `start`."""


def read_ip(data: bytes, at: int, end: int, frame_length: int) -> Packet | Unread:
    """Read the IP headers that begin at `at`; `frame_length` bytes were sent from there on."""
    if end - at < 20:
        return Unread.CUT
    version = data[at] >> 4
    if version == 4:
        return _read_ipv4(data, at, frame_length)
    if version == 6 and end - at >= 40:
        return _read_ipv6(data, at, end, frame_length)
    return Unread.CUT


def _read_ipv4(data: bytes, at: int, frame_length: int) -> Packet | Unread:
    first, length, fragment, protocol = _IPV4(data, at)
    header = (first & 15) * 4
    # An adapter that cuts segments itself leaves the length empty where it does not fit, or is not known yet.
    length = (length or frame_length) - header
    if header < 20 or not 0 <= length <= _LONGEST:
        return Unread.CUT
    if fragment & 0x3FFF:
        return Unread.FRAGMENT
    return Packet(protocol, data[at + 12 : at + 20], at + header, length)


def _read_ipv6(data: bytes, at: int, end: int, frame_length: int) -> Packet | Unread:
    addresses = data[at + 8 : at + 40]
    # The length is 0 in packets of more than 64 KiB.
    length = int.from_bytes(data[at + 4 : at + 6], "big") or frame_length - 40
    protocol, at = data[at + 6], at + 40
    for _ in range(_MOST_EXTENSIONS):
        if protocol == _FRAGMENT and at + 8 <= end:
            if data[at + 2] or data[at + 3] & 0xF9:
                return Unread.FRAGMENT
            size = 8
        elif protocol in _EXTENSIONS and at + 8 <= end:
            size = (data[at + 1] + 2) * 4 if protocol == _AUTHENTICATION else (data[at + 1] + 1) * 8
        else:
            break
        protocol, at, length = data[at], at + size, length - size
    if not 0 <= length <= _LONGEST or protocol in _EXTENSIONS or protocol == _FRAGMENT:
        return Unread.CUT
    return Packet(protocol, addresses, at, length)
