"""Captures that tests make: frames of a conversation, and the files that hold them."""

import gzip
import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from testbed.wiretap import Reading, read_capture
from testbed.wiretap.messages import Message

FIN, SYN, RST, ACK = 1, 2, 4, 16
US, THEM = "198.18.0.1", "198.18.0.2"
SECOND = 1_000_000_000
BEGAN = 1_700_000_000 * SECOND
ETHERNET, RAW, NULL, SLL, SLL2 = 1, 101, 0, 113, 276
HASH, PEER = bytes(range(20)), b"-TB0100-abcdefghijkl"
RESERVED = bytes(5) + b"\x10\0\x05"
BLOCK = 16 << 10


def handshake(peer_id: bytes = PEER) -> bytes:
    return b"\x13BitTorrent protocol" + RESERVED + HASH + peer_id


def message(number: int, body: bytes = b"") -> bytes:
    return struct.pack(">IB", 1 + len(body), number) + body


def block(number: int, *values: int) -> bytes:
    """Make a request, a cancel, or whatever consists of numbers."""
    return message(number, struct.pack(f">{len(values)}I", *values))


def piece(index: int, begin: int, length: int = BLOCK, filling: bytes = b"\xa5") -> bytes:
    return message(7, struct.pack(">II", index, begin) + filling * length)


def extended(number: int, bencoded: bytes) -> bytes:
    return message(20, bytes([number]) + bencoded)


def tcp(
    source: str,
    destination: str,
    ports: tuple[int, int],
    sequence: int,
    data: bytes = b"",
    *,
    acknowledgement: int = 0,
    flags: int = ACK,
) -> bytes:
    """Make an IP packet with a TCP segment."""
    head = struct.pack(
        ">HHIIBBHHH", *ports, sequence & 0xFFFFFFFF, acknowledgement & 0xFFFFFFFF, 8 << 4, flags, 9, 0, 0
    )
    return ip(source, destination, 6, head + bytes(12) + data)


def udp(source: str, destination: str, ports: tuple[int, int], data: bytes) -> bytes:
    return ip(source, destination, 17, struct.pack(">HHHH", *ports, 8 + len(data), 0) + data)


def ip(source: str, destination: str, protocol: int, data: bytes, extensions: bytes = b"") -> bytes:
    """Make an IP packet; IPv6 where the addresses are. `extensions` are headers whose first byte names the protocol."""
    ends = ip_address(source).packed + ip_address(destination).packed
    if len(ends) == 8:
        length = 20 + len(data)
        return struct.pack(">BBHHHBBH", 0x45, 0, length if length < 65536 else 0, 1, 0, 64, protocol, 0) + ends + data
    length = len(extensions) + len(data)
    first = 60 if extensions else protocol
    return struct.pack(">IHBB", 6 << 28, length if length < 65536 else 0, first, 64) + ends + extensions + data


def ethernet(packet: bytes, tags: bytes = b"") -> bytes:
    kind = b"\x08\0" if packet[0] >> 4 == 4 else b"\x86\xdd"
    return bytes(12) + tags + kind + packet


def as_link(packet: bytes, link: int) -> bytes:
    """Put the header of a link type before an IP packet."""
    kind = b"\x08\0" if packet[0] >> 4 == 4 else b"\x86\xdd"
    heads = {
        ETHERNET: bytes(12) + kind,
        RAW: b"",
        NULL: struct.pack("<I", 2 if packet[0] >> 4 == 4 else 10),
        SLL: bytes(14) + kind,
        SLL2: kind + bytes(18),
    }
    return heads[link] + packet


def pcap(
    frames: Sequence[tuple[int, bytes]],
    *,
    order: str = "<",
    unit: int = 1000,
    link: int = ETHERNET,
    snaplen: int = 1 << 18,
) -> bytes:
    """Make a pcap file; `unit` is how many nanoseconds a unit of its times has."""
    magic = 0xA1B2C3D4 if unit == 1000 else 0xA1B23C4D
    parts = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snaplen, link)]
    for time, frame in frames:
        seconds, rest = divmod(time, SECOND)
        kept = frame[:snaplen]
        parts += [struct.pack(f"{order}IIII", seconds, rest // unit, len(kept), len(frame)), kept]
    return b"".join(parts)


class Pcapng:
    """Makes a pcapng file, block by block."""

    def __init__(self, order: str = "<") -> None:
        self.order, self.data = order, b""

    def block(self, kind: int, body: bytes) -> "Pcapng":
        body += bytes(-len(body) % 4)
        length = struct.pack(f"{self.order}I", 12 + len(body))
        self.data += struct.pack(f"{self.order}I", kind) + length + body + length
        return self

    def options(self, *options: tuple[int, bytes]) -> bytes:
        made = b"".join(
            struct.pack(f"{self.order}HH", code, len(value)) + value + bytes(-len(value) % 4) for code, value in options
        )
        return made + bytes(4) if made else b""

    def section(self, comment: str = "") -> "Pcapng":
        said = self.options((1, comment.encode())) if comment else b""
        return self.block(0x0A0D0D0A, struct.pack(f"{self.order}IHHq", 0x1A2B3C4D, 1, 0, -1) + said)

    def interface(self, link: int = ETHERNET, snaplen: int = 0, *options: tuple[int, bytes]) -> "Pcapng":
        return self.block(1, struct.pack(f"{self.order}HHI", link, 0, snaplen) + self.options(*options))

    def packet(self, frame: bytes, units: int, interface: int = 0, snaplen: int = 1 << 18) -> "Pcapng":
        kept = frame[:snaplen]
        head = struct.pack(f"{self.order}IIIII", interface, units >> 32, units & 0xFFFFFFFF, len(kept), len(frame))
        return self.block(6, head + kept)

    def simple_packet(self, frame: bytes) -> "Pcapng":
        return self.block(3, struct.pack(f"{self.order}I", len(frame)) + frame)

    def names(self, **names: str) -> "Pcapng":
        body = b""
        for name, address in names.items():
            packed = ip_address(address).packed
            value = packed + name.encode() + b"\0"
            kind = 1 if len(packed) == 4 else 2
            body += struct.pack(f"{self.order}HH", kind, len(value)) + value + bytes(-len(value) % 4)
        return self.block(4, body + bytes(4))


@dataclass
class Talk:
    """A TCP connection whose packets a test writes; the clock goes on by a millisecond with each packet."""

    ends: tuple[str, str] = (US, THEM)
    ports: tuple[int, int] = (40_000, 6881)
    sequences: list[int] = field(default_factory=lambda: [1000, 5000])
    frames: list[tuple[int, bytes]] = field(default_factory=list)

    def open(self) -> "Talk":
        ours, theirs = self.sequences
        self.packet(0, flags=SYN, acknowledgement=0)
        self.sequences[0] = ours + 1
        self.packet(1, flags=SYN | ACK)
        self.sequences[1] = theirs + 1
        return self.packet(0)

    def say(self, who: int, data: bytes, most: int = 1448) -> "Talk":
        """Send data in segments, none of which is longer than `most`."""
        for at in range(0, len(data), most):
            self.segment(who, self.sequences[who], data[at : at + most])
            self.sequences[who] += len(data[at : at + most])
        return self

    def segment(self, who: int, sequence: int, data: bytes, flags: int = ACK) -> "Talk":
        return self._add(who, sequence, data, self.sequences[1 - who], flags)

    def packet(self, who: int, flags: int = ACK, acknowledgement: int | None = None) -> "Talk":
        acknowledged = self.sequences[1 - who] if acknowledgement is None else acknowledgement
        return self._add(who, self.sequences[who], b"", acknowledged, flags)

    def close(self) -> "Talk":
        for who in (0, 1):
            self.packet(who, FIN | ACK)
            self.sequences[who] += 1
        return self.packet(0)

    def lose(self, *numbers: int) -> "Talk":
        """Remove packets, counted from the end (-1 is the latest)."""
        for number in sorted(numbers):
            del self.frames[number]
        return self

    def _add(self, who: int, sequence: int, data: bytes, acknowledgement: int, flags: int) -> "Talk":
        ends, ports = (self.ends, self.ports) if who == 0 else (self.ends[::-1], self.ports[::-1])
        packet = tcp(*ends, ports, sequence, data, acknowledgement=acknowledgement, flags=flags)
        self.frames.append((BEGAN + len(self.frames) * SECOND // 1000, ethernet(packet)))
        return self


@dataclass
class Result:
    """A capture that was read to its end."""

    reading: Reading
    messages: list[Message]

    @property
    def kinds(self) -> list[str]:
        return [each.kind for each in self.messages]

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.kinds)


def read_bytes(data: bytes, folder: Path, name: str = "capture") -> Result:
    file = folder / name
    file.write_bytes(data)
    return read_file(file)


def read_file(file: Path) -> Result:
    reading = read_capture(file)
    return Result(reading, list(reading.messages()))


def read_frames(frames: Iterable[tuple[int, bytes]], folder: Path, **options: int) -> Result:
    return read_bytes(pcap(list(frames), **options), folder)  # type: ignore[arg-type]


def packed(data: bytes) -> bytes:
    return gzip.compress(data, 1)
