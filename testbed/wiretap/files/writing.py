"""The blocks of a pcapng file (draft-ietf-opsawg-pcapng), from values to bytes; pure.

A file is one section: its head, the names of hosts, a description of each interface, a block for each packet, and at
the end the statistics of each interface. Numbers have the byte order of this machine; times are in nanoseconds.

No library writes all these blocks: scapy's and dpkt's writers know neither names of hosts nor statistics, and scapy's
licence keeps it out of what a run needs.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

ETHERNET: Final = 1
"""The link type of frames with an Ethernet header."""

_SECTION: Final = 0x0A0D0D0A
_INTERFACE: Final = 1
_NAMES: Final = 4
_STATISTICS: Final = 5
PACKET: Final = 6
"""The kind of a packet's block."""
_BYTE_ORDER: Final = 0x1A2B3C4D
_UNKNOWN_LENGTH: Final = -1
_NANOSECONDS: Final = b"\x09"
"""The unit of times as a negative power of ten."""
PACKET_HEAD: Final = struct.Struct("=IIIIIII")
"""Kind and size of the block, number of the interface, time in two halves, captured and whole length."""
_PACKET_BYTES: Final = PACKET_HEAD.size + 4
_MOST_OPTION_BYTES: Final = 0xFFFF
_HALF: Final = 32
_LOW: Final = (1 << _HALF) - 1


@dataclass(frozen=True)
class Interface:
    """An interface whose packets are in the file."""

    name: str
    description: str = ""
    snaplen: int = 0
    """The most bytes of a packet; 0 without a limit."""
    filter: str = ""
    """In the words of libpcap; empty without one."""


@dataclass(frozen=True)
class Statistics:
    """What became of the packets of an interface. Times in nanoseconds since 1970."""

    began: int
    ended: int
    received: int
    """Packets that passed the filter."""
    missed: int
    """Of these, packets that the kernel had no room for."""
    written: int


def section(comment: str, program: str, system: str) -> bytes:
    """Return the head of a file: a comment, the program that writes it, and the operating system."""
    head = struct.pack("=IHHq", _BYTE_ORDER, 1, 0, _UNKNOWN_LENGTH)
    return _block(_SECTION, head + _options((1, comment), (3, system), (4, program)))


def names(by_address: Mapping[str, str]) -> bytes:
    """Return a block that says which name each address has."""
    records = b"".join(_name_record(address, name) for address, name in by_address.items())
    return _block(_NAMES, records + struct.pack("=HH", 0, 0))


def interface(described: Interface) -> bytes:
    """Return the description of an interface; packets name interfaces by their order, from 0."""
    head = struct.pack("=HHI", ETHERNET, 0, described.snaplen)
    pcap_filter = b"\x00" + described.filter.encode() if described.filter else b""
    options = _options((2, described.name), (3, described.description), (9, _NANOSECONDS), (11, pcap_filter))
    return _block(_INTERFACE, head + options)


def packet(number: int, time: int, data: bytes | memoryview, length: int) -> bytes:
    """Return a packet of an interface: `data` is what was captured of its `length` bytes."""
    captured = len(data)
    size, end = packet_frame(captured)
    head = PACKET_HEAD.pack(PACKET, size, number, time >> _HALF, time & _LOW, captured, length)
    return b"".join([head, data, end])


def statistics(number: int, counts: Statistics, comment: str = "") -> bytes:
    """Return the statistics of an interface, for the end of the file."""
    head = struct.pack("=III", number, *_halves(counts.ended))
    options = _options(
        (1, comment),
        (2, struct.pack("=II", *_halves(counts.began))),
        (3, struct.pack("=II", *_halves(counts.ended))),
        (6, struct.pack("=Q", counts.received)),
        (7, struct.pack("=Q", counts.missed)),
        (8, struct.pack("=Q", counts.written)),
    )
    return _block(_STATISTICS, head + options)


def packet_frame(captured: int) -> tuple[int, bytes]:
    """Return the size of a packet's block, and what stands behind its data: padding, and the size again.

    With `PACKET_HEAD` this is for who writes very many packets, and can pay for no call of `packet` for each.
    """
    padding = -captured % 4
    size = _PACKET_BYTES + captured + padding
    return size, bytes(padding) + struct.pack("=I", size)


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack("=I", 12 + len(body))
    return struct.pack("=I", kind) + size + body + size


def _options(*options: tuple[int, str | bytes]) -> bytes:
    """Return the options that are not empty, and their end."""
    return b"".join([*_encoded(options), struct.pack("=HH", 0, 0)])


def _encoded(options: Iterable[tuple[int, str | bytes]]) -> Iterable[bytes]:
    for code, value in options:
        data = (value.encode() if isinstance(value, str) else value)[:_MOST_OPTION_BYTES]
        if data:
            yield struct.pack("=HH", code, len(data)) + _padded(data)


def _name_record(address: str, name: str) -> bytes:
    number = ip_address(address)
    value = number.packed + name.encode() + b"\x00"
    return struct.pack("=HH", 1 if number.version == 4 else 2, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _halves(number: int) -> tuple[int, int]:
    return number >> _HALF, number & _LOW
