"""Cost and accuracy of the emulated network, compared with plain Mininet where that is possible.

    sudo .venv/bin/python benchmarks/network.py build        time and memory to build and remove N hosts
    sudo .venv/bin/python benchmarks/network.py rates        measured against configured rates
    sudo .venv/bin/python benchmarks/network.py capacity     the load at which links begin to lose their rate, against
                                                             the result of `testbed doctor`

Each prints a table in Markdown, and `rates` writes all figures to a CSV file. The machine should do nothing else.
"""

import argparse
import csv
import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mininet.link import TCLink
from mininet.net import Mininet
from mininet.nodelib import LinuxBridge
from mininet.topo import Topo

from testbed.doctor.capacity import (
    HOSTS,
    Probe,
    load_capacity,
    measure_capacity,
    probe,
    save_capacity,
)
from testbed.network import sandbox
from testbed.network.check.measure import DirectionReport, Load, measure
from testbed.network.check.traffic import Route
from testbed.network.links.shape import FRAME_BYTES, MAX_RATE, Shape
from testbed.network.network import Network

UP, DOWN = 8.0, 24.0


class Star(Topo):
    """Hosts around one core, all with the same access link."""

    def build(self, n: int, up: float | None = UP, down: float | None = DOWN) -> None:
        core = self.addSwitch("s1")
        for k in range(n):
            self.addLink(self.addHost(f"h{k + 1}"), core, params1=bandwidth(up), params2=bandwidth(down))


def bandwidth(megabits: float | None) -> dict[str, float]:
    return {} if megabits is None else {"bw": megabits}


def markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


# Building and removing


@dataclass(frozen=True)
class BuildCost:
    """Seconds to start and to stop, and memory of each host while no program runs on it."""

    start: float
    stop: float
    kib_per_host: float


def ours(n: int) -> BuildCost:
    free = available_kib()
    begin = time.perf_counter()
    with Network(Star(n=n)):
        started = time.perf_counter()
        used = free - available_kib()
        stopping = time.perf_counter()
    return BuildCost(started - begin, time.perf_counter() - stopping, used / n)


def plain_mininet(n: int) -> BuildCost:
    Mininet.inited = True  # else it would change the machine's limits
    free = available_kib()
    begin = time.perf_counter()
    network = Mininet(Star(n=n), switch=LinuxBridge, link=TCLink, controller=None)
    network.start()
    started = time.perf_counter()
    used = free - available_kib()
    stopping = time.perf_counter()
    network.stop()
    return BuildCost(started - begin, time.perf_counter() - stopping, used / n)


def available_kib() -> int:
    gc.collect()
    line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable"))
    return int(line.split()[1])


def in_sandbox(build: Callable[[int], BuildCost], n: int) -> BuildCost:
    cost = sandbox.run(lambda: build(n))
    settle()
    return cost


def settle(deadline_seconds: float = 60) -> None:
    """Wait until the kernel has freed the namespaces of the last run, which it does in the background."""
    deadline = time.monotonic() + deadline_seconds
    before = available_kib()
    while time.monotonic() < deadline:
        time.sleep(1)
        now = available_kib()
        if abs(now - before) < 2048:
            return
        before = now


def build_benchmark(arguments: argparse.Namespace) -> None:
    rows = []
    for n in arguments.hosts:
        compared = n <= arguments.mininet_up_to
        costs: dict[str, list[BuildCost]] = {"ours": [], "mininet": []}
        for _ in range(arguments.repeat):
            costs["ours"].append(in_sandbox(ours, n))
            if compared:
                costs["mininet"].append(in_sandbox(plain_mininet, n))
            log(f"{n}: {costs['ours'][-1]} {costs['mininet'][-1] if compared else ''}")
        rows.append(build_row(n, costs))
    header = [
        "hosts",
        "start s",
        "stop s",
        "KiB per host",
        "Mininet start s",
        "stop s",
        "KiB per host",
        "start, times faster",
    ]
    print(markdown(header, rows))


def build_row(n: int, costs: dict[str, list[BuildCost]]) -> list[object]:
    def figures(name: str) -> list[str]:
        if not costs[name]:
            return ["-", "-", "-"]
        return [
            spread([cost.start for cost in costs[name]]),
            spread([cost.stop for cost in costs[name]]),
            f"{statistics.median(cost.kib_per_host for cost in costs[name]):.0f}",
        ]

    ratios = [theirs.start / our.start for our, theirs in zip(costs["ours"], costs["mininet"], strict=False)]
    return [n, *figures("ours"), *figures("mininet"), spread(ratios, digits=1) if ratios else "-"]


def spread(values: Sequence[float], digits: int = 2) -> str:
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} ({low:.{digits}f} - {high:.{digits}f})"


# Rates


class Probed(Topo):
    """One host behind the link to measure, and others whose links have no limit."""

    def build(self, rate: float, others: int) -> None:
        core = self.addSwitch("s1")
        self.addLink(self.addHost("h1"), core, params1={"bw": rate}, params2={"bw": rate})
        for k in range(others):
            self.addLink(self.addHost(f"h{k + 2}"), core)


PATTERNS = {
    "1 out": (1, "up"),
    "1 in": (1, "down"),
    "10 out": (10, "up"),
    "10 in": (10, "down"),
    "1 out + 1 in": (1, "both"),
}


@dataclass(frozen=True)
class Case:
    """One measurement: its setting, and the report on one direction."""

    rate: float
    congestion_control: str
    pattern: str
    report: DirectionReport

    @property
    def quantum(self) -> float:
        """One super-packet, which no shaper can split, as a share of what the rate allows in 100 ms."""
        shape = Shape(self.report.asked_bps)
        return (shape.gso_segments or 1) * FRAME_BYTES * 8 / (self.report.asked_bps * 0.1)

    @property
    def steady(self) -> bool:
        return abs(self.report.steady_ratio - 1) <= 0.01

    @property
    def prompt(self) -> bool:
        return abs(self.report.first_second_ratio - 1) <= 0.05

    @property
    def even(self) -> bool:
        return self.report.peak_ratio <= 1.15 or self.report.peak_ratio - self.quantum <= 1.0

    def row(self) -> dict[str, object]:
        judged = {"steady": self.steady, "prompt": self.prompt, "even": self.even}
        setting = {"congestion_control": self.congestion_control, "pattern": self.pattern}
        return {**setting, **self.report.row(), **judged}


def measure_case(rate: float, control: str, pattern: str, seconds: float) -> list[DirectionReport]:
    flows, direction = PATTERNS[pattern]
    with Network(Probed(rate=rate, others=flows), congestion_control=control) as network:
        probed, *others = network.hosts
        up = Load(probed.access, [Route(probed, other, other.address) for other in others])
        down = Load(probed.access.peer, [Route(other, probed, probed.address) for other in others])
        return measure({"up": [up], "down": [down], "both": [up, down]}[direction], seconds)


def rates_benchmark(arguments: argparse.Namespace) -> None:
    cases = []
    for rate in arguments.rates:
        seconds = max(arguments.seconds, 300 * FRAME_BYTES * 8 / (rate * 1e6))
        for control in arguments.congestion_control:
            for pattern in PATTERNS:
                reports = sandbox.run(lambda: measure_case(rate, control, pattern, seconds))  # noqa: B023
                cases += [Case(rate, control, pattern, report) for report in reports]
                log(f"{rate} {control} {pattern}: {[f'{report.steady_ratio:.4f}' for report in reports]}")
    write_csv(arguments.csv, [case.row() for case in cases])
    header = [
        "Mbit/s",
        "algorithm",
        "streams",
        "direction",
        "wire",
        "payload",
        "first 1 s",
        "peak 100 ms",
        "queue ms",
        "drops",
    ]
    print(markdown([*header, "off"], [rates_row(case) for case in cases]))
    print()
    print("\n".join(summary(cases)))


def rates_row(case: Case) -> list[object]:
    report = case.report
    off = [name for name, good in (("steady", case.steady), ("first", case.prompt), ("peak", case.even)) if not good]
    return [
        case.rate,
        case.congestion_control,
        case.pattern,
        report.direction,
        f"{report.wire_ratio:.4f}",
        f"{report.steady_ratio:.4f}",
        f"{report.first_second_ratio:.3f}",
        f"{report.peak_ratio:.3f}",
        f"{report.queue_mean_ms:.1f}",
        report.drops,
        ", ".join(off),
    ]


def summary(cases: Sequence[Case]) -> Iterator[str]:
    def share(what: str, good: Callable[[Case], bool]) -> str:
        return f"{sum(map(good, cases))} of {len(cases)} {what}"

    yield share(
        "with a wire rate within 1 % after the first second", lambda case: abs(case.report.wire_ratio - 1) <= 0.01
    )
    yield share("with a payload rate within 1 % after the first second", lambda case: case.steady)
    yield share("with a payload rate within 5 % in the first second", lambda case: case.prompt)
    yield share("without a 100 ms window above 115 % (or a single super-packet above 100 %)", lambda case: case.even)


def write_csv(path: Path, rows: Sequence[dict[str, object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


# Capacity


def capacity_benchmark(arguments: argparse.Namespace) -> None:
    """Climb slowly from half of the doctor's result until the links lose their rate, several times."""
    known = load_capacity()
    if known is None or arguments.again:
        known = measure_capacity(lambda result: log(f"doctor: {result}"))
        save_capacity(known)
    rows = []
    for n in HOSTS:
        climbs = [climb(n, known.totals[n] // 2, arguments.step) for _ in range(arguments.repeat)]
        middle = statistics.median(climbs)
        ratio = known.totals[n] / middle if middle else float("nan")
        rows.append([n, f"{known.megabits[n]:.0f}", spread([total / 1e6 for total in climbs], 0), f"{ratio:.2f}"])
    print(markdown(["hosts", "doctor, Mbit/s", "slow climb, Mbit/s", "doctor / climb"], rows))


def climb(n: int, total: int, step: float) -> int:
    """Return the last total that was carried before two in a row were not, or before links reached the highest rate."""
    carried, lost = 0, 0
    while lost < 2 and total <= n * MAX_RATE:
        result: Probe = probe(n, total, seconds=1.0)
        log(str(result))
        lost = 0 if result.carried else lost + 1
        carried = result.total_bps if result.carried else carried
        total = round(total * step)
    return carried


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    build = commands.add_parser("build")
    build.add_argument("--hosts", type=int, nargs="+", default=[10, 100, 300, 1000, 3000], help="numbers of hosts")
    build.add_argument("--mininet-up-to", type=int, default=300, help="most hosts to build with plain Mininet")
    build.add_argument("--repeat", type=int, default=3, help="number of measurements")
    build.set_defaults(run=build_benchmark)
    rates = commands.add_parser("rates")
    rates.add_argument("--rates", type=float, nargs="+", default=[0.5, 1, 8, 50, 100, 500], help="in Mbit/s")
    rates.add_argument("--congestion-control", nargs="+", default=["cubic", "reno", "bbr"])
    rates.add_argument("--seconds", type=float, default=3, help="shortest length of a measurement")
    rates.add_argument("--csv", type=Path, default=Path("rates.csv"), help="write all figures to this file")
    rates.set_defaults(run=rates_benchmark)
    capacity = commands.add_parser("capacity")
    capacity.add_argument("--repeat", type=int, default=3, help="number of climbs")
    capacity.add_argument("--step", type=float, default=1.08, help="factor from one load to the next")
    capacity.add_argument("--again", action="store_true", help="measure the doctor's capacity again")
    capacity.set_defaults(run=capacity_benchmark)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
