"""Packets of interfaces, as the kernel sees them: a packet socket with a ring of blocks in memory (TPACKET_V3).

The kernel fills one block after the other with packets, and hands a block over when it is full, or `_HANDED_OVER_MS`
after its first packet. So a busy link costs a system call for hundreds of packets, not one for each. When no block is
free, packets are dropped, and counted.
"""

import mmap
import select
import socket
import struct
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Final, NamedTuple, Self

from testbed.trial.capture.instructions import NOTHING, attach

_ETH_P_ALL: Final = 3
_SOL_PACKET: Final = 263
_RX_RING: Final = 5
_STATISTICS: Final = 6
_VERSION: Final = 10
_TPACKET_V3: Final = 2
_IGNORE_OUTGOING: Final = 23

BLOCK_BYTES: Final = 256 << 10
"""Has room for the largest super-packet."""
_FRAME_BYTES: Final = 2048
"""The kernel wants to know it, and uses it for nothing but a check."""
_HANDED_OVER_MS: Final = 60

_RING: Final = struct.Struct("=7I")
_BLOCK: Final = struct.Struct("=8xIII")
"""Of a block: its state, the number of its packets, and where the first one is."""
_STATE: Final = struct.Struct("=8xI")
_OF_KERNEL: Final = 0
_OF_USER: Final = 1
_PACKET: Final = struct.Struct("=6IHH20x4xi")
"""Next one, seconds, nanoseconds, captured and whole length, state, begin of the frame and of what it carries, interface."""
_COUNTS: Final = struct.Struct("=3I")


class Packet(NamedTuple):
    """A packet in the ring; `data` is valid until the next block is asked for."""

    interface: int
    """Its index."""
    time: int
    """Nanoseconds since 1970."""
    data: memoryview
    length: int
    """Of the whole frame."""


class Ring:
    """Packets of one interface in both directions, or what arrives at any interface of the namespace (index 0)."""

    def __init__(self, interface: int, program: bytes, size: int, wake: int) -> None:
        count = max(2, size // BLOCK_BYTES)
        self.missed = 0
        """Packets for which no block was free, so far."""
        # A socket that is bound to no interface hears all of them from the beginning; the ring discards what was before it.
        protocol = 0 if interface else socket.htons(_ETH_P_ALL)
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, protocol)
        self._socket.setsockopt(_SOL_PACKET, _VERSION, _TPACKET_V3)
        if not interface:
            self._socket.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
        attach(self._socket, program)
        request = (BLOCK_BYTES, count, _FRAME_BYTES, BLOCK_BYTES // _FRAME_BYTES * count, _HANDED_OVER_MS, 0, 0)
        self._socket.setsockopt(_SOL_PACKET, _RX_RING, _RING.pack(*request))
        self._memory = mmap.mmap(self._socket.fileno(), BLOCK_BYTES * count)
        self._view = memoryview(self._memory)
        self._blocks: Sequence[int] = range(0, BLOCK_BYTES * count, BLOCK_BYTES)
        self._next = 0
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN | select.POLLERR)
        self._poll.register(wake, select.POLLIN)
        self._wake = wake
        if interface:
            self._socket.bind((socket.if_indextoname(interface), _ETH_P_ALL))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._view.release()
        self._memory.close()
        self._socket.close()

    def block(self, seconds: float) -> Iterator[Packet] | None:
        """Wait for the next block, and return its packets; None if there is none in time, or if `wake` can be read.

        The kernel gets the block back when its packets have been read to the end.
        """
        start = self._blocks[self._next]
        if not self._is_ours(start):
            self._poll.poll(round(1000 * seconds))
            if not self._is_ours(start):
                return None
        self._next = (self._next + 1) % len(self._blocks)
        return self._packets(start)

    def ignore_wake(self) -> None:
        """Wait for packets alone from now on."""
        self._poll.unregister(self._wake)

    def rest(self) -> Iterator[Packet]:
        """Let no more packets in, and return those that are in the ring."""
        attach(self._socket, NOTHING)
        while (packets := self.block(2 * _HANDED_OVER_MS / 1000)) is not None:
            yield from packets

    def count_missed(self) -> None:
        """Add what the kernel has dropped since the last call; it counts in 32 bits, and starts again each time."""
        self.missed += _COUNTS.unpack(self._socket.getsockopt(_SOL_PACKET, _STATISTICS, _COUNTS.size))[1]

    def _is_ours(self, start: int) -> bool:
        return bool(_STATE.unpack_from(self._memory, start)[0] & _OF_USER)

    def _packets(self, start: int) -> Iterator[Packet]:
        _, count, offset = _BLOCK.unpack_from(self._memory, start)
        view, unpack, position = self._view, _PACKET.unpack_from, start + offset
        for _ in range(count):
            following, seconds, nanoseconds, captured, length, _, begin, _, interface = unpack(view, position)
            first = position + begin
            yield Packet(interface, seconds * 1_000_000_000 + nanoseconds, view[first : first + captured], length)
            position += following
        struct.pack_into("=I", self._memory, start + 8, _OF_KERNEL)
