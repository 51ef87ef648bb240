"""Code of users, before a trial: where our programs find it, as whom they run it, and where its lines are."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from testbed.tasks.consultation import Line
from testbed.tasks.distribute.programs.bittorrent import module_file, write_modules

Owner: TypeAlias = tuple[int, int]
"""A user and a group."""


def module_of(strategy: str) -> str:
    """Return the user's module that a strategy is in; empty for a shipped strategy."""
    return strategy.partition(":")[0] if ":" in strategy else ""


@dataclass(frozen=True)
class UserCode:
    """Modules that come with an experiment, in a folder of their own as in a trial."""

    copies: Path
    folder: Path
    """That of the experiment file, which has the originals."""
    owner: Owner | None
    """Who may have written them; None if nobody but the user who runs us."""

    def confinement(self, seconds: float, memory: int) -> dict[str, Any]:
        """Return what a program of ours must know to run it: also how long a step may take, and the bytes of memory."""
        return {"folder": str(self.copies), "seconds": seconds, "memory": memory, "owner": self.owner}

    def place(self, line: Line) -> str:
        """Describe a line as one of the original."""
        file = line.file
        if file.is_relative_to(self.copies):
            file = self.folder / file.relative_to(self.copies)
        return f"{file}:{line.number}" + (f", in {line.function}" if line.function.isidentifier() else "")

    def own(self, lines: Iterable[Line], modules: Iterable[str]) -> list[Line]:
        """Return the lines that belong to these modules, or to others that come with the experiment."""
        files = [str(module_file(name)) for name in modules]
        return [line for line in lines if line.file.is_relative_to(self.copies) or any(map(line.file.match, files))]


@contextmanager
def user_code(modules: Mapping[str, str], experiment: Path) -> Iterator[UserCode]:
    """Write the modules of an experiment file to a temporary folder.

    Root runs them as their owner: what others wrote must not become root's deeds by being checked.
    """
    files = [experiment.parent / module_file(name) for name in modules]
    owner = _owner([*files, experiment]) if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="testbed-") as folder:
        write_modules(modules, Path(folder))
        if owner is not None:
            _give(Path(folder), owner)
        yield UserCode(Path(folder), experiment.parent, owner)


def _owner(files: Iterable[Path]) -> Owner | None:
    """Return the owner of the first file that does not belong to root."""
    found = (file.stat() for file in files if file.exists())
    return next(((each.st_uid, each.st_gid) for each in found if each.st_uid != 0), None)


def _give(folder: Path, owner: Owner) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, *owner, follow_symlinks=False)
