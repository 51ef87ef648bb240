"""The program that captures, alone: what it cannot write down is counted, or ends it with the reason."""

import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from testbed.network import Network, Process, sandbox
from testbed.trial.capture.capture import PROGRAM
from testbed.trial.capture.instructions import everything
from testbed.trial.capture.program import READY, Order, Report
from testbed.values.captures import WHOLE
from tests.trial.capture.reading import content_of
from topologies.star import Star

pytestmark = pytest.mark.kernel

AsUser = Callable[[Callable[[], Any]], Any]
DATAGRAM = bytes(1000)
ORDER = Order(
    base="",
    interfaces={"h1-eth0": "the link of h1"},
    is_core=False,
    program=everything(WHOLE).hex(),
    filter="",
    snaplen=WHOLE,
    limit=None,
    count=1,
    ring=512 << 10,
    quiet=0.3,
    comment="",
    names={},
    software="",
    system="",
)


@contextmanager
def capturing(order: Order):
    """A network of two hosts, and a capture on the first."""
    with Network(Star(2)) as network:
        file = Path("/run/order.json")
        order.write(file)
        process = network.start_python(network.host("h1"), PROGRAM, [file])
        process.wait_ready(READY)
        yield network, process


def send(network: Network, count: int) -> None:
    with network.host("h1").inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(count):
            sender.sendto(DATAGRAM, (str(network.host("h2").address), 9))


def ended(process: Process) -> Report:
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0, process.stderr
    report = Report.read(process.stdout)
    assert report is not None
    return report


def test_packets_without_room_are_counted(as_user: AsUser) -> None:
    """The program sleeps while more is sent than its ring has room for."""

    def body() -> tuple[Report, int, int]:
        with capturing(replace(ORDER, base="/run/h1")) as (network, process):
            process.send_signal(signal.SIGSTOP)
            send(network, 3000)
            process.send_signal(signal.SIGCONT)
            report = ended(process)
            content = content_of(Path("/run/h1.pcapng"))
            return report, content.missed, sum(frame.length == 1042 for frame in content.frames)

    report, missed, found = as_user(lambda: sandbox.run(body))
    assert report.missed == missed > 1000
    assert report.packets > 300
    assert found + missed == 3000


def test_full_disk_ends_the_capture_with_the_reason(as_user: AsUser) -> None:
    def body() -> tuple[int | None, str]:
        tiny = Path("/run/tiny")
        tiny.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tiny], check=True)
        with capturing(replace(ORDER, base=str(tiny / "h1"))) as (network, process):
            send(network, 200)
            return process.wait(30), process.stderr

    status, complaint = as_user(lambda: sandbox.run(body))
    assert status == 1
    assert complaint.strip().endswith("No space left on device")
