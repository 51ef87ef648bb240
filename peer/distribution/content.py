"""The bytes of the file: where they are read from, where they are kept, and whether what arrived is right.

What arrives is compared with an original that all programs of the machine share, or its SHA-1 is taken. It is kept in a
copy, or discarded: with an original and no copies N programs need the length of the file once, and not N times.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha1
from pathlib import Path
from typing import Final, Protocol

from peer.files import OVERWRITE, READ, OpenFile, StorageError, explained
from peer.process.exit_status import ExitStatus, ProgramError


class WrongContentError(ProgramError):
    """What arrived is not the file."""

    def __init__(self, problem: str) -> None:
        super().__init__(ExitStatus.WRONG_DATA, problem)


def open_whole(path: Path, length: int | None = None) -> OpenFile:
    """Open a file to read it; it must not be empty, and have the length that is given."""
    with _ending():
        file = OpenFile(path, READ)
    if length not in {None, file.length} or not file.length:
        file.close()
        expected = "at least a byte" if length is None else f"{length} bytes"
        problem = f"{path}: expected {expected}, found {file.length}; is it the right file?"
        raise ProgramError(ExitStatus.NO_DATA, problem)
    return file


def create(path: Path) -> OpenFile:
    """Create or empty a file, to write and to read it."""
    with _ending():
        with explained(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        return OpenFile(path, OVERWRITE)


class Check(Protocol):
    """Finds out whether what arrives is the file."""

    def arrived(self, offset: int, data: memoryview) -> None:
        """Check a part; raises WrongContentError. Parts may arrive in any order, but each only once."""

    def finish(self) -> None:
        """Check the whole, after all parts have arrived; raises WrongContentError."""

    def restart(self) -> None:
        """Forget the parts so far: all will arrive again."""


class Comparison:
    """Compares each part with the original."""

    def __init__(self, original: OpenFile) -> None:
        self._original: Final = original
        self._wanted = bytearray()

    def arrived(self, offset: int, data: memoryview) -> None:
        if len(self._wanted) != len(data):
            self._wanted = bytearray(len(data))
        self._original.read_into(memoryview(self._wanted), offset)
        if self._wanted != data:
            at = f"bytes {offset} to {offset + len(data) - 1}"
            raise WrongContentError(
                f"what arrived differs from {self._original.path} within {at}; is that the original?"
            )

    def finish(self) -> None:
        """Each part has been compared already."""

    def restart(self) -> None:
        """Nothing is remembered."""


class Digest:
    """Takes the SHA-1 of the whole: a part is hashed at once if it is the next one, otherwise later from the copy."""

    def __init__(self, expected: bytes, copy: OpenFile | None) -> None:
        """Without a copy all parts have to arrive in order."""
        self._expected: Final = expected
        self._copy: Final = copy
        self.restart()

    def restart(self) -> None:
        self._hash = sha1(usedforsecurity=False)
        self._front = 0
        self._ahead: dict[int, int] = {}
        """Lengths of the parts that arrived early, by their offsets."""

    def arrived(self, offset: int, data: memoryview) -> None:
        """Hash a part, and early parts that follow it."""
        if offset != self._front:
            self._ahead[offset] = len(data)
            return
        self._hash.update(data)
        self._front += len(data)
        while length := self._ahead.pop(self._front, 0):
            self._hash.update(self._reread(length))
            self._front += length

    def finish(self) -> None:
        if self._hash.digest() != self._expected:
            found, expected = self._hash.hexdigest(), self._expected.hex()
            raise WrongContentError(f"what arrived is not the file: its SHA-1 is {found}, expected {expected}")

    def _reread(self, length: int) -> bytearray:
        if self._copy is None:
            raise ValueError("a part arrived out of order, and there is no copy to read it from again")
        part = bytearray(length)
        self._copy.read_into(memoryview(part), self._front)
        return part


class Arrival:
    """The file as it arrives, part by part: checked, and kept if there is a copy."""

    def __init__(self, check: Check, copy: OpenFile | None, original: OpenFile | None) -> None:
        self._check: Final = check
        self._copy: Final = copy
        self._original: Final = original

    @property
    def relayed_from(self) -> OpenFile:
        """The file from which arrived parts can be read."""
        if (file := self._copy or self._original) is None:
            raise ValueError("neither a copy nor an original")
        return file

    def arrived(self, offset: int, data: memoryview) -> None:
        """Keep and check a part; raises ProgramError."""
        try:
            if self._copy is not None:
                self._copy.write(data, offset)
            self._check.arrived(offset, data)
        except StorageError as error:
            raise ProgramError(ExitStatus.NO_DATA, str(error)) from error

    def finish(self) -> None:
        """Check the whole; raises WrongContentError."""
        self._check.finish()

    def restart(self) -> None:
        self._check.restart()


@contextmanager
def arriving(
    *, to: Path | None, original: Path | None, digest: bytes | None, length: int | None = None
) -> Iterator[Arrival]:
    """Open the files; what arrives is compared with the original if there is one, otherwise its SHA-1 is checked."""
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
def _ending() -> Iterator[None]:
    try:
        yield
    except StorageError as error:
        raise ProgramError(ExitStatus.NO_DATA, str(error)) from error
