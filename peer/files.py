"""Files that programs read from and write to; a refusal of the kernel becomes a message that names the file.

No file is read through a map by user space. A disk error, or a file cut short by another program, is then an error
and not a signal that kills the process.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from mmap import PROT_READ, mmap
from pathlib import Path
from typing import Final, Self

READ: Final = os.O_RDONLY
UPDATE: Final = os.O_RDWR | os.O_CREAT
OVERWRITE: Final = os.O_RDWR | os.O_CREAT | os.O_TRUNC

_FULL: Final = {
    errno.ENOSPC: "no space left",
    errno.EDQUOT: "the quota is used up",
    errno.EFBIG: "files cannot be so large here",
}
_ADVICE: Final = {
    errno.EACCES: "; change its permissions, or name another place",
    errno.EISDIR: "; expected a file, found a folder: move it away, or name another place",
    errno.ENOTDIR: "; expected a folder, found a file: move it away, or name another place",
    errno.EROFS: "; name a place that can be written",
    errno.EMFILE: "; raise the limit of open files (ulimit -n)",
}


class StorageError(Exception):
    """Bytes cannot be read or kept; the message is for the user."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn a refusal of the kernel into a StorageError."""
    try:
        yield
    except OSError as error:
        raise StorageError(_explain(error, path)) from error


def _explain(error: OSError, path: Path) -> str:
    if error.errno in _FULL:
        return f"disk full: cannot write {path}: {_FULL[error.errno]}; make room, and start again"
    return f"{path}: {error.strerror}{_ADVICE.get(error.errno or 0, '')}"


class OpenFile:
    """An open regular file. All methods raise StorageError."""

    def __init__(self, path: Path, flags: int, length: int | None = None) -> None:
        """`length` is what the file has, or is to have; by default the present one."""
        self.path: Final = path
        with explained(path):
            # Without O_NONBLOCK opening a FIFO would wait for its other end.
            descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise StorageError(f"{path}: expected a file, found a folder or a device")
        self._file: Final = FileIO(descriptor)
        self.length: Final = self.found_length if length is None else length
        self._map: memoryview | None = None

    def fileno(self) -> int:
        return self._file.fileno()

    @property
    def found_length(self) -> int:
        """The length that the file has now."""
        return os.fstat(self.fileno()).st_size

    @property
    def version(self) -> str:
        """A text that differs after each change, so that two parts are known to belong to the same file."""
        return f"{os.fstat(self.fileno()).st_mtime_ns:x}-{self.length:x}"

    def view(self, offset: int, length: int) -> memoryview:
        """Return a part as memory that only the kernel may read, in order to send it."""
        if self._map is None:
            with explained(self.path):
                self._map = memoryview(mmap(self.fileno(), self.length, prot=PROT_READ))
        return self._map[offset : offset + length]

    def read_into(self, memory: memoryview, offset: int) -> None:
        """Copy a part of the file into memory."""
        with explained(self.path):
            while memory:
                count = os.preadv(self.fileno(), [memory], offset)
                if not count:
                    raise StorageError(f"{self.path}: ends at byte {offset}; expected {self.length} bytes")
                memory, offset = memory[count:], offset + count

    def write(self, memory: memoryview, offset: int) -> None:
        """Copy memory into a part of the file."""
        with explained(self.path):
            while memory:
                count = os.pwrite(self.fileno(), memory, offset)
                memory, offset = memory[count:], offset + count

    def is_hole(self, offset: int, length: int) -> bool:
        """Return whether a part was never written, so that it reads as zeros."""
        try:
            return os.lseek(self.fileno(), offset, os.SEEK_DATA) >= offset + length
        except OSError as error:  # a file system without holes answers `offset`, and never this
            if error.errno == errno.ENXIO:
                return True
            raise StorageError(f"{self.path}: {error.strerror}") from error

    def extend(self) -> None:
        """Extend a shorter file to its length by a hole; refuse a longer one, which may be something else."""
        if self.found_length > self.length:
            problem = f"expected at most {self.length} bytes, found {self.found_length}"
            raise StorageError(f"{self.path}: {problem}; move it away, or name another place")
        with explained(self.path):
            os.truncate(self.fileno(), self.length)

    def close(self) -> None:
        """Close the file; its views stay valid."""
        self._file.close()
        self._map = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
