"""Captures, read by the letter of the format and without the testbed: what their writers are checked against."""

import gzip
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path


@dataclass(frozen=True)
class Frame:
    """A packet of a capture."""

    interface: str
    time: int
    data: bytes
    length: int

    @property
    def source(self) -> str:
        """The address that sent it; of an ARP packet, too."""
        at = 26 if self.data[12:14] == b"\x08\x00" else 28
        return str(ip_address(self.data[at : at + 4]))


@dataclass
class Content:
    """What is in a pcapng file."""

    comment: str = ""
    interfaces: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    frames: list[Frame] = field(default_factory=list)
    missed: int = -1


@dataclass(frozen=True)
class Segment:
    """A TCP segment."""

    ends: tuple[bytes, bytes, int, int]
    sequence: int
    flags: int
    payload: int


def content_of(file: Path) -> Content:
    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    found = Content()
    for kind, body in blocks(data):
        match kind:
            case 0x0A0D0D0A:
                found.comment = options(body[16:]).get(1, b"").decode()
            case 1:
                assert options(body[8:])[9] == b"\x09"
                found.interfaces.append(options(body[8:])[2].decode())
            case 4:
                found.names.update(names(body))
            case 5:
                (found.missed,) = struct.unpack("=Q", options(body[12:])[7])
            case 6:
                number, high, low, captured, length = struct.unpack_from("=5I", body)
                moment = high << 32 | low
                found.frames.append(Frame(found.interfaces[number], moment, body[20 : 20 + captured], length))
            case _:
                raise AssertionError(f"a block of kind {kind}")
    return found


def blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        kind, size = struct.unpack_from("=II", data, position)
        assert size % 4 == 0
        assert data[position + size - 4 : position + size] == struct.pack("=I", size)
        yield kind, data[position + 8 : position + size - 4]
        position += size
    assert position == len(data)


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while (head := struct.unpack_from("=HH", data, position)) != (0, 0):
        kind, size = head
        yield kind, data[position + 4 : position + 4 + size]
        position += 4 + size + -size % 4


def options(data: bytes) -> dict[int, bytes]:
    return dict(records(data)) if data else {}


def names(body: bytes) -> dict[str, str]:
    return {str(ip_address(value[:4])): value[4:-1].decode() for _, value in records(body)}


def segments(frames: list[Frame]) -> Iterator[Segment]:
    for frame in frames:
        data = frame.data
        if data[12:14] == b"\x08\x00" and data[23] == 6:
            tcp = 14 + 4 * (data[14] & 0xF)
            source, destination, sequence = struct.unpack_from("!HHI", data, tcp)
            (total,) = struct.unpack_from("!H", data, 16)
            payload = 14 + total - tcp - 4 * (data[tcp + 12] >> 4)
            yield Segment((data[26:30], data[30:34], source, destination), sequence, data[tcp + 13], payload)
