"""Kill one process of a sandbox at one instant in the life of a network, and see what is left on the machine.

The command that makes the sandbox is this module itself. It prints each phase that it enters, and waits for a line of
input before it builds, tears down and ends.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from testbed.network import Network, sandbox
from tests.network.leftovers import Watch, child_of
from tests.network.users import REPOSITORY
from topologies.star import Star

T = TypeVar("T")

PHASES: Final = ("building", "running", "tearing down")
TARGETS: Final = ("command", "keeper", "init", "body")

_HOSTS: Final = 40
_RUNNING_S: Final = 0.05
_PATIENCE_S: Final = 20.0


def live() -> None:
    """Build and remove a network, in the sandbox."""
    _wait_for_line()
    print("building", flush=True)
    delays = [5.0] + [0.0] * (_HOSTS - 1)
    with Network(Star(n=_HOSTS, up=8_000_000, down=24_000_000, delay=delays)) as network:
        for host in network.hosts[:4]:
            host.start(["sleep", "1000"])
        network.host("h5").start_python("http.server", ["8000"])
        print("running", flush=True)
        _wait_for_line()
        print("tearing down", flush=True)
    print("gone", flush=True)
    _wait_for_line()


def _wait_for_line() -> None:
    if not sys.stdin.readline():
        sys.exit("standard input has ended")


@dataclass(frozen=True)
class Crash:
    """One kill and its consequences."""

    phase: str
    target: str
    struck: str
    """The phase in which the process was killed. The intended one may have ended a moment before."""
    clean_after: float
    leftovers: list[str]
    complaint: str
    """The command's error message, unless the command itself was killed."""


class Victim:
    """The command with the processes of its sandbox. It enters a phase only when the test lets it."""

    def __init__(self, folder: Path) -> None:
        temporary = folder / "tmp"
        temporary.mkdir()
        self.watch = Watch(temporary)
        self._stdout, self._stderr = folder / "stdout", folder / "stderr"
        with self._stdout.open("w") as stdout, self._stderr.open("w") as stderr:
            self.command = subprocess.Popen(
                [sys.executable, "-m", "tests.network.crashes"],
                cwd=REPOSITORY,
                env=self.watch.environment,
                stdin=subprocess.PIPE,
                stdout=stdout,
                stderr=stderr,
            )

    def find(self, target: str) -> int:
        """Return the pid of one of its processes, each the only child of the one before."""
        pid = self.command.pid
        for _ in range(TARGETS.index(target)):
            pid = self._until(partial(child_of, pid), f"{pid} has a child")
        return pid

    def lead_to(self, phase: str) -> None:
        """Let it go on until it has entered a phase."""
        for number, entered in enumerate(PHASES[: PHASES.index(phase) + 1]):
            if number != PHASES.index("running"):
                self.go_on()
            self.wait_for(entered)

    def go_on(self) -> None:
        """Let it leave the phase in which it waits."""
        assert self.command.stdin is not None
        self.command.stdin.write(b"go on\n")
        self.command.stdin.flush()

    def wait_for(self, phase: str) -> None:
        self._until(lambda: phase in self.phases, f"it prints {phase!r}")

    @property
    def phases(self) -> list[str]:
        """The phases that it has entered."""
        return self._stdout.read_text().splitlines()

    @property
    def complaint(self) -> str:
        """The last line of its standard error."""
        return self._stderr.read_text().strip().rpartition("\n")[2]

    def end(self) -> None:
        """Kill it and any process that is left of it."""
        self.command.kill()
        self.watch.end_processes()
        self.command.communicate()

    def _until(self, condition: Callable[[], T | None], awaited: str) -> T:
        deadline = time.monotonic() + _PATIENCE_S
        while not (found := condition()):
            if self.command.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"waited in vain until {awaited}: {self._stderr.read_text()}")
            time.sleep(0.001)
        return found


@contextmanager
def victims(number: int) -> Iterator[list[Victim]]:
    """Yield `number` victims. They start side by side, since starting an interpreter takes longest."""
    with ExitStack() as stack:
        made = []
        for _ in range(number):
            made.append(Victim(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
            stack.callback(made[-1].end)
        yield made


def rehearse() -> dict[str, float]:
    """Return how long each phase lasts without a kill. How long the network runs is ours to choose."""
    with victims(1) as (victim,):
        victim.find("body")
        entered = {}
        for phase in PHASES:
            victim.lead_to(phase) if phase != "running" else victim.wait_for(phase)
            entered[phase] = time.monotonic()
        victim.wait_for("gone")
        gone = time.monotonic()
    return {
        "building": entered["running"] - entered["building"],
        "running": _RUNNING_S,
        "tearing down": gone - entered["tearing down"],
    }


def crash_each(phase: str, target: str, moments: Sequence[float]) -> list[Crash]:
    """Kill the target at each of these moments, in seconds after the phase began, each in a network of its own."""
    with victims(len(moments)) as made:
        return [_crash(victim, phase, target, moment) for victim, moment in zip(made, moments, strict=True)]


def _crash(victim: Victim, phase: str, target: str, moment: float) -> Crash:
    victim.find("body")
    descriptor = os.pidfd_open(victim.find(target))
    with os.fdopen(descriptor):
        assert victim.watch.leftovers(), "a watch that misses a running sandbox would miss what is left of one"
        victim.lead_to(phase)
        time.sleep(moment)
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    killed = time.monotonic()
    leftovers = victim.watch.wait_until_clean(_PATIENCE_S)
    clean_after = time.monotonic() - killed
    victim.command.wait(_PATIENCE_S)
    return Crash(phase, target, victim.phases[-1], clean_after, leftovers, victim.complaint)


if __name__ == "__main__":
    sandbox.run(live)
