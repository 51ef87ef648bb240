"""A torrent in memory, for measurements without a disk: each block is received into its final place.

It is one anonymous map, which the kernel backs as it is written. With huge pages receiving 1 GB costs 0.25 s of CPU
instead of 0.82.
"""

import contextlib
import mmap
from typing import Final, Self

from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.metainfo.metainfo import Info
from peer.files import StorageError


class Memory:
    """All bytes in memory."""

    def __init__(self, info: Info) -> None:
        self._info: Final = info
        self._bytes = memoryview(_map(info.length))
        self._have: Final = Bitfield(info.piece_count)

    def space(self, index: int, begin: int, length: int) -> memoryview:
        return self._at(index, begin, length)

    def piece(self, index: int) -> memoryview:
        return self._at(index, 0, self._info.piece_size(index))

    def keep(self, index: int) -> None:
        self._have.add(index)

    def drop(self, index: int) -> None:
        """Leave the bytes in place to be overwritten."""

    def read(self, index: int, begin: int, length: int) -> memoryview:
        return self._at(index, begin, length)

    def recheck(self) -> Bitfield:
        """Return what was kept; nothing outlasts the process."""
        return self._have.copy()

    def close(self) -> None:
        self._bytes = memoryview(b"")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _at(self, index: int, begin: int, length: int) -> memoryview:
        start = index * self._info.piece_length + begin
        return self._bytes[start : start + length]


def _map(length: int) -> mmap.mmap:
    try:
        made = mmap.mmap(-1, length, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise StorageError(f"no memory for {length} bytes ({error.strerror}); store the torrent on a disk") from error
    with contextlib.suppress(OSError):  # a kernel without huge pages
        made.madvise(mmap.MADV_HUGEPAGE)
    return made
