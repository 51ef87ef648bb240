"""The bytes of a file one after the other, unpacked if they are gzip's, and never all in memory."""

import zlib
from pathlib import Path
from typing import BinaryIO, Final

from testbed.errors import ExplainedError

CHUNK: Final = 1 << 16
_GZIP: Final = b"\x1f\x8b"
_WITH_HEADER: Final = 31
"""zlib's word for gzip with the largest window."""


class Source:
    """A file that is read forward, once. At its end `read` returns b"", and `damage` says what is wrong there."""

    def __init__(self, file: Path) -> None:
        self.path = file
        self._file = _open(file)
        self.damage = ""
        self._is_over = False
        self._packed = self._file.read(CHUNK)
        self._is_packed = self._packed[:2] == _GZIP
        self._unpacker = zlib.decompressobj(_WITH_HEADER)

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self) -> bytes:
        """Return the next bytes, at most CHUNK of them."""
        if self._is_over:
            return b""
        if not self._is_packed:
            data, self._packed = self._packed or self._file.read(CHUNK), b""
            return data
        try:
            return self._unpack()
        except zlib.error as error:
            return self._end(f"the compressed file {self.path} is damaged ({error})")

    def remaining(self) -> int:
        """Return how many bytes of the file follow, packed or not, without keeping them."""
        count = len(self._packed)
        while more := self._file.read(CHUNK):
            count += len(more)
        self._packed, self._is_over = b"", True
        return count

    def _unpack(self) -> bytes:
        while True:
            if self._unpacker.eof:
                self._packed = self._unpacker.unused_data
                if len(self._packed) < len(_GZIP):
                    self._packed += self._file.read(CHUNK)
                if self._packed[:2] != _GZIP:
                    return self._end("")
                self._unpacker = zlib.decompressobj(_WITH_HEADER)
            packed = self._packed or self._file.read(CHUNK)
            data = self._unpacker.decompress(packed, CHUNK)
            self._packed = self._unpacker.unconsumed_tail
            if data:
                return data
            if not packed:
                return self._end(f"the compressed file {self.path} ends too early")

    def _end(self, damage: str) -> bytes:
        self.damage, self._is_over = damage, True
        return b""


def _open(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise ExplainedError(f"cannot read the capture {file}: {error.strerror}") from None
