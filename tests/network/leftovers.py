"""What a sandbox could leave on a machine: processes, namespaces, interfaces, mounts and files."""

import contextlib
import os
import signal
import socket
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

_PROC = Path("/proc")
_VARIABLE = "TESTBED_WATCHED"
_LOOK_AGAIN_S = 0.01


class Watch:
    """Finds what has appeared on the machine since the watch began.

    Programs started with `environment` are recognised by a variable in it, even when their parent has died, so that
    other programs on the machine do not count. A namespace exists as long as a process is in it or has it open, or a
    mount shows it; only those programs and this process can know theirs.
    """

    def __init__(self, temporary: Path) -> None:
        self._temporary = temporary
        self._mark = f"{_VARIABLE}={uuid.uuid4()}"
        self.environment: Mapping[str, str] = {
            **os.environ,
            _VARIABLE: self._mark.partition("=")[2],
            "TMPDIR": str(temporary),
        }
        self._known: dict[Path, str] = {}
        self._before = self._look()

    def leftovers(self) -> list[str]:
        """Return a description of everything that has appeared."""
        return sorted(self._look() - self._before)

    def wait_until_clean(self, timeout: float) -> list[str]:
        """Wait until nothing is left; return what is left after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (left := self.leftovers()) and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN_S)
        return left

    def end_processes(self) -> None:
        """Kill the watched programs that still run."""
        for process in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGKILL)

    def _look(self) -> set[str]:
        processes = set(self._processes())
        holders = processes | {_PROC / "self"}
        return {
            *(f"process {process.name}: {_command(process)}" for process in processes),
            *(f"namespace {namespace}" for holder in holders for namespace in _namespaces(holder)),
            *(f"interface {name}" for _, name in socket.if_nameindex()),
            *(f"mount {line}" for line in _mounts()),
            *(f"file {path}" for folder in ("/run", "/run/netns", self._temporary) for path in Path(folder).glob("*")),
        }

    def _processes(self) -> list[Path]:
        """Return processes that have our mark or had it at an earlier look: a process that ends loses it first."""
        for process in _PROC.glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if self._mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                    self._known[process] = _birth(process)
        self._known = {process: birth for process, birth in self._known.items() if birth and birth == _birth(process)}
        return list(self._known)


def _birth(process: Path) -> str:
    """Return a process's start time, which differs from that of an earlier process with its pid; "" if it has ended."""
    with contextlib.suppress(OSError):
        state, *fields = _fields(process)
        return "" if state in "ZX" else fields[18]
    return ""


def child_of(parent: int) -> int | None:
    """Return the pid of a child of this process, if it has one."""
    for process in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(_fields(process)[1]) == parent:
                return int(process.name)
    return None


def _fields(process: Path) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on. The name before it may contain anything."""
    return (process / "stat").read_text().rpartition(")")[2].split()


def _command(process: Path) -> str:
    with contextlib.suppress(OSError):
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return "ending"


def _namespaces(process: Path) -> Iterator[str]:
    """Yield the namespaces that a process is in, and the network namespaces that it has open."""
    for folder in ("ns", "fd"):
        with contextlib.suppress(OSError):
            for link in (process / folder).iterdir():
                with contextlib.suppress(OSError):
                    target = str(link.readlink())
                    if folder == "ns" or target.startswith("net:["):
                        yield target


def _mounts() -> Iterator[str]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        number, _parent, _device, _root, place, *rest = line.split()
        yield f"{number}: {rest[rest.index('-') + 1]} on {place}"
