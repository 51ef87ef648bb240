"""Packet captures, as the experiment asks for: one pcap file for each host, from before its program to after it."""

import re
import shutil
import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.errors import TrialError
from testbed.experiment.plan.trials import Trial
from testbed.network import EmulatedHost, Network, Process, sandbox

SNIFFER: Final = "testbed.trial.capture.sniffer"
_PATIENCE_SECONDS: Final = 20.0
_LOOK_AGAIN_SECONDS: Final = 0.01
_HANDING_OVER_SECONDS: Final = 1.1
"""The kernel hands packets to tcpdump in blocks, at least once a second; without waiting, the last block is lost."""


@dataclass
class Capture:
    """The packets of one host."""

    host: str
    file: Path
    process: Process
    missed: int | None = None
    """Packets that were not written, known when it has ended; None where that cannot be known."""

    @property
    def output(self) -> str:
        """What the program has printed."""
        return self.process.stdout + self.process.stderr


def captured_hosts(trial: Trial, groups: Mapping[str, str]) -> list[str]:
    """Return the hosts whose packets are wanted, given each host's group; the experiment names groups, or `all`."""
    wanted = trial.settings.capture
    return [name for name in trial.hosts.positions if "all" in wanted or groups.get(name) in wanted]


@contextmanager
def capturing(network: Network, hosts: Sequence[str], folder: Path) -> Iterator[list[Capture]]:
    """Capture the packets of these hosts inside the block; a capture that ends earlier raises TrialError."""
    captures = [_start(network.host(name), folder / f"{name}.pcap") for name in hosts]
    for capture in captures:
        _wait_until_it_listens(capture)
    yield captures
    _stop(captures)


def _start(host: EmulatedHost, file: Path) -> Capture:
    program, interface = _tcpdump(), host.access.name
    if program is None:
        process = host.start_python(SNIFFER, [interface, file])
    else:
        process = host.start([program, "-i", interface, "-U", "-Z", "root", "-w", file])
    return Capture(host.name, file, process)


def _tcpdump() -> str | None:
    """Return tcpdump, if it can run: in a user namespace it cannot drop the privileges that it does not have."""
    paths = "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/bin"
    return shutil.which("tcpdump", path=paths) if sandbox.is_machine_root() else None


def _wait_until_it_listens(capture: Capture) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not re.search("^ready|listening on", capture.output, re.MULTILINE):
        if capture.process.wait(_LOOK_AGAIN_SECONDS) is not None or time.monotonic() > deadline:
            raise TrialError(f"cannot capture the packets of {capture.host}: {capture.output.strip()}")


def _stop(captures: Iterable[Capture]) -> None:
    captures = list(captures)
    if captures:
        time.sleep(_HANDING_OVER_SECONDS)
    for capture in captures:
        if capture.process.poll() is not None:
            last = capture.output.strip().rpartition("\n")[2]
            raise TrialError(f"the capture on {capture.host} ended early: {last}")
        capture.process.send_signal(signal.SIGINT)
    for capture in captures:
        capture.process.wait(_PATIENCE_SECONDS)
        if found := re.search(r"(\d+) packets? dropped by kernel", capture.output):
            capture.missed = int(found[1])
