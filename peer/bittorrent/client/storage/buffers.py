"""Reused memory for the pieces in flight.

Fresh memory costs four times what receiving into it does, since the kernel zeroes it page by page. So a few buffers
are kept.

A buffer is reused only if no view of it is left. A neighbour may still be sending a block that arrived sooner from
another one when its piece is already kept. Its view then holds the old buffer and cannot damage another piece.
"""

import mmap
from typing import Final

_SPARE_BYTES: Final = 1 << 20
"""What is kept for reuse, but at least two buffers: the receiver of the last block may still hold a view of one."""


class PieceBuffers:
    """One buffer for each piece in flight."""

    def __init__(self, piece_length: int) -> None:
        self._piece_length: Final = piece_length
        self._most_spare: Final = max(2, _SPARE_BYTES // piece_length)
        self._in_flight: dict[int, mmap.mmap] = {}
        self._spare: list[mmap.mmap] = []

    def space(self, index: int, begin: int, length: int) -> memoryview:
        """Return part of a piece's buffer; the first call for a piece assigns it one."""
        buffer = self._in_flight.get(index)
        if buffer is None:
            buffer = self._in_flight[index] = self._take()
        return memoryview(buffer)[begin : begin + length]

    def piece(self, index: int, size: int) -> memoryview:
        """Return the buffer of a piece in flight; the last piece is shorter than its buffer."""
        return memoryview(self._in_flight[index])[:size]

    def release(self, index: int) -> None:
        """Free a piece's buffer for another piece."""
        self._spare.append(self._in_flight.pop(index))
        del self._spare[: -self._most_spare]

    def clear(self) -> None:
        self._in_flight.clear()
        self._spare.clear()

    def _take(self) -> mmap.mmap:
        """Return a buffer without views, the one used last if possible: it may still be in the cache."""
        for at in reversed(range(len(self._spare))):
            if not _has_views(self._spare[at]):
                return self._spare.pop(at)
        return mmap.mmap(-1, self._piece_length, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def _has_views(buffer: mmap.mmap) -> bool:
    """Python refuses to resize a map that has views, even to its present size."""
    try:
        buffer.resize(len(buffer))
    except BufferError:
        return True
    return False
