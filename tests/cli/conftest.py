"""The installed `testbed` command, run as its users run it: in a process of its own."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from testbed.cli import main

COMMAND = Path(sys.executable).with_name("testbed")
TIMEOUT_S = 60

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the command's path; the command finds no cache and no run folder of the user."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TESTBED_RUNS", raising=False)
    return COMMAND


@pytest.fixture
def testbed(command: Path) -> Run:
    """Return a function that runs the command to its end."""

    def run(*arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        argv = [command, *map(str, arguments)]
        return subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)

    return run


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command in this process, which is much faster."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        argv = ["testbed", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", argv)
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(argv, int(end.value.code or 0), out, err)

    return run


class Terminal:
    """A command on a terminal, and the user's keyboard and screen."""

    def __init__(self, *arguments: str, columns: int) -> None:
        self.pid, self._screen = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            os.execv(arguments[0], arguments)  # noqa: S606
        self._unread = ""

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def read_until(self, wanted: str) -> str:
        """Return what appears up to the wanted text, inclusive."""
        deadline = time.monotonic() + TIMEOUT_S
        while wanted not in self._unread:
            more = self._read(deadline)
            assert more, f"{wanted!r} did not appear before the end, in {self._unread!r}"
            self._unread += more
        read, _, self._unread = self._unread.partition(wanted)
        return read + wanted

    def read_to_end(self) -> str:
        """Return all that appears, without colours."""
        deadline = time.monotonic() + TIMEOUT_S
        while more := self._read(deadline):
            self._unread += more
        return re.sub(r"\x1b\[[0-9;]*m", "", self._unread)

    def _read(self, deadline: float) -> str:
        """Return what appears next, or nothing at the end."""
        ready, _, _ = select.select([self._screen], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"nothing more appeared after {self._unread!r}"
        with suppress(OSError):  # the other end is closed
            return os.read(self._screen, 4096).decode(errors="replace")
        return ""

    def exit_status(self) -> int:
        """Wait until the command ends."""
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._screen)


@pytest.fixture
def on_terminal(command: Path) -> Iterator[Callable[..., Terminal]]:
    """Return a function that starts the command on a terminal."""
    with ExitStack() as stack:

        def start(*arguments: str, columns: int = 80) -> Terminal:
            terminal = Terminal(str(command), *arguments, columns=columns)
            stack.callback(terminal.close)
            return terminal

        yield start
