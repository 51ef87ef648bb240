"""Packets of interfaces, as the kernel sees them: a packet socket with a ring of blocks in memory (TPACKET_V3).

The kernel fills one block after the other with packets, and hands a block over when it is full, or a moment after its
first packet. So a busy link costs a system call for hundreds of packets, and not one for each. When no block is free,
packets are dropped, and counted.
"""

import mmap
import select
import socket
import struct
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

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
LONGEST_WAIT_SECONDS: Final = 2 * _HANDED_OVER_MS / 1000
"""A packet that has been let in is handed over before."""

_RING: Final = struct.Struct("=7I")
_STATE: Final = struct.Struct("=I")
_STATE_AT: Final = 8
"""Where a block has its state."""
_OF_KERNEL: Final = 0
_OF_USER: Final = 1
_COUNTS: Final = struct.Struct("=3I")


class Ring:
    """Packets of one interface in both directions, or what arrives at any interface of the namespace (index 0)."""

    def __init__(self, interface: int, program: bytes, size: int, wake: int) -> None:
        """Begin to capture. `wake` is a descriptor that ends a wait when it can be read."""
        count = max(2, size // BLOCK_BYTES)
        self.missed = 0
        """Packets for which no block was free, so far."""
        # A socket that is not bound hears all interfaces at once; the ring discards what was before it.
        protocol = 0 if interface else socket.htons(_ETH_P_ALL)
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, protocol)
        self._socket.setsockopt(_SOL_PACKET, _VERSION, _TPACKET_V3)
        if not interface:
            self._socket.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
        attach(self._socket, program)
        request = (BLOCK_BYTES, count, _FRAME_BYTES, BLOCK_BYTES // _FRAME_BYTES * count, _HANDED_OVER_MS, 0, 0)
        self._socket.setsockopt(_SOL_PACKET, _RX_RING, _RING.pack(*request))
        self._map = mmap.mmap(self._socket.fileno(), BLOCK_BYTES * count)
        self.memory = memoryview(self._map)
        """All blocks."""
        self._blocks: Sequence[int] = range(0, BLOCK_BYTES * count, BLOCK_BYTES)
        self._next = 0
        self._wake = wake
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN | select.POLLERR)
        self._poll.register(wake, select.POLLIN)
        if interface:
            self._socket.bind((socket.if_indextoname(interface), _ETH_P_ALL))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.memory.release()
        self._map.close()
        self._socket.close()

    def wait(self, seconds: float) -> int | None:
        """Wait for a block; return where it is in `memory`, or None if there is none in time, or `wake` can be read."""
        start = self._blocks[self._next]
        if not self._is_ours(start):
            self._poll.poll(round(1000 * seconds))
        return start if self._is_ours(start) else None

    def release(self) -> None:
        """Give the block back to the kernel that `wait` returned."""
        _STATE.pack_into(self.memory, self._blocks[self._next] + _STATE_AT, _OF_KERNEL)
        self._next = (self._next + 1) % len(self._blocks)

    def ignore_wake(self) -> None:
        """Wait for packets alone from now on."""
        self._poll.unregister(self._wake)

    def let_nothing_in(self) -> None:
        """Accept no more packets; those in the ring can still be read."""
        attach(self._socket, NOTHING)

    def count_missed(self) -> None:
        """Add what the kernel has dropped since the last call; it begins to count again each time."""
        self.missed += _COUNTS.unpack(self._socket.getsockopt(_SOL_PACKET, _STATISTICS, _COUNTS.size))[1]

    def _is_ours(self, start: int) -> bool:
        return bool(_STATE.unpack_from(self.memory, start + _STATE_AT)[0] & _OF_USER)
