"""The files of a torrent on a disk: made, opened, read and written; every refusal has a line that names the file."""

import errno
import os
import stat
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from io import FileIO
from mmap import PROT_READ, mmap
from pathlib import Path
from typing import Final

from peer.bittorrent.client.storage.interface import StorageError, explained

_MOST_OPEN: Final = 64


class OpenFile:
    """One regular file of a known length, and its map once that is asked for."""

    def __init__(self, path: Path, length: int, file: FileIO) -> None:
        self.path: Final = path
        self._length: Final = length
        self._file: Final = file
        self._map: memoryview | None = None

    def view(self, offset: int, length: int) -> memoryview:
        """Return a part as memory to be sent; see the package on why it is for the kernel's eyes only."""
        if self._map is None:
            with explained(self.path):
                self._map = memoryview(mmap(self._file.fileno(), self._length, prot=PROT_READ))
        return self._map[offset : offset + length]

    def read_into(self, memory: memoryview, offset: int) -> None:
        """Copy a part into memory."""
        with explained(self.path):
            while memory:
                count = os.preadv(self._file.fileno(), [memory], offset)
                if not count:
                    raise StorageError(f"{self.path}: ends at byte {offset}; expected {self._length} bytes")
                memory, offset = memory[count:], offset + count

    def write(self, memory: memoryview, offset: int) -> None:
        """Copy memory into a part."""
        with explained(self.path):
            while memory:
                count = os.pwrite(self._file.fileno(), memory, offset)
                memory, offset = memory[count:], offset + count

    def is_hole(self, offset: int, length: int) -> bool:
        """Tell whether nothing was ever written to a part, so that it reads as zeros."""
        try:
            return os.lseek(self._file.fileno(), offset, os.SEEK_DATA) >= offset + length
        except OSError as error:  # a file system that knows no holes answers `offset`, and never this
            if error.errno == errno.ENXIO:
                return True
            raise StorageError(f"{self.path}: {error.strerror}") from error

    def check_length(self) -> None:
        """Refuse a file that has not the length of the torrent's."""
        found = os.fstat(self._file.fileno()).st_size
        if found != self._length:
            raise StorageError(f"{self.path}: expected {self._length} bytes, found {found}; is it the torrent's file?")

    def extend(self) -> None:
        """Give a shorter file its length, by a hole; refuse a longer one, which may be something else."""
        found = os.fstat(self._file.fileno()).st_size
        if found > self._length:
            problem = f"expected at most {self._length} bytes, found {found}"
            raise StorageError(f"{self.path}: {problem}; move it away, or name another place")
        with explained(self.path):
            os.truncate(self._file.fileno(), self._length)

    def close(self) -> None:
        """Close it; its views stay valid."""
        self._file.close()
        self._map = None


def open_file(path: Path, length: int, *, is_read_only: bool) -> OpenFile:
    """Open a file; for writing, it is made if it is not there."""
    flags = os.O_RDONLY if is_read_only else os.O_RDWR | os.O_CREAT
    with explained(path):
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)  # a FIFO would wait for its other end
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise StorageError(f"{path}: expected a file, found a folder or a device")
    return OpenFile(path, length, FileIO(descriptor))


class Files:
    """Files by number. Those used last are open: a torrent may have more files than a process may open."""

    def __init__(self, paths: Sequence[Path], lengths: Sequence[int], *, is_read_only: bool) -> None:
        self._paths: Final = paths
        self._lengths: Final = lengths
        self._is_read_only: Final = is_read_only
        self._open: OrderedDict[int, OpenFile] = OrderedDict()

    def __getitem__(self, number: int) -> OpenFile:
        file = self._open.get(number)
        if file is None:
            file = self._open[number] = open_file(
                self._paths[number], self._lengths[number], is_read_only=self._is_read_only
            )
            self._close_down_to(_MOST_OPEN)
        self._open.move_to_end(number)
        return file

    def prepare(self, number: int) -> None:
        """Make the file with its folders, or check the one that is there."""
        if self._is_read_only:
            self[number].check_length()
            return
        folder = self._paths[number].parent
        with explained(folder), suppress(FileExistsError):  # a file there is found out when the file in it is opened
            folder.mkdir(parents=True, exist_ok=True)
        self[number].extend()

    def close(self) -> None:
        """Close those that are open."""
        self._close_down_to(0)

    def _close_down_to(self, count: int) -> None:
        while len(self._open) > count:
            _, file = self._open.popitem(last=False)
            file.close()
