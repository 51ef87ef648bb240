"""Kill one process of a sandbox at one instant in the life of a network, and see what is left on the machine.

The command whose sandbox it is, is this module itself: it tells each phase that it enters, and begins building,
tearing down and ending when it is told to.
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
    """A network's life, in the sandbox."""
    _wait_for_word()
    print("building", flush=True)
    delays = [5.0] + [0.0] * (_HOSTS - 1)
    with Network(Star(n=_HOSTS, up=8_000_000, down=24_000_000, delay=delays)) as network:
        for host in network.hosts[:4]:
            host.start(["sleep", "1000"])
        network.host("h5").start_python("http.server", ["8000"])
        print("running", flush=True)
        _wait_for_word()
        print("tearing down", flush=True)
    print("gone", flush=True)
    _wait_for_word()


def _wait_for_word() -> None:
    if not sys.stdin.readline():
        sys.exit("nobody is there to say how to go on")


@dataclass(frozen=True)
class Crash:
    """One kill, and what came of it."""

    phase: str
    target: str
    struck: str
    """The phase in which the kill came: the wanted one may have ended a moment before."""
    clean_after: float
    leftovers: list[str]
    complaint: str
    """What the command said, where it was not the one that was killed."""


class Victim:
    """The command with the processes of its sandbox; it does nothing until it is told to."""

    def __init__(self, folder: Path) -> None:
        temporary = folder / "tmp"
        temporary.mkdir()
        self.watch = Watch(temporary)
        self._said, self._complaint = folder / "said", folder / "complaint"
        with self._said.open("w") as said, self._complaint.open("w") as complaint:
            self.command = subprocess.Popen(
                [sys.executable, "-m", "tests.network.crashes"],
                cwd=REPOSITORY,
                env=self.watch.environment,
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=complaint,
            )

    def find(self, target: str) -> int:
        """The pid of one of its processes, each the only child of the one before."""
        pid = self.command.pid
        for _ in range(TARGETS.index(target)):
            pid = self._until(partial(child_of, pid), f"{pid} has a child")
        return pid

    def lead_to(self, phase: str) -> None:
        """Wait until it has entered a phase, after as many words as that needs."""
        for number, entered in enumerate(PHASES[: PHASES.index(phase) + 1]):
            if number != PHASES.index("running"):
                self.go_on()
            self.wait_for(entered)

    def go_on(self) -> None:
        """Let it do what it waits to be told."""
        assert self.command.stdin is not None
        self.command.stdin.write(b"go on\n")
        self.command.stdin.flush()

    def wait_for(self, word: str) -> None:
        """Wait until it has said this."""
        self._until(lambda: word in self.said, f"it says {word!r}")

    @property
    def said(self) -> list[str]:
        """The phases that it has entered."""
        return self._said.read_text().splitlines()

    @property
    def complaint(self) -> str:
        """The last line of what it complained of."""
        return self._complaint.read_text().strip().rpartition("\n")[2]

    def end(self) -> None:
        """Kill it and what is left of it, if anything is."""
        self.command.kill()
        self.watch.end_processes()
        self.command.communicate()

    def _until(self, condition: Callable[[], T | None], what: str) -> T:
        deadline = time.monotonic() + _PATIENCE_S
        while not (found := condition()):
            if self.command.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"waited in vain until {what}: {self._complaint.read_text()}")
            time.sleep(0.001)
        return found


@contextmanager
def victims(number: int) -> Iterator[list[Victim]]:
    """So many victims; they start side by side, since an interpreter's start takes longest."""
    with ExitStack() as stack:
        made = []
        for _ in range(number):
            made.append(Victim(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
            stack.callback(made[-1].end)
        yield made


def rehearse() -> dict[str, float]:
    """How long the phases last when nobody dies; running lasts as long as we like."""
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
    """Kill the target so many seconds into the phase, in one network after the other."""
    with victims(len(moments)) as made:
        return [_crash(victim, phase, target, moment) for victim, moment in zip(made, moments, strict=True)]


def _crash(victim: Victim, phase: str, target: str, moment: float) -> Crash:
    victim.find("body")
    descriptor = os.pidfd_open(victim.find(target))
    with os.fdopen(descriptor):
        assert victim.watch.leftovers(), "a watch that does not see a running sandbox could not see what is left of one"
        victim.lead_to(phase)
        time.sleep(moment)
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    killed = time.monotonic()
    leftovers = victim.watch.wait_until_clean(_PATIENCE_S)
    clean_after = time.monotonic() - killed
    victim.command.wait(_PATIENCE_S)
    return Crash(phase, target, victim.said[-1], clean_after, leftovers, victim.complaint)


if __name__ == "__main__":
    sandbox.run(live)
