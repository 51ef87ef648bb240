"""The files of one capture: a new one when the last is full, and no more than the newest ones."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

SUFFIX: Final = ".pcapng"


@dataclass
class _Part:
    path: Path
    packets: int = 0


@dataclass
class RotatedFiles:
    """Writes packets to files of at most `limit` bytes, and keeps the newest `count` of them.

    A single file holds the first packets, and nothing after the first one that does not fit; of several files, the
    oldest goes when another one is needed. Either way, what is lacking is counted.
    """

    base: Path
    """Without a suffix."""
    head: bytes
    """What each file begins with."""
    tail: Callable[[int], bytes]
    """What each file ends with, given the number of its packets. It may exceed the limit."""
    limit: int | None = None
    count: int = 1
    beyond_limit: int = 0
    """Packets that were not written, as the only file was full."""
    removed: int = 0
    """Packets in files that were removed."""
    _parts: list[_Part] = field(default_factory=list)
    _file: BinaryIO | None = None
    _made: int = 0
    _size: int = 0

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._end()

    @property
    def names(self) -> list[str]:
        """The names of the files, the oldest first."""
        return [part.path.name for part in self._parts]

    @property
    def packets(self) -> int:
        """The packets in these files."""
        return sum(part.packets for part in self._parts)

    def write(self, data: bytes, packets: int) -> None:
        """Write some packets, which are not torn apart."""
        if not self._fits(data):
            if self.count == 1:
                self.limit = self._size  # so that nothing smaller that comes later fits: the file has no gap
                self.beyond_limit += packets
                return
            self._end()
            self._begin()
        if self._file is None:
            raise RuntimeError("the files are not open")
        self._file.write(data)
        self._size += len(data)
        self._parts[-1].packets += packets

    def _fits(self, data: bytes) -> bool:
        return self.limit is None or self._size + len(data) <= self.limit

    def _begin(self) -> None:
        self._made += 1
        name = self.base.name if self.count == 1 else f"{self.base.name}.{self._made:04}"
        self._parts.append(_Part(self.base.with_name(name + SUFFIX)))
        if len(self._parts) > self.count:
            oldest = self._parts.pop(0)
            oldest.path.unlink()
            self.removed += oldest.packets
        self._file = self._parts[-1].path.open("wb")
        self._file.write(self.head)
        self._size = len(self.head)

    def _end(self) -> None:
        if self._file is not None:
            with self._file as file:
                file.write(self.tail(self._parts[-1].packets))
            self._file = None
