"""The bytes of the file: where they are read from, where they are kept, and whether what came is right.

What comes is compared with an original that all programs of the machine share, or its SHA-1 is taken; and it is kept in
a copy, or given up: with an original and no copies N programs need O(F), not O(N F).

Nobody reads a file through a map of it: a disk error or a file cut short is then an error and no signal.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha1
from io import FileIO
from pathlib import Path
from typing import Final, Protocol, Self

from peer.bittorrent.client.storage.interface import StorageError, explained
from peer.distribution.endings import EndError, ExitCode


class WrongContentError(EndError):
    """What came is not the file."""

    def __init__(self, problem: str) -> None:
        super().__init__(ExitCode.WRONG_DATA, problem)


class File:
    """A regular file that is open; what the kernel refuses ends the program."""

    def __init__(self, path: Path, flags: int) -> None:
        self.path: Final = path
        with _ending(path):
            # A FIFO would wait for its other end.
            self._file: Final = FileIO(os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, 0o666))
            if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
                self._file.close()
                raise StorageError(f"{path}: expected a file, found a folder or a device")
            self.length = os.fstat(self._file.fileno()).st_size

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._file.fileno()

    @property
    def version(self) -> str:
        """Another text after each change, so that two parts of a file are known to belong together."""
        return f"{os.fstat(self.fileno()).st_mtime_ns:x}-{self.length:x}"

    def read_into(self, memory: memoryview, offset: int) -> None:
        """Copy a part into memory."""
        with _ending(self.path):
            while memory:
                count = os.preadv(self.fileno(), [memory], offset)
                if not count:
                    raise StorageError(f"{self.path}: was cut short at byte {offset} while it was read")
                memory, offset = memory[count:], offset + count

    def write(self, memory: memoryview, offset: int) -> None:
        """Copy memory into a part."""
        with _ending(self.path):
            while memory:
                count = os.pwrite(self.fileno(), memory, offset)
                memory, offset = memory[count:], offset + count

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_whole(path: Path, length: int | None = None) -> File:
    """Open a file to read it; its length must be that, and not nothing."""
    file = File(path, os.O_RDONLY)
    if length not in {None, file.length} or not file.length:
        file.close()
        expected = "at least a byte" if length is None else f"{length} bytes"
        raise EndError(ExitCode.NO_DATA, f"{path}: expected {expected}, found {file.length}; is it the right file?")
    return file


def create(path: Path) -> File:
    """Begin a file anew, to write and to read it."""
    with _ending(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    return File(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)


class Check(Protocol):
    """Finds out whether what comes is the file."""

    def came(self, offset: int, data: memoryview) -> None:
        """Look at a part; raises WrongContentError. It need not be the next one, but comes only once."""

    def finish(self) -> None:
        """All parts have come; raises WrongContentError."""

    def restart(self) -> None:
        """All parts will come again."""


class Comparison:
    """Compares each part with the original."""

    def __init__(self, original: File) -> None:
        self._original: Final = original
        self._wanted = bytearray()

    def came(self, offset: int, data: memoryview) -> None:
        """Compare it."""
        if len(self._wanted) != len(data):
            self._wanted = bytearray(len(data))
        self._original.read_into(memoryview(self._wanted), offset)
        if self._wanted != data:
            at = f"bytes {offset} to {offset + len(data) - 1}"
            raise WrongContentError(f"what came differs from {self._original.path} within {at}; is that the original?")

    def finish(self) -> None:
        """All is said."""

    def restart(self) -> None:
        """Nothing is kept."""


class Digest:
    """Takes the SHA-1 of the whole: of a part at once if it is the next one, and later, from the copy, if it is not."""

    def __init__(self, expected: bytes, copy: File | None) -> None:
        """Without a copy all parts have to come in order."""
        self._expected: Final = expected
        self._copy: Final = copy
        self.restart()

    def restart(self) -> None:
        """Forget what came."""
        self._hash = sha1(usedforsecurity=False)
        self._front = 0
        self._ahead: dict[int, int] = {}
        """Lengths of the parts that came too early, by their offsets."""

    def came(self, offset: int, data: memoryview) -> None:
        """Hash it, and what it was that others waited for."""
        if offset != self._front:
            self._ahead[offset] = len(data)
            return
        self._hash.update(data)
        self._front += len(data)
        while length := self._ahead.pop(self._front, 0):
            self._hash.update(self._reread(length))
            self._front += length

    def finish(self) -> None:
        """Compare the hash."""
        if self._hash.digest() != self._expected:
            found, expected = self._hash.hexdigest(), self._expected.hex()
            raise WrongContentError(f"what came is not the file: its SHA-1 is {found}, expected {expected}")

    def _reread(self, length: int) -> bytearray:
        if self._copy is None:
            raise ValueError("a part came out of order, and there is no copy to read it from again")
        part = bytearray(length)
        self._copy.read_into(memoryview(part), self._front)
        return part


class Arrival:
    """The file that is coming, part by part: kept if there is a copy, and checked."""

    def __init__(self, check: Check, copy: File | None, original: File | None) -> None:
        self._check: Final = check
        self._copy: Final = copy
        self._original: Final = original

    @property
    def relayed_from(self) -> File:
        """Where parts that came can be read."""
        if (file := self._copy or self._original) is None:
            raise ValueError("neither a copy nor an original")
        return file

    def came(self, offset: int, data: memoryview) -> None:
        """Keep and check a part."""
        if self._copy is not None:
            self._copy.write(data, offset)
        self._check.came(offset, data)

    def finish(self) -> None:
        """All has come."""
        self._check.finish()

    def restart(self) -> None:
        """All will come again."""
        self._check.restart()


@contextmanager
def arriving(
    *, to: Path | None, original: Path | None, digest: bytes | None, length: int | None = None
) -> Iterator[Arrival]:
    """Open what there is; the original is what is compared with, otherwise the SHA-1 decides."""
    with ExitStack() as files:
        whole = None if original is None else files.enter_context(open_whole(original, length))
        copy = None if to is None else files.enter_context(create(to))
        if whole is not None:
            yield Arrival(Comparison(whole), copy, whole)
        elif digest is not None:
            yield Arrival(Digest(digest, copy), copy, None)
        else:
            raise ValueError("neither an original nor a SHA-1 to check with")


@contextmanager
def _ending(path: Path) -> Iterator[None]:
    try:
        with explained(path):
            yield
    except StorageError as error:
        raise EndError(ExitCode.NO_DATA, str(error)) from error
