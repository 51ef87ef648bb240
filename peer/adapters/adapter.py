"""What an adapter is: the few things that one client needs said about it (docs/applications.md).

An adapter knows one client: its settings, its command line, how to give it the torrent, and how to ask for its state.
It waits for nothing and records nothing; `running` does both. Its methods run in a thread, one at a time.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from contract.programs import UNTOLD

_VERSION: Final = re.compile(r"\d+(?:\.\d+)+")
_SECONDS: Final = 10


class AdapterError(Exception):
    """A client cannot be used; the message tells the user what to do."""


@dataclass(frozen=True)
class Place:
    """Where and for what a client is to run."""

    is_seed: bool
    """It has the whole file at first; otherwise it has nothing."""
    torrent: Path
    """A torrent with one file."""
    name: str
    """The name of that file."""
    length: int
    folder: Path
    """For the client's settings and logs; of this client alone, and removed when it has ended."""
    downloads: Path
    """Where the file is, or is to be put, under its name; also of this client alone."""
    host: str
    """The address to listen on and to dial from."""
    port: int
    upload_limit: int | None
    """Bytes/s, for a client that wants to be told the rate of its uplink."""
    wake: Path
    """A program to be run, with any arguments, when the client has completed: it makes us look at once."""


@dataclass(frozen=True)
class Neighbour:
    """A connection, and the bytes of blocks that it moved so far."""

    address: str
    """host:port; it tells connections apart."""
    is_outgoing: bool
    received: int
    sent: int


@dataclass(frozen=True)
class State:
    """What a client says of itself. Bytes are of blocks since it joined."""

    is_complete: bool
    have: int = 0
    """Bytes of the file that it has and has verified."""
    received: int | None = None
    """None if it does not tell: then `untold` has BYTES, and the host's interface is read instead."""
    sent: int | None = None
    wasted: int | None = None
    """Bytes that were not needed, or wrong; None if it does not tell."""
    neighbours: Sequence[Neighbour] | None = None
    """The open connections; None if it does not tell."""
    is_announced: bool = True
    """Whether a tracker has answered. A seed is ready then, so that leeches find it at once."""
    problem: str = ""
    """An error from which it does not recover, such as a full disk."""


class Adapter:
    """How one client is run. A subclass has at least `program`, `command` and `state`."""

    program: ClassVar[str]
    """The file to be executed, searched for on PATH."""
    install: ClassVar[str] = ""
    """The command that installs it, for the message that it is missing."""
    title: ClassVar[str] = ""
    """What the client calls itself; `program` if empty."""
    untold: ClassVar[Sequence[str]] = UNTOLD
    """What it does not tell: words of UNTOLD."""
    starts_at_join: ClassVar[bool] = False
    """Whether its program is started only when it joins, as it takes the torrent on its command line."""
    is_heard: ClassVar[bool] = False
    """Whether lines on its standard output go to `hear`."""
    end_signal: ClassVar[signal.Signals] = signal.SIGTERM
    """What asks it to end in order."""

    def __init__(self, place: Place) -> None:
        self.place: Final = place

    @classmethod
    def executable(cls) -> str:
        """Return where its program is; raises AdapterError if it is not installed."""
        found = shutil.which(cls.program)
        if found is None:
            advice = f": install it with `{cls.install}`" if cls.install else " on PATH"
            raise AdapterError(f"{cls.program} is not installed{advice}")
        return found

    @classmethod
    def version(cls) -> str:
        """Return the version of its program; raises AdapterError if that cannot be run."""
        return version_in(output_of([cls.executable(), "--version"]))

    @classmethod
    def identity(cls) -> str:
        """Return the client's name and version, as traces have them."""
        return f"{cls.title or cls.program} {cls.version()}".strip()

    def command(self) -> Sequence[str | Path]:
        """Write the client's settings, and return its command line. It must stay in the foreground."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """Return the client's environment: ours, with a home of its own, so that it finds nobody's settings."""
        folder = str(self.place.folder)
        return {**os.environ, "HOME": folder, "XDG_CONFIG_HOME": folder, "XDG_DATA_HOME": folder, "LC_ALL": "C.UTF-8"}

    def is_up(self) -> bool:
        """Whether the client can take a torrent."""
        return True

    def join(self) -> None:
        """Give the torrent to the client, which is up; nothing to do if it is on its command line."""

    def state(self) -> State:
        """Return its state, after it has joined; raises OSError, ValueError or LookupError if it cannot tell now."""
        raise NotImplementedError

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
