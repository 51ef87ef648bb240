"""What captures cost: beside tcpdump on the same traffic, and in the trials of a swarm.

    sudo .venv/bin/python -m benchmarks.capture programs     one program after the other, in the core of ten busy hosts
    sudo .venv/bin/python -m benchmarks.capture trials       a swarm without captures, and with several

Each prints a table in Markdown. `programs` repeats all programs in turn. Its columns:

kept             192 bytes of each packet, or all
packets/s        written to the file
us/packet        processor time of the program for a packet that it writes, in microseconds; median (minimum - maximum)
machine          how much busier the machine was than without a capture, in processors
missed           packets that the kernel had no room for

`trials` has the busy share of the machine's processors and the worst lateness of a second while peers download, the
distribution time over its bound, and what the capturing programs used: seconds of a processor for each second, and for
a million packets.
"""

import argparse
import csv
import gzip
import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, median

from benchmarks.clients import markdown, spread
from benchmarks.network import Star
from testbed.experiment import make_plan, read_experiment
from testbed.network import Network, Process, sandbox
from testbed.network.check.measure import Load, measure
from testbed.network.check.traffic import Route
from testbed.runfolder.record import TrialRecord, read_record
from testbed.trial.capture.capture import PROGRAM
from testbed.trial.capture.instructions import everything
from testbed.trial.capture.program import READY, Order, Report
from testbed.trial.engine import EMULATED, ENGINES
from testbed.trial.events import TrialOrder
from testbed.trial.monitoring.machine import processor_ticks
from testbed.values.captures import HEADERS, WHOLE, ring_bytes

HOSTS = 10
SECONDS = 8.0
RATES = (100, 300)
TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Captured:
    """What a program wrote, and what it took."""

    packets: int
    missed: int
    cpu_seconds: float
    busy: float  # processors of the machine


@dataclass(frozen=True)
class Contender:
    name: str
    snaplen: int
    start: Callable[[Network, int, Path], Process] | None
    result: Callable[[Process], tuple[int, int]] | None = None


def start_ours(network: Network, snaplen: int, folder: Path) -> Process:
    core = network.cores[0]
    order = Order(
        base=str(folder / "ours"),
        interfaces={end.name: end.peer.home.name for end in network.access_ends(core)},
        is_core=True,
        program=everything(snaplen).hex(),
        filter="",
        snaplen=snaplen,
        limit=None,
        count=1,
        ring=ring_bytes(1),
        quiet=0.3,
        comment="benchmark",
        names={str(host.address): host.name for host in network.hosts},
        software="benchmark",
        system="",
    )
    order.write(folder / "order.json")
    process = network.start_python(core, PROGRAM, [folder / "order.json"])
    process.wait_ready(READY)
    return process


def ours_result(process: Process) -> tuple[int, int]:
    report = Report.read(process.stdout)
    assert report is not None, process.stderr
    return report.packets, report.missed


def start_tcpdump(network: Network, snaplen: int, folder: Path) -> Process:
    words = ["tcpdump", "-n", "-i", "any", "-Q", "in", "-s", str(snaplen), "-B", "16384", "-Z", "root"]
    process = network._processes.start(network.cores[0], [*words, "-w", folder / "tcpdump.pcap"])
    while "listening on" not in process.stderr:
        time.sleep(0.01)
    return process


def tcpdump_result(process: Process) -> tuple[int, int]:
    found = {what: int(count) for count, what in re.findall(r"(\d+) packets? (captured|dropped)", process.stderr)}
    return found["captured"], found["dropped"]


CONTENDERS = (
    Contender("none", 0, None),
    *(Contender("ours", snaplen, start_ours, ours_result) for snaplen in (HEADERS, WHOLE)),
    *(Contender("tcpdump", snaplen, start_tcpdump, tcpdump_result) for snaplen in (HEADERS, WHOLE)),
)


def cpu_seconds(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) * TICK


@contextmanager
def busy_network(megabits: float) -> Iterator[tuple[Network, list[Load]]]:
    with Network(Star(HOSTS, megabits / HOSTS, None)) as network:
        hosts = network.hosts
        yield (
            network,
            [
                Load(
                    host.access,
                    [Route(host, hosts[(k + j) % HOSTS], hosts[(k + j) % HOSTS].address) for j in range(1, 5)],
                )
                for k, host in enumerate(hosts)
            ],
        )


def captured_by(contender: Contender, megabits: float) -> Captured:
    with busy_network(megabits) as (network, loads), tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        process = contender.start(network, contender.snaplen, Path(name)) if contender.start else None
        before = cpu_seconds(process.pid) if process else 0.0
        idle, ticks = processor_ticks()
        measure(loads, SECONDS)
        idle_after, ticks_after = processor_ticks()
        busy = (os.cpu_count() or 1) * (1 - (idle_after - idle) / (ticks_after - ticks))
        if process is None or contender.result is None:
            return Captured(0, 0, 0.0, busy)
        used = cpu_seconds(process.pid) - before
        process.send_signal(signal.SIGINT)
        process.wait(30)
        return Captured(*contender.result(process), used, busy)


def compare_programs(repeat: int) -> str:
    rows = []
    for megabits in RATES:
        found: dict[Contender, list[Captured]] = {contender: [] for contender in CONTENDERS}
        for _ in range(repeat):
            for contender, results in found.items():
                results.append(sandbox.run(partial(captured_by, contender, megabits)))
        base = median(each.busy for each in found[CONTENDERS[0]])
        for contender, results in found.items():
            if contender.start is None:
                continue
            rows.append(
                [
                    megabits,
                    contender.name,
                    "all" if contender.snaplen == WHOLE else contender.snaplen,
                    round(mean(each.packets for each in results) / (SECONDS + 1)),
                    spread([1e6 * each.cpu_seconds / max(1, each.packets) for each in results]),
                    f"{median(each.busy for each in results) - base:+.2f} of {base:.2f}",
                    sum(each.missed for each in results),
                ]
            )
    return markdown(["Mbit/s", "program", "kept", "packets/s", "us/packet", "machine", "missed"], rows)


CAPTURES = (
    "none",
    "{core: true}",
    "{core: true, snaplen: full}",
    "all",
    "{hosts: all, snaplen: full}",
)


def swarm(megabits: int, capture: str, seconds: int) -> str:
    """A swarm whose uplinks send so many megabits a second together, for so many seconds at least."""
    up = megabits * 1_000_000 // (HOSTS + 2)
    return (
        f"file: {{size: {megabits * seconds * 125_000 // HOSTS} B, piece_length: 256 KiB}}\n"
        f"servers: {{up: {2 * up // 8 * 8} bit/s}}\n"
        f"peers: {{homes: {{count: {HOSTS}, up: {up // 8 * 8} bit/s}}}}\n"
        f"capture: {capture}\nprofile: testbed\ntime_limit: 2 min\n"
    )


def performed(megabits: int, capture: str, seconds: int) -> tuple[TrialRecord, float]:
    """Perform a trial; returns its record, and the busy share of the processors while peers downloaded."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        file = folder / "swarm.yaml"
        file.write_text(swarm(megabits, capture, seconds))
        (trial,) = make_plan(read_experiment(file)).trials
        busy: list[float] = []
        order = TrialOrder(1, trial, folder / "trials", shared_folder=folder / "work", experiment_seed=1)
        ENGINES[EMULATED](order, lambda _event: None)
        place = folder / "trials" / trial.id
        with gzip.open(place / "machine.csv.gz", "rt") as lines:
            busy = [1 - float(row["idle_cpu"]) for row in csv.DictReader(lines)]
        shutil.rmtree(folder / "work", ignore_errors=True)
        return read_record(place, trial), mean(busy[2:-1] or busy)


def compare_trials(repeat: int, seconds: int) -> str:
    rows = []
    for megabits in RATES:
        found: dict[str, list[tuple[TrialRecord, float]]] = {capture: [] for capture in CAPTURES}
        for _ in range(repeat):
            for capture, results in found.items():
                results.append(performed(megabits, capture, seconds))
        for capture, results in found.items():
            records = [record for record, _ in results]
            packets = sum(each.packets or 0 for record in records for each in record.captures)
            cpu = sum(each.cpu_s or 0 for record in records for each in record.captures)
            rows.append(
                [
                    megabits,
                    f"`{capture}`",
                    f"{median(busy for _, busy in results):.0%}",
                    f"{median(record.fidelity.worst_lateness_ms or 0 for record in records):.1f}",
                    spread([record.seconds / record.trial.theory.p2p.payload_seconds for record in records]),
                    f"{cpu / sum(record.seconds for record in records):.3f}" if packets else "",
                    f"{1e6 * cpu / packets:.1f}" if packets else "",
                    round(packets / sum(record.seconds for record in records)) if packets else "",
                    sum(each.missed or 0 for record in records for each in record.captures) if packets else "",
                ]
            )
    return markdown(
        ["Mbit/s", "capture", "busy", "lateness ms", "time / bound", "CPU s/s", "s/million", "packets/s", "missed"],
        rows,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["programs", "trials"])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=15, help="of a trial, at least")
    chosen = parser.parse_args(arguments)
    print(
        compare_programs(chosen.repeat) if chosen.what == "programs" else compare_trials(chosen.repeat, chosen.seconds)
    )


if __name__ == "__main__":
    main()
