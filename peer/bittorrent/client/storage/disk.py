"""A torrent on a disk, in sparse files: a peer that was killed checks what is there and resumes.

A piece is gathered in a buffer and written by one call when its hash is right. Compared with receiving into a map of
the file this costs 0.47 s of CPU per GB instead of 0.59 (every page of a map that is written faults), a full disk is
an error and no SIGBUS, and files hold verified bytes only. Sending uses a map.
"""

from hashlib import sha1
from pathlib import Path
from typing import Final, Self

from peer.bittorrent.client.storage.buffers import PieceBuffers
from peer.bittorrent.client.storage.files import Files
from peer.bittorrent.client.storage.layout import Layout, Span
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.metainfo.metainfo import Info


class Disk:
    """A file or a folder of files."""

    def __init__(self, place: Path, info: Info, *, is_read_only: bool = False) -> None:
        """`place` is the file itself, or the folder; it is created unless it is read-only."""
        self._info: Final = info
        self._layout: Final = Layout(file.length for file in info.files)
        self._buffers: Final = PieceBuffers(info.piece_length)
        self._zeros: Final = _ZeroHashes()
        paths = [place.joinpath(*file.path) if info.is_folder else place for file in info.files]
        self._files: Final = Files(paths, [file.length for file in info.files], is_read_only=is_read_only)
        try:
            for number, file in enumerate(info.files):
                if not file.is_padding:
                    self._files.prepare(number)
        except BaseException:
            self._files.close()
            raise

    def space(self, index: int, begin: int, length: int) -> memoryview:
        return self._buffers.space(index, begin, length)

    def piece(self, index: int) -> memoryview:
        return self._buffers.piece(index, self._info.piece_size(index))

    def keep(self, index: int) -> None:
        """Write the piece to its files; after a StorageError the disk may hold a part of it."""
        piece, at = self.piece(index), 0
        for span in self._spans(index):
            if not self._is_padding(span):
                self._files[span.file].write(piece[at : at + span.length], span.offset)
            at += span.length
        self._buffers.release(index)

    def drop(self, index: int) -> None:
        self._buffers.release(index)

    def read(self, index: int, begin: int, length: int) -> memoryview:
        """Return a block; it is copied only if it spans several files."""
        spans = list(self._layout.spans(index * self._info.piece_length + begin, length))
        if len(spans) == 1 and not self._is_padding(spans[0]):
            return self._files[spans[0].file].view(spans[0].offset, length)
        block = memoryview(bytearray(length))
        self._gather(spans, block)
        return block.toreadonly()

    def recheck(self) -> Bitfield:
        """Hash what is there, except holes, which are not read."""
        have = Bitfield(self._info.piece_count)
        buffer = memoryview(bytearray(self._info.piece_length))
        for index in range(self._info.piece_count):
            if self._digest(index, buffer) == self._info.piece_hash(index):
                have.add(index)
        return have

    def close(self) -> None:
        self._files.close()
        self._buffers.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _spans(self, index: int) -> list[Span]:
        return list(self._layout.spans(index * self._info.piece_length, self._info.piece_size(index)))

    def _is_padding(self, span: Span) -> bool:
        return self._info.files[span.file].is_padding

    def _gather(self, spans: list[Span], memory: memoryview) -> None:
        """Copy parts of files into memory, one after the other."""
        at = 0
        for span in spans:
            part = memory[at : at + span.length]
            if self._is_padding(span):
                part[:] = bytes(span.length)
            else:
                self._files[span.file].read_into(part, span.offset)
            at += span.length

    def _digest(self, index: int, buffer: memoryview) -> bytes:
        spans = self._spans(index)
        size = self._info.piece_size(index)
        if all(self._is_padding(span) or self._files[span.file].is_hole(span.offset, span.length) for span in spans):
            return self._zeros.of(size)
        self._gather(spans, buffer)
        return sha1(buffer[:size], usedforsecurity=False).digest()


class _ZeroHashes:
    """The SHA-1 of zeros, by the few sizes that a torrent needs."""

    def __init__(self) -> None:
        self._known: dict[int, bytes] = {}

    def of(self, size: int) -> bytes:
        if size not in self._known:
            self._known[size] = sha1(bytes(size), usedforsecurity=False).digest()
        return self._known[size]
