"""Unreadable files: root, who runs some of these tests, may open every file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_NOBODY = 65534


@contextmanager
def public_folder() -> Iterator[Path]:
    """A new folder that every user may list; pytest's own are private."""
    with TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@contextmanager
def as_stranger() -> Iterator[None]:
    """Be a user without root's rights."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)
