"""Write the packets of interfaces to pcapng files, until SIGINT.

    python -m testbed.trial.capture.program ORDER

ORDER is a file with an `Order` as JSON. The program prints `ready` when no packet can escape it any more. At the signal
it goes on until no packet has come for a while, so that those in flight are there; then it prints a `Report` as JSON.
"""

import json
import resource
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final, Self

from testbed.trial.capture.instructions import without_interfaces
from testbed.trial.capture.ring import LONGEST_WAIT_SECONDS, Ring
from testbed.trial.capture.rotation import RotatedFiles
from testbed.trial.capture.transcription import Transcriber
from testbed.wiretap.files import writing
from testbed.wiretap.files.writing import Interface, Statistics

READY: Final = "ready"
LONGEST_SECONDS: Final = 15.0
"""Packets that come later after the signal are not awaited."""
_LONG_SECONDS: Final = 60.0
"""A signal ends the wait."""


@dataclass(frozen=True)
class Order:
    """What is to be captured. It survives JSON."""

    base: str
    """The path of the file, without its suffix."""
    interfaces: Mapping[str, str]
    """Their names with descriptions."""
    is_core: bool
    """Whether only what arrives is captured, at any of the interfaces, or both directions of the only one."""
    program: str
    """The filter as instructions, in hexadecimal digits."""
    filter: str
    """The filter in words."""
    snaplen: int
    limit: int | None
    count: int
    """The most files."""
    ring: int
    """The bytes of memory for packets that were not yet written."""
    quiet: float
    """How long no packet has come when none is in flight any more, in seconds."""
    comment: str
    names: Mapping[str, str]
    """The host of each address."""
    software: str
    system: str

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read an order."""
        return cls(**json.loads(file.read_text(encoding="utf-8")))

    def write(self, file: Path) -> None:
        """Write it for `read`."""
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")


@dataclass(frozen=True)
class Report:
    """What was captured."""

    files: tuple[str, ...]
    """Their names, the oldest first."""
    packets: int
    """In these files."""
    missed: int
    """Packets that the kernel had no room for."""
    beyond_limit: int
    """Packets that were not written, as the file was full."""
    removed: int
    """Packets in older files, which made room for newer ones."""
    cpu_seconds: float

    @classmethod
    def read(cls, output: str) -> Self | None:
        """Find the report in what the program printed."""
        lines = [line for line in output.splitlines() if line.startswith("{")]
        if not lines:
            return None
        values: dict[str, Any] = json.loads(lines[-1])
        return cls(**{**values, "files": tuple(values["files"])})


class _Stop:
    """Whether a signal has come that ends the capture; then there is something to read, which wakes who waits."""

    def __init__(self) -> None:
        self.wake, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self.is_asked = False
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.is_asked = True


def main() -> None:
    """Capture as ordered; what the system refuses becomes the last line of the standard error."""
    try:
        _capture()
    except OSError as error:
        sys.exit(str(error))


def _capture() -> None:
    order = Order.read(Path(sys.argv[1]))
    numbers = {socket.if_nametoindex(name): k for k, name in enumerate(order.interfaces)}
    stop, began = _Stop(), time.time_ns()
    with _ring(order, list(numbers), stop.wake.fileno()) as ring:

        def tail(packets: int) -> bytes:
            ring.count_missed()
            return _statistics(order, began, packets, ring.missed)

        with RotatedFiles(Path(order.base), _head(order), tail, order.limit, order.count) as files:
            print(READY, flush=True)
            _Copying(ring, files, numbers).until(stop, order.quiet)
        report = Report(tuple(files.names), files.packets, ring.missed, files.beyond_limit, files.removed, _cpu())
    print(json.dumps(asdict(report)), flush=True)


def _ring(order: Order, indices: list[int], wake: int) -> Ring:
    """Return the ring of a host's interface, or of all of a core's that lead to hosts."""
    program = bytes.fromhex(order.program)
    if not order.is_core:
        return Ring(indices[0], program, order.ring, wake)
    others = [index for index, _ in socket.if_nameindex() if index not in indices]
    return Ring(0, without_interfaces(program, others), order.ring, wake)


def _head(order: Order) -> bytes:
    described = (
        Interface(name, description, order.snaplen, order.filter) for name, description in order.interfaces.items()
    )
    blocks = [writing.section(order.comment, order.software, order.system), *map(writing.interface, described)]
    return b"".join([*blocks, writing.names(order.names)])


def _statistics(order: Order, began: int, packets: int, missed: int) -> bytes:
    """Return the block at the end of a file; the kernel counts the packets of all interfaces together."""
    counts = Statistics(began, time.time_ns(), packets + missed, missed, packets)
    return writing.statistics(0, counts, "of all interfaces" if len(order.interfaces) > 1 else "")


class _Copying:
    """Packets on their way from the ring to the files."""

    def __init__(self, ring: Ring, files: RotatedFiles, numbers: Mapping[int, int]) -> None:
        self._ring, self._files, self._transcriber = ring, files, Transcriber(numbers)

    def until(self, stop: _Stop, quiet: float) -> None:
        """Copy until a signal has come, and then until no packet has come for a while."""
        while not stop.is_asked:
            self._copy(_LONG_SECONDS)
        self._ring.ignore_wake()
        deadline = time.monotonic() + LONGEST_SECONDS
        while self._copy(max(0.0, min(quiet, deadline - time.monotonic()))) and time.monotonic() < deadline:
            pass
        self._ring.let_nothing_in()
        while self._copy(LONGEST_WAIT_SECONDS):
            pass

    def _copy(self, patience: float) -> bool:
        """Copy one block, if there is one in time."""
        start = self._ring.wait(patience)
        if start is None:
            return False
        transcript = self._transcriber.transcribed(self._ring.memory, start)
        self._ring.release()
        self._files.write(*transcript)
        return True


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return round(used.ru_utime + used.ru_stime, 3)


if __name__ == "__main__":
    main()
