"""Somebody else's program: where it is, which version, and how it is started and ended."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

_VERSION: Final = re.compile(r"\d+(?:\.\d+)+")
_SECONDS: Final = 10
_FOR_ROOT: Final = ("/usr/sbin", "/sbin")
"""Servers are there, where the path of an ordinary user does not lead."""


class AdapterError(Exception):
    """A program cannot be used; the message tells the user what to do."""


class Program:
    """How one program is found and started. A subclass has at least `program` and `command`."""

    program: ClassVar[str]
    """The file to be executed, searched for on PATH."""
    install: ClassVar[str] = ""
    """The command that installs it, for the message that it is missing."""
    title: ClassVar[str] = ""
    """What the program calls itself; `program` if empty."""
    version_option: ClassVar[str] = "--version"
    """What makes it print its version, and end."""
    is_heard: ClassVar[bool] = False
    """Whether lines on its standard output go to `hear`."""
    end_signal: ClassVar[signal.Signals] = signal.SIGTERM
    """What asks it to end in order."""

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder
        """For its settings and logs; of this program alone, and removed when it has ended."""

    @classmethod
    def executable(cls) -> str:
        """Return where its program is; raises AdapterError if it is not installed."""
        found = shutil.which(cls.program, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *_FOR_ROOT]))
        if found is None:
            advice = f": install it with `{cls.install}`" if cls.install else " on PATH"
            raise AdapterError(f"{cls.program} is not installed{advice}")
        return found

    @classmethod
    def version(cls) -> str:
        """Return the version of its program; raises AdapterError if that cannot be run."""
        return version_in(output_of([cls.executable(), cls.version_option]))

    @classmethod
    def name(cls) -> str:
        """Return what it is called in traces."""
        return cls.title or cls.program

    @classmethod
    def identity(cls) -> str:
        """Return its name and version, as headers of traces have them."""
        return f"{cls.name()} {cls.version()}".strip()

    def command(self) -> Sequence[str | Path]:
        """Write the program's settings, and return its command line. It must stay in the foreground."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """Return the program's environment: ours, with a home of its own, so that it finds nobody's settings."""
        home = str(self.folder)
        return {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home, "LC_ALL": "C.UTF-8"}

    def hear(self, line: str) -> None:
        """Take a line of its standard output, if `is_heard`."""


def output_of(command: Sequence[str | Path]) -> str:
    """Run a program that ends by itself, and return all that it printed; raises AdapterError."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AdapterError(f"{command[0]} cannot be run: {error}") from error
    return done.stdout.decode(errors="replace")


def version_in(text: str) -> str:
    """Return the first version number in a text; empty if there is none."""
    found = _VERSION.search(text)
    return found[0] if found else ""
