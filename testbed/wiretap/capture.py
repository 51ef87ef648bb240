"""Packets to keep, as the experiment asks: a pcap file a host, begun before the programs and ended after them."""

import re
import shutil
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.experiment.plan.trials import PlannedPeer, PlannedServer, Trial
from testbed.network import EmulatedHost, Network, Process
from testbed.trial.errors import TrialError

SNIFFER: Final = "testbed.wiretap.sniffer"
_PATIENCE_SECONDS: Final = 20.0
_LOOK_AGAIN_SECONDS: Final = 0.01
_HANDING_OVER_SECONDS: Final = 1.1
"""The kernel hands packets to tcpdump in blocks, once a second at the latest; those of the last block would be lost."""


@dataclass
class Capture:
    """The packets of one host."""

    host: str
    file: Path
    process: Process
    missed: int | None = None
    """Packets that were not written, once it has ended; None where nobody knows."""

    @property
    def said(self) -> str:
        """What the program has said."""
        return self.process.stdout + self.process.stderr


def captured_hosts(trial: Trial) -> list[str]:
    """Return the hosts whose packets are to be kept."""
    wanted, hosts = trial.settings.capture, trial.hosts
    return [host.name for host in hosts.all if "all" in wanted or _group_of(host) in wanted]


def _group_of(host: object) -> str:
    if isinstance(host, PlannedPeer):
        return host.group
    return "servers" if isinstance(host, PlannedServer) else "tracker"


@contextmanager
def capturing(network: Network, hosts: Sequence[str], folder: Path) -> Iterator[list[Capture]]:
    """Keep the packets of these hosts as long as this lasts; a capture that ends before that is an error."""
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
    """Return tcpdump, for who is root of the machine and not only of a namespace."""
    is_root = Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]
    return shutil.which("tcpdump", path="/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/bin") if is_root else None


def _wait_until_it_listens(capture: Capture) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not re.search("^ready|listening on", capture.said, re.MULTILINE):
        if capture.process.wait(_LOOK_AGAIN_SECONDS) is not None or time.monotonic() > deadline:
            raise TrialError(f"the packets of {capture.host} cannot be captured: {capture.said.strip()}")


def _stop(captures: Iterable[Capture]) -> None:
    captures = list(captures)
    if captures:
        time.sleep(_HANDING_OVER_SECONDS)
    for capture in captures:
        if capture.process.poll() is not None:
            said = capture.said.strip().rpartition("\n")[2]
            raise TrialError(f"the capture on {capture.host} broke off: {said}")
        capture.process.send_signal(signal.SIGINT)
    for capture in captures:
        capture.process.wait(_PATIENCE_SECONDS)
        if found := re.search(r"(\d+) packets? dropped by kernel", capture.said):
            capture.missed = int(found[1])
