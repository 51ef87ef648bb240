"""The files of a client: its folder, a copy of the original for a seed, and the comparison of what a leech has made.

Each client has a copy of its own, a seed too: it opens its file to write, and the original is shared by all.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from peer.process.exit_status import ExitStatus, ProgramError

_AT_ONCE: Final = 1 << 20


@contextmanager
def private_folder(parent: Path) -> Iterator[Path]:
    """Make a folder in another, and remove it at the end with all that is there; raises ProgramError."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        made = tempfile.TemporaryDirectory(dir=parent, ignore_cleanup_errors=True)
    except OSError as error:
        raise ProgramError(ExitStatus.NO_DATA, f"{parent}: {error.strerror}") from error
    with made as name:
        yield Path(name)


def put_copy(original: Path, copy: Path) -> None:
    """Copy the original; raises ProgramError."""
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(original, copy)
    except OSError as error:
        raise ProgramError(ExitStatus.NO_DATA, f"{copy}: {error.strerror}; is there room for a copy?") from error


def check_copy(copy: Path, original: Path, client: str) -> None:
    """Compare a completed file with the original byte by byte; raises ProgramError."""
    says = f"{client} says that it is complete, but"
    try:
        at = _first_difference(copy, original)
    except OSError as error:
        raise ProgramError(ExitStatus.WRONG_DATA, f"{says} {copy}: {error.strerror}") from error
    if at is not None:
        raise ProgramError(ExitStatus.WRONG_DATA, f"{says} its file differs from the original from byte {at} on")


def _first_difference(copy: Path, original: Path) -> int | None:
    """Return the first byte that differs, or that one of the files lacks."""
    at = 0
    with copy.open("rb") as ours, original.open("rb") as theirs:
        while True:
            here, there = ours.read(_AT_ONCE), theirs.read(_AT_ONCE)
            if here != there:
                length = min(len(here), len(there))
                return at + next((k for k in range(length) if here[k] != there[k]), length)
            if not here:
                return None
            at += len(here)
