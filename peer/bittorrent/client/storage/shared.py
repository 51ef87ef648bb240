"""A torrent whose original is on this machine: N peers need its length once and not N times.

What the wire delivers is gathered in a buffer and hashed. A verified piece equals the original's, so the buffer is
released, and the piece is served from a map of the original that all peers' processes share. A file of the right
length is taken for the original if its first and its last piece are right.
"""

from hashlib import sha1
from pathlib import Path
from typing import Final, Self

from peer.bittorrent.client.storage.buffers import PieceBuffers
from peer.bittorrent.client.storage.files import open_original
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.metainfo.metainfo import Info
from peer.files import OpenFile, StorageError


class Shared:
    """Buffers of its own, and the original to read from."""

    def __init__(self, original: Path, info: Info, have: Bitfield | None = None) -> None:
        """`original` is one file with all bytes of the torrent; `have` are the pieces that this peer starts with."""
        self._info: Final = info
        self._have: Final = Bitfield(info.piece_count) if have is None else have.copy()
        self._buffers: Final = PieceBuffers(info.piece_length)
        self._original: Final = open_original(original, info.length)
        try:
            _check(self._original, info)
        except BaseException:
            self._original.close()
            raise

    def space(self, index: int, begin: int, length: int) -> memoryview:
        return self._buffers.space(index, begin, length)

    def piece(self, index: int) -> memoryview:
        """Return what the wire delivered, not the original."""
        return self._buffers.piece(index, self._info.piece_size(index))

    def keep(self, index: int) -> None:
        """Release the buffer: the original has the same bytes, since the hash is right."""
        self._have.add(index)
        self._buffers.release(index)

    def drop(self, index: int) -> None:
        self._buffers.release(index)

    def read(self, index: int, begin: int, length: int) -> memoryview:
        return self._original.view(index * self._info.piece_length + begin, length)

    def recheck(self) -> Bitfield:
        return self._have.copy()

    def close(self) -> None:
        self._original.close()
        self._buffers.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check(original: OpenFile, info: Info) -> None:
    for index in (0, info.piece_count - 1):
        piece = memoryview(bytearray(info.piece_size(index)))
        original.read_into(piece, index * info.piece_length)
        if sha1(piece, usedforsecurity=False).digest() != info.piece_hash(index):
            raise StorageError(f"{original.path}: is not the original of {info.name!r}: piece {index} has another hash")
