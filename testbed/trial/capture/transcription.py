"""From a block of the kernel's ring (TPACKET_V3) to blocks of a pcapng file: the inner loop of a capture; pure.

At a hundred thousand packets a second each of them has a few microseconds, so the loop calls no function of Python.
"""

import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

from testbed.wiretap.files.writing import PACKET, PACKET_HEAD, packet_frame

_BLOCK: Final = struct.Struct("=12xII")
"""Of a block: the number of its packets, and where the first one is."""
_PACKET: Final = struct.Struct("=5I4xH2x20x4xi")
"""Where the next one is, seconds, nanoseconds, captured and whole length, where the frame is, and its interface."""
_NANOSECONDS: Final = 1_000_000_000


class Transcript(NamedTuple):
    """Packets as a file has them."""

    data: bytes
    packets: int


class Transcriber:
    """Writes packets down with the numbers that interfaces have in the file, given by their indices."""

    def __init__(self, numbers: Mapping[int, int]) -> None:
        self._numbers = numbers
        self._frames: dict[int, tuple[int, bytes]] = {}

    def transcribed(self, memory: memoryview, start: int) -> Transcript:
        """Return the packets of the block that begins here; those of other interfaces are left out."""
        count, offset = _BLOCK.unpack_from(memory, start)
        parts: list[bytes | memoryview] = []
        append, pack, unpack = parts.append, PACKET_HEAD.pack, _PACKET.unpack_from
        numbers, frames, position = self._numbers, self._frames, start + offset
        for _ in range(count):
            following, seconds, nanoseconds, captured, length, begin, interface = unpack(memory, position)
            if interface in numbers:
                if captured not in frames:
                    frames[captured] = packet_frame(captured)
                size, end = frames[captured]
                time = seconds * _NANOSECONDS + nanoseconds
                append(pack(PACKET, size, numbers[interface], time >> 32, time & 0xFFFF_FFFF, captured, length))
                append(memory[position + begin : position + begin + captured])
                append(end)
            position += following
        return Transcript(b"".join(parts), len(parts) // 3)
