"""Packet captures, as the experiment asks for, from before the first program to after the last one.

Each place has a process of its own, so that a busy one takes no packets from the others. The testbed's own program
captures everywhere: it writes what tcpdump cannot (names of hosts, comments, one file for many interfaces), and works
in a user namespace, where tcpdump refuses to start because it cannot drop privileges that it does not have.
"""

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.errors import TrialError
from testbed.network import Core, Network, Process, ProcessError
from testbed.runfolder.record import CaptureRecord
from testbed.runfolder.trial_folder import compress
from testbed.trial.capture.orders import Place
from testbed.trial.capture.program import LONGEST_SECONDS, READY, Report

PROGRAM: Final = "testbed.trial.capture.program"
_PATIENCE_SECONDS: Final = 20.0


@dataclass
class Capture:
    """The packets of one place."""

    place: Place
    process: Process
    report: Report | None = None
    """None until it has ended."""

    @property
    def name(self) -> str:
        """The host, or the core."""
        return self.place.node.name

    def end(self) -> None:
        """Wait until it has ended after a signal, and read what it reports."""
        waited = LONGEST_SECONDS + self.place.order.quiet + _PATIENCE_SECONDS
        status = self.process.wait(waited)
        self.report = Report.read(self.process.stdout) if status == 0 else None
        if self.report is None:
            raise self.ended_early() if status is not None else TrialError(f"the capture on {self.name} does not end")

    def ended_early(self) -> TrialError:
        """Return the error for a capture that lacks its end."""
        return TrialError(f"the capture on {self.name} ended early: {self.complaint}")

    @property
    def complaint(self) -> str:
        """The last line of what the program has printed as an error."""
        return self.process.stderr.strip().rpartition("\n")[2] or f"exit status {self.process.poll()}"

    def keep(self, folder: Path) -> CaptureRecord:
        """Compress its files where they are, and return its record."""
        order, report = self.place.order, self.report
        if report is None:
            raise RuntimeError(f"the capture on {self.name} has not ended")
        files = tuple(_compressed(folder / name, folder) for name in report.files)
        return CaptureRecord(
            host=self.name,
            place="core" if isinstance(self.place.node, Core) else "host",
            file=files[-1],
            files=files,
            interfaces=tuple(order.interfaces),
            filter=order.filter,
            snaplen=order.snaplen,
            packets=report.packets,
            missed=report.missed,
            beyond_limit=report.beyond_limit,
            removed=report.removed,
            cpu_s=report.cpu_seconds,
            program=order.software,
        )


@contextmanager
def capturing(network: Network, places: Iterable[Place], work: Path) -> Iterator[list[Capture]]:
    """Capture inside the block; a capture that ends earlier raises TrialError."""
    captures = [_start(network, place, work) for place in places]
    for capture in captures:
        _wait_until_it_listens(capture)
    yield captures
    for capture in captures:
        if capture.process.poll() is not None:
            raise capture.ended_early()
        capture.process.send_signal(signal.SIGINT)
    for capture in captures:
        capture.end()


def _start(network: Network, place: Place, work: Path) -> Capture:
    order = work / f"{place.node.name}.capture.json"
    place.order.write(order)
    return Capture(place, network.start_python(place.node, PROGRAM, [order]))


def _wait_until_it_listens(capture: Capture) -> None:
    try:
        capture.process.wait_ready(f"^{READY}$", _PATIENCE_SECONDS)
    except ProcessError as error:
        raise TrialError(f"cannot capture the packets of {capture.name}: {capture.complaint}") from error


def _compressed(file: Path, folder: Path) -> str:
    name = compress(file, folder)
    file.unlink()
    return name
