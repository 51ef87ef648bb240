"""The trace of one program as a file: whole lines only, appended."""

import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from contract.encoding import encode, encode_header
from contract.events import TraceEvent

_BUFFERED: Final = 64 << 10


class TraceError(Exception):
    """The trace cannot be opened; the message is for the user."""


class TraceFile:
    """Takes events. Times are of CLOCK_MONOTONIC, which all programs of a machine share.

    Lines wait in memory until `flush`, which is to be called at least once a second. A file that can no longer be
    written is reported once. The trace ends there, and the program continues.
    """

    def __init__(self, path: Path | None, header: Mapping[str, object]) -> None:
        """Append a header: each life of a program begins with one. Without a path nothing is written."""
        self._path: Final = path
        self._header: Final = header
        self._waiting: Final = bytearray()
        self._descriptor = None if path is None else _open(path)
        self.begin_life()

    def begin_life(self) -> None:
        """Append the header once more, for another life of the same program."""
        if self._descriptor is not None:
            self._waiting.extend(encode_header(time.monotonic(), time.time(), self._header))
            self.flush()

    def record(self, event: TraceEvent, now: float) -> None:
        if self._descriptor is None:
            return
        self._waiting.extend(encode(event, now))
        if len(self._waiting) >= _BUFFERED:
            self.flush()

    def flush(self) -> None:
        """Write the lines that wait."""
        if self._descriptor is None or not self._waiting:
            return
        try:
            _append(self._descriptor, self._waiting)
        except OSError as error:
            print(f"trace {self._path}: {error.strerror}; continuing without it", file=sys.stderr)
            self._close(self._descriptor)
        self._waiting.clear()

    def close(self) -> None:
        """Write the lines that wait and close the file."""
        self.flush()
        if self._descriptor is not None:
            self._close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _close(self, descriptor: int) -> None:
        self._descriptor = None
        with suppress(OSError):  # some file systems report a full disk only here, too late to act on it
            os.close(descriptor)


def _open(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise TraceError(f"cannot write the trace {path}: {error.strerror}; name a file that can be written") from error
    with suppress(OSError):  # not a file: a terminal, a pipe
        _cut_torn_line(descriptor)
    return descriptor


def _cut_torn_line(descriptor: int) -> None:
    """Remove a last line that a killed program or machine left unfinished."""
    length = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _BUFFERED, max(0, length - _BUFFERED))
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(descriptor, length - len(tail) + tail.rfind(b"\n") + 1)


def _append(descriptor: int, lines: bytearray) -> None:
    """Write all lines; if the disk is full within one, remove its beginning again."""
    rest = memoryview(lines)
    with rest:
        written = 0
        try:
            while written < len(rest):
                written += os.write(descriptor, rest[written:])
        except OSError:
            torn = written - (lines.rfind(b"\n", 0, written) + 1)
            with suppress(OSError):
                os.ftruncate(descriptor, os.fstat(descriptor).st_size - torn)
            raise
