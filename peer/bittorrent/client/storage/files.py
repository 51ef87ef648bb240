"""The files of a torrent on a disk: created, opened and checked."""

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from peer.files import READ, UPDATE, OpenFile, StorageError, explained

_MOST_OPEN: Final = 64


def open_original(path: Path, length: int) -> OpenFile:
    """Open a complete file to read it; raises StorageError."""
    file = OpenFile(path, READ, length)
    try:
        check_length(file)
    except StorageError:
        file.close()
        raise
    return file


def check_length(file: OpenFile) -> None:
    """Raise a StorageError for a file whose length is not that in the torrent."""
    if file.found_length != file.length:
        problem = f"expected {file.length} bytes, found {file.found_length}; is it the torrent's file?"
        raise StorageError(f"{file.path}: {problem}")


class Files:
    """Files by number. Only those used last stay open: a torrent may have more files than a process may open."""

    def __init__(self, paths: Sequence[Path], lengths: Sequence[int], *, is_read_only: bool) -> None:
        self._paths: Final = paths
        self._lengths: Final = lengths
        self._is_read_only: Final = is_read_only
        self._open: OrderedDict[int, OpenFile] = OrderedDict()

    def __getitem__(self, number: int) -> OpenFile:
        file = self._open.get(number)
        if file is None:
            flags = READ if self._is_read_only else UPDATE
            file = self._open[number] = OpenFile(self._paths[number], flags, self._lengths[number])
            self._close_down_to(_MOST_OPEN)
        self._open.move_to_end(number)
        return file

    def prepare(self, number: int) -> None:
        """Create the file and its folders, or check an existing file."""
        if self._is_read_only:
            check_length(self[number])
            return
        folder = self._paths[number].parent
        with explained(folder), suppress(FileExistsError):  # if a file is in the way, opening the file below it says so
            folder.mkdir(parents=True, exist_ok=True)
        self[number].extend()

    def close(self) -> None:
        self._close_down_to(0)

    def _close_down_to(self, count: int) -> None:
        while len(self._open) > count:
            _, file = self._open.popitem(last=False)
            file.close()
