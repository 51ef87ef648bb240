"""The installed `testbed` command, run as its users run it: in a process of its own."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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

    def __init__(self, *arguments: str) -> None:
        self.pid, self._screen = pty.fork()
        if self.pid == 0:
            os.execv(arguments[0], arguments)  # noqa: S606
        self._unread = ""

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def read_until(self, wanted: str) -> str:
        """Return what appears up to the wanted text, inclusive."""
        deadline = time.monotonic() + TIMEOUT_S
        while wanted not in self._unread:
            self._read_more(deadline, wanted)
        read, _, self._unread = self._unread.partition(wanted)
        return read + wanted

    def _read_more(self, deadline: float, wanted: str) -> None:
        ready, _, _ = select.select([self._screen], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"{wanted!r} did not appear in {self._unread!r}"
        try:
            more = os.read(self._screen, 4096)
        except OSError as error:  # the other end is closed
            raise AssertionError(f"{wanted!r} did not appear before the end, in {self._unread!r}") from error
        self._unread += more.decode(errors="replace")

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

        def start(*arguments: str) -> Terminal:
            terminal = Terminal(str(command), *arguments)
            stack.callback(terminal.close)
            return terminal

        yield start
