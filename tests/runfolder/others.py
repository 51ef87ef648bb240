"""Another user of the machine, who prepares folders for us, and what must not be touched."""

import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

OTHER = 65534
"""The user and the group."""


def as_other(folder: Path, act: Callable[[], None]) -> None:
    """Call a function as the other user, in a process whose working directory is this folder."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.chdir(folder)
            os.setgroups([])
            os.setresgid(OTHER, OTHER, OTHER)
            os.setresuid(OTHER, OTHER, OTHER)
            act()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@dataclass(frozen=True)
class Victim:
    """A folder of root alone that a link can lead to."""

    path: Path

    @classmethod
    def made(cls, path: Path) -> "Victim":
        """Make it, with names that a run has too."""
        for name in (".x.part", "trials", "figures"):
            (path / name).mkdir(parents=True)
        for file in cls(path).files:
            file.write_text("kept")
        path.chmod(0o700)
        return cls(path)

    @property
    def files(self) -> list[Path]:
        """Files in it."""
        return [self.path / name for name in ("file", ".x.part/file", "trials.csv")]

    def is_untouched(self) -> bool:
        """Whether it has what it had, and still belongs to root."""
        found = {path for path in self.path.rglob("*") if path.is_file()}
        owners = {path.stat().st_uid for path in (self.path, *self.path.rglob("*"))}
        return found == set(self.files) and {file.read_text() for file in self.files} == {"kept"} and owners == {0}
