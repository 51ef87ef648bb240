"""A torrent of which the machine has the original: N peers cost its length once, and not N times.

What the wire delivers gathers in a buffer and is hashed; a piece that is right has the bytes of the original, so the
buffer is given up, and the piece is served from a map of the original that the peers' processes have in common. That
a file of the right length is the original is believed after a look at its first and its last piece.
"""

from hashlib import sha1
from pathlib import Path
from typing import Final, Self

from peer.bittorrent.client.storage.buffers import PieceBuffers
from peer.bittorrent.client.storage.files import OpenFile, open_file
from peer.bittorrent.client.storage.interface import StorageError
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.metainfo.metainfo import Info


class Shared:
    """Buffers of its own, and the original to read from."""

    def __init__(self, original: Path, info: Info, have: Bitfield | None = None) -> None:
        """`original` is one file with all bytes of the torrent; `have` is what this peer begins with."""
        self._info: Final = info
        self._have: Final = Bitfield(info.piece_count) if have is None else have.copy()
        self._buffers: Final = PieceBuffers(info.piece_length)
        self._original: Final = open_file(original, info.length, is_read_only=True)
        try:
            _check(self._original, info)
        except BaseException:
            self._original.close()
            raise

    def space(self, index: int, begin: int, length: int) -> memoryview:
        """Return the block's part of its piece's buffer."""
        return self._buffers.space(index, begin, length)

    def piece(self, index: int) -> memoryview:
        """Return the piece's buffer: what the wire delivered, not the original."""
        return self._buffers.piece(index, self._info.piece_size(index))

    def kept(self, index: int) -> None:
        """Give up the buffer: the original has the same bytes, or the hash would not be right."""
        self._have.add(index)
        self._buffers.release(index)

    def dropped(self, index: int) -> None:
        """Give up the buffer."""
        self._buffers.release(index)

    def read(self, index: int, begin: int, length: int) -> memoryview:
        """Return the block of the original."""
        return self._original.view(index * self._info.piece_length + begin, length)

    def recheck(self) -> Bitfield:
        """Tell what this peer began with and what it has kept."""
        return self._have.copy()

    def close(self) -> None:
        """Close the original."""
        self._original.close()
        self._buffers.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check(original: OpenFile, info: Info) -> None:
    original.check_length()
    for index in (0, info.piece_count - 1):
        piece = memoryview(bytearray(info.piece_size(index)))
        original.read_into(piece, index * info.piece_length)
        if sha1(piece, usedforsecurity=False).digest() != info.piece_hash(index):
            raise StorageError(f"{original.path}: is not the original of {info.name!r}: piece {index} has another hash")
