"""The capacity of this machine: the highest total rate through the core at which links keep their rates.

N hosts stand around one core. Each sends to its next four neighbours, so that all N uplinks are saturated and every
packet passes two shapers; one process per processor drives them. A total rate is carried if the shapers sent at least
CARRIED of it. The search starts from the processor time of a moderate load, then narrows from both sides.
"""

import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from mininet.topo import Topo

from testbed.doctor.parallel import in_parallel
from testbed.network import sandbox
from testbed.network.check.measure import DirectionReport, Load, measure
from testbed.network.check.traffic import Route
from testbed.network.links.shape import MAX_RATE, MIN_RATE
from testbed.network.network import Network
from testbed.runfolder.handles import made
from testbed.runs.versions import versions
from testbed.trial.monitoring.machine import processor_ticks

HOSTS: Final = (10, 50, 200)
CARRIED: Final = 0.98
_FOLDER: Final = "testbed"
_FILE: Final = "capacity.json"
_NEIGHBOURS: Final = 4
_FIRST_TOTAL: Final = 200_000_000
_CLOSE_ENOUGH: Final = 1.12
_MAX_PROBES: Final = 8
_SECONDS: Final = 0.5


@dataclass(frozen=True)
class Probe:
    """A total rate that was tried, and how much of it was carried."""

    hosts: int
    total_bps: int
    carried_ratio: float
    busy: float

    @property
    def carried(self) -> bool:
        """Whether the links kept their rates."""
        return self.carried_ratio >= CARRIED


@dataclass(frozen=True)
class Capacity:
    """The highest total in bit/s that was carried, by number of hosts, and when and where it was measured."""

    totals: dict[int, int]
    measured_at: str
    machine: str

    @property
    def megabits(self) -> dict[int, float]:
        """The same in Mbit/s."""
        return {hosts: total / 1e6 for hosts, total in self.totals.items()}


class Ring(Topo):
    """N hosts with downlinks of three times their uplinks, so that only uplinks are saturated."""

    def build(self, n: int, rate: int) -> None:
        """Add the core and the hosts."""
        core = self.addSwitch("s1")
        up, down = rate / 1e6, min(3 * rate, MAX_RATE) / 1e6
        for k in range(n):
            self.addLink(self.addHost(f"h{k + 1}"), core, params1={"bw": up}, params2={"bw": down})


def probe(hosts: int, total: int, seconds: float = _SECONDS) -> Probe:
    """Load all links of a ring of hosts at once, in a sandbox."""
    rate = max(MIN_RATE, total // hosts // 8 * 8)
    reports, busy = sandbox.run(lambda: _load_ring(hosts, rate, seconds))
    carried = sum(report.wire_ratio for report in reports) / len(reports)
    return Probe(hosts, rate * hosts, carried, busy)


def _load_ring(hosts: int, rate: int, seconds: float) -> tuple[list[DirectionReport], float]:
    with Network(Ring(n=hosts, rate=rate)) as network:
        loads = []
        for k, host in enumerate(network.hosts):
            targets = [network.hosts[(k + step) % hosts] for step in range(1, _NEIGHBOURS + 1)]
            loads.append(Load(host.access, [Route(host, target, target.address) for target in targets]))
        before = processor_ticks()
        workers = min(os.cpu_count() or 1, hosts)
        shares = in_parallel([partial(measure, loads[worker::workers], seconds) for worker in range(workers)])
        return [report for share in shares for report in share], _busy_share(before, processor_ticks())


def _busy_share(before: tuple[int, int], after: tuple[int, int]) -> float:
    idle, total = after[0] - before[0], after[1] - before[1]
    return 1 - idle / total if total else 1.0


def search(hosts: int, try_total: Callable[[int, int], Probe] = probe) -> Iterator[Probe]:
    """Probe until the highest carried total and the lowest that is not carried are close."""
    carried, lost, total = 0, 0, max(_FIRST_TOTAL, hosts * MIN_RATE)
    for _ in range(_MAX_PROBES):
        result = try_total(hosts, total)
        yield result
        if result.carried:
            carried = max(carried, result.total_bps)
        else:
            lost = min(lost or result.total_bps, result.total_bps)
        if carried and lost and lost <= carried * _CLOSE_ENOUGH:
            return
        total = _next_total(result, carried, lost)
        if total < hosts * MIN_RATE or carried >= hosts * MAX_RATE:
            return


def _next_total(last: Probe, carried: int, lost: int) -> int:
    if carried and lost:
        return math.isqrt(carried * lost)
    if lost:
        return lost // 2
    # Extrapolate from the idle share, carefully: packets cost less on a busy machine, and others may use it too.
    growth = min(3.0, max(1.5, 0.9 / max(last.busy, 0.05)))
    return min(round(carried * growth), last.hosts * MAX_RATE)


def highest_carried(probes: list[Probe]) -> int:
    """Return the highest total that was carried, 0 if none was."""
    return max((result.total_bps for result in probes if result.carried), default=0)


def measure_capacity(report: Callable[[Probe], None] = lambda _probe: None) -> Capacity:
    """Search at each number of hosts, and report every probe."""
    totals = {}
    for hosts in HOSTS:
        probes = []
        for result in search(hosts):
            report(result)
            probes.append(result)
        totals[hosts] = highest_carried(probes)
    return Capacity(totals, datetime.now(UTC).isoformat(timespec="seconds"), machine_key())


def machine_key() -> str:
    """Return what a capacity depends on: kernel, processors and versions."""
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    parts = versions()
    return f"{parts['kernel']}, {os.cpu_count()} x {model.partition(':')[2].strip()}, testbed {parts['testbed']}"


def cache_file() -> Path:
    """Return the user's file of the measured capacity."""
    return _cache() / _FOLDER / _FILE


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def load_capacity() -> Capacity | None:
    """Return the capacity that was measured earlier on this machine, if any."""
    try:
        kept: dict[str, Any] = json.loads(cache_file().read_text())
        totals = {int(hosts): int(total) for hosts, total in kept["totals"].items()}
        capacity = Capacity(totals, str(kept["measured_at"]), str(kept["machine"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return capacity if capacity.machine == machine_key() else None


def save_capacity(capacity: Capacity) -> None:
    """Write it, so that a reader finds the old one or the new one. In the home of who called sudo, it is theirs."""
    mark = f".{os.getpid()}"
    with made(_cache()) as cache, cache.own_subfolder(_FOLDER) as folder, folder.new_file(_FILE, mark) as file:
        file.write((json.dumps(asdict(capacity), indent=2) + "\n").encode())
