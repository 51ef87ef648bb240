"""Programs on hosts: started in the host's namespace, ready at a line of output, stopped by pidfd, output in files."""

import os
import re
import select
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from testbed.errors import ExplainedError
from testbed.network.kernel.syscalls import inside_network_namespace
from testbed.network.processes.warm import WarmInterpreter

_POLL_MS: Final = 2
_TAIL_CHARACTERS: Final = 2000
# Python, or a sandbox at a terminal, ignores these, and children inherit that; programs expect their default actions.
_ORDINARY_SIGNALS: Final = (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTSTP)
_RAISING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals whose handlers may raise an exception at any time."""


class HasNamespace(Protocol):
    """Anything with a name and a network namespace, in which a program can run."""

    name: str

    @property
    def namespace(self) -> int:
        """A file descriptor of the network namespace."""


class ProcessError(ExplainedError):
    """A program did not start, did not become ready, or ended when it should not have."""


class Process:
    """A program running on a host."""

    def __init__(self, pid: int, pidfd: int, argv: Sequence[str], host: str, output: Path) -> None:
        self.pid = pid
        self.argv = list(argv)
        self.host = host
        self.stdout_path, self.stderr_path = _output_files(output)
        self.returncode: int | None = None
        self.processor_seconds: float | None = None
        """The processor time that it took, with all that it started; None while it runs, and where it is not known."""
        self._pidfd = pidfd

    def __str__(self) -> str:
        return f"{self.argv[0]} on {self.host} (pid {self.pid})"

    @property
    def stdout(self) -> str:
        """The standard output so far."""
        return self.stdout_path.read_text(errors="replace")

    @property
    def stderr(self) -> str:
        """The standard error so far."""
        return self.stderr_path.read_text(errors="replace")

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal, or None while the program runs."""
        return self.wait(0) if self.returncode is None else self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the program to end, at most `timeout` seconds; return as `poll` does."""
        if self.returncode is None and self._ends_within(None if timeout is None else timeout * 1000):
            with _signals_blocked():  # an exit status can be read once: if it got lost, `wait` would never return
                self.returncode = self._reap()
                os.close(self._pidfd)
        return self.returncode

    def _ends_within(self, milliseconds: float | None) -> bool:
        poller = select.poll()
        poller.register(self._pidfd, select.POLLIN)
        return bool(poller.poll(milliseconds))

    def _reap(self) -> int:
        result = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED)
        if result is None:
            raise ProcessError(f"{self}: ended, but its exit status is gone")
        return result.si_status if result.si_code == os.CLD_EXITED else -result.si_status

    def wait_ready(self, pattern: str, timeout: float = 10) -> re.Match[str]:
        """Wait for a whole line on stdout that matches; ProcessError if the program ends or `timeout` passes first."""
        wanted = re.compile(pattern)
        deadline = time.monotonic() + timeout
        seen = 0
        while True:
            ended = self.poll() is not None
            text = self.stdout
            complete = text.rfind("\n") + 1
            for line in text[seen:complete].splitlines():
                if match := wanted.search(line):
                    return match
            seen = complete
            if ended:
                raise ProcessError(f"{self} ended with {self.returncode} before it was ready\n{self._tail()}")
            if time.monotonic() > deadline:
                raise ProcessError(f"{self} printed no line with {pattern!r} in {timeout:g} s\n{self._tail()}")
            self._ends_within(_POLL_MS)

    def _tail(self) -> str:
        return (self.stdout + self.stderr)[-_TAIL_CHARACTERS:].strip()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the program has ended; a pidfd cannot hit another process."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._pidfd, number)

    def stop(self, patience: float = 5) -> int:
        """Send SIGTERM, then SIGKILL after `patience` seconds, and return the exit status."""
        return stop_all([self], patience)[0]


class _WarmProcess(Process):
    """A child of the warm interpreter, which reports how it ended."""

    def __init__(
        self, pid: int, pidfd: int, argv: Sequence[str], host: str, output: Path, *, interpreter: WarmInterpreter
    ) -> None:
        super().__init__(pid, pidfd, argv, host, output)
        self._interpreter = interpreter

    def _reap(self) -> int:
        status = self._interpreter.exit_status(self.pid)
        self.processor_seconds = self._interpreter.processor_seconds(self.pid)
        return status


def stop_all(processes: Iterable[Process], patience: float = 5) -> list[int]:
    """Stop many at once: SIGTERM to all, wait for all, then SIGKILL to those left."""
    processes = list(processes)
    for process in processes:
        process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + patience
    statuses = []
    for process in processes:
        status = process.wait(max(0.0, deadline - time.monotonic()))
        if status is None:
            process.send_signal(signal.SIGKILL)
            status = process.wait()
        statuses.append(status if status is not None else -signal.SIGKILL)
    return statuses


class Processes:
    """Starts programs on hosts, and keeps track of them."""

    def __init__(self, folder: Path, preload: Sequence[str] = ()) -> None:
        self._folder = folder
        self._preload = preload
        self._interpreter: WarmInterpreter | None = None
        self._count_on: Counter[str] = Counter()
        self.started: list[Process] = []

    def start(
        self,
        node: HasNamespace,
        argv: Sequence[str | Path],
        *,
        output: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Process:
        """Start a program in a node."""
        words = [str(word) for word in argv]
        output = self._output_path(output, node.name)
        try:
            pid = _spawn(node.namespace, words, _output_files(output), os.environ if env is None else env)
        except OSError as error:
            raise ProcessError(f"cannot start {words[0]} on {node.name}: {error.strerror}") from error
        return self._remember(Process(pid, os.pidfd_open(pid), words, node.name, output))

    def start_python(
        self,
        node: HasNamespace,
        module: str,
        arguments: Sequence[str | Path] = (),
        *,
        output: Path | None = None,
        isolated: bool = False,
    ) -> Process:
        """Run a Python module in a node, forked from an interpreter that has imported `preload`."""
        if self._interpreter is None:
            self._interpreter = WarmInterpreter(self._preload)
        words = [module, *map(str, arguments)]
        output = self._output_path(output, node.name)
        pid, pidfd = self._interpreter.fork(node.namespace, words, *_output_files(output), isolated=isolated)
        return self._remember(_WarmProcess(pid, pidfd, words, node.name, output, interpreter=self._interpreter))

    def stop_all(self) -> None:
        """Stop all running programs and the warm interpreter."""
        try:
            stop_all([process for process in self.started if process.poll() is None])
        finally:
            if self._interpreter is not None:
                self._interpreter.close()
                self._interpreter = None

    def _output_path(self, wanted: Path | None, host: str) -> Path:
        """Return the wanted path, or the host's next one in the default folder, and create that folder."""
        output = wanted or self._folder / f"{host}.{self._count_on[host]}"
        if wanted is None:
            self._count_on[host] += 1
        output.parent.mkdir(parents=True, exist_ok=True)
        return output

    def _remember(self, process: Process) -> Process:
        self.started.append(process)
        return process


@contextmanager
def _signals_blocked() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _RAISING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _output_files(output: Path) -> tuple[Path, Path]:
    return output.with_name(output.name + ".out"), output.with_name(output.name + ".err")


def _spawn(namespace: int, words: list[str], output: tuple[Path, Path], env: Mapping[str, str]) -> int:
    """Start a program, which inherits the namespace of the thread that starts it."""
    create = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(output[0]), create, 0o644),
        (os.POSIX_SPAWN_OPEN, 2, str(output[1]), create, 0o644),
    ]
    with inside_network_namespace(namespace):
        return os.posix_spawnp(words[0], words, env, file_actions=files, setsid=True, setsigdef=_ORDINARY_SIGNALS)
