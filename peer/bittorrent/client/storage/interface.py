"""What every storage can do, and how it fails."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol, Self

from peer.bittorrent.wire.bitfield import Bitfield

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
    """The bytes cannot be had, or not be kept; the message is for the user."""


class Storage(Protocol):
    """The bytes of one torrent."""

    def space(self, index: int, begin: int, length: int) -> memoryview:
        """Return the writable memory of a block that is to arrive."""

    def piece(self, index: int) -> memoryview:
        """Return a piece whose blocks have all arrived, to be hashed."""

    def kept(self, index: int) -> None:
        """Keep a piece: its hash is right."""

    def dropped(self, index: int) -> None:
        """Give up a piece: its hash is wrong. All its blocks have to come again."""

    def read(self, index: int, begin: int, length: int) -> memoryview:
        """Return a block of a piece that was kept, to be sent."""

    def recheck(self) -> Bitfield:
        """Find out which pieces are here."""

    def close(self) -> None:
        """Let go of files and memory; views that were given out stay valid."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the kernel's refusal into a line for the user."""
    try:
        yield
    except OSError as error:
        raise StorageError(_explain(error, path)) from error


def _explain(error: OSError, path: Path) -> str:
    if error.errno in _FULL:
        return f"disk full: cannot write {path}: {_FULL[error.errno]}; make room, and start again"
    return f"{path}: {error.strerror}{_ADVICE.get(error.errno or 0, '')}"
