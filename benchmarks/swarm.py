"""How near a swarm comes to the bound on distribution time, and where the time goes.

    sudo .venv/bin/python -m benchmarks.swarm --client ours libtorrent --n 5 10 20 40 --repeat 3 --csv swarm.csv

One seed and N leeches around a core: 16 Mbit/s up for the seed, 8 up and 24 down for each leech, 32 MiB in pieces of
128 KiB. With 40 leeches the rates and the file are half of that, to spare the machine. The time runs from the start of
the first leech, when seed and tracker are ready, until the last leech has checked its last piece. The bound is

    max{F / u_s, F / d_min, N F / (u_s + sum u_i)} x 1514 / 1448

where the factor accounts for headers. Columns:

seed copies   how often the seed sent the file; at least 1 is needed
uplinks       mean utilisation of the leeches' uplinks
busy after    when the leeches' uplinks first reached 80 % utilisation together
tail          time between the median leech's completion and the last one's
CPU           utilisation of the machine; much above 90 % spoils a run

--csv writes each second of each run as a row; --plot draws them.
"""

import argparse
import csv
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.clients import CLIENTS, PRELOAD, Client, log, make_torrent, markdown, spread, start_tracker
from testbed.network import (
    EmulatedHost,
    Network,
    Process,
    sandbox,
)
from testbed.network.counters import LinkCounters
from topologies.star import Star

FOLDER = Path("/run/benchmark")
MIB = 1 << 20
FRAME, PAYLOAD = 1514, 1448
LOOK_SECONDS = 0.01
GIVE_UP_AFTER = 6.0
BUSY = 0.8


@dataclass(frozen=True)
class Point:
    """A swarm; rates in bit/s, the length in bytes."""

    n: int
    seed_up: int
    up: int
    down: int
    length: int
    piece_length: int

    @property
    def bound(self) -> float:
        """The shortest time, in seconds, in which these links can carry the file to all leeches."""
        bits = self.length * 8
        terms = bits / self.seed_up, bits / self.down, self.n * bits / (self.seed_up + self.n * self.up)
        return max(terms) * FRAME / PAYLOAD

    @property
    def names(self) -> list[str]:
        """The hosts' names: tracker, seed, leeches."""
        return ["tracker", "seed", *(f"h{k + 1}" for k in range(self.n))]

    def topology(self) -> Star:
        """Return the star; the tracker's link has no limit."""
        return Star(
            n=self.n + 2,
            names=self.names,
            up=[None, self.seed_up, *[self.up] * self.n],
            down=[None, self.down, *[self.down] * self.n],
        )


def point(n: int, piece_kib: int) -> Point:
    half = 2 if n >= 40 else 1
    return Point(n, 16_000_000 // half, 8_000_000 // half, 24_000_000 // half, 32 * MIB // half, piece_kib * 1024)


@dataclass(frozen=True)
class Second:
    """About one second of a run: utilisation of the uplinks, and how many leeches have the file at its end."""

    time: float
    seed: float
    leeches: float
    idle: int
    """How many leeches' uplinks are below half of their rate."""
    completed: int
    cpu: float


@dataclass(frozen=True)
class Run:
    """One distribution: each leech's completion time, the bytes that the seed sent, and each second."""

    point: Point
    completions: Sequence[float]
    seed_bytes: int
    seconds: Sequence[Second]

    @property
    def time(self) -> float:
        return max(self.completions)

    @property
    def tail(self) -> float:
        return self.time - statistics.median(self.completions)

    @property
    def ratio(self) -> float:
        return self.time / self.point.bound

    @property
    def seed_copies(self) -> float:
        return self.seed_bytes * PAYLOAD / FRAME / self.point.length

    @property
    def uplinks(self) -> float:
        """Mean utilisation of the leeches' uplinks, in percent."""
        lengths = [after.time - before for before, after in zip(self._begins, self.seconds, strict=True)]
        return 100 * sum(length * each.leeches for length, each in zip(lengths, self.seconds, strict=True)) / self.time

    @property
    def busy_after(self) -> float:
        """When the leeches' uplinks first were busy together; -1 if never."""
        return next((begin for begin, each in zip(self._begins, self.seconds, strict=True) if each.leeches >= BUSY), -1)

    @property
    def cpu(self) -> float:
        return statistics.mean(each.cpu for each in self.seconds) * 100

    @property
    def _begins(self) -> list[float]:
        return [0.0, *(each.time for each in self.seconds[:-1])]


class Meter:
    """Reads the bytes that the uplinks have carried, and the utilisation of the machine."""

    def __init__(self, counters: LinkCounters, hosts: Sequence[EmulatedHost]) -> None:
        self._counters = counters
        self._ends = [host.access for host in hosts]
        self._time = time.monotonic()
        self.begin = self._time
        self.first_bytes = self._bytes = self._read()
        self._ticks = cpu_ticks()

    def second(self, completed: int) -> Second:
        """Return the figures since the last call."""
        now, sent, ticks = time.monotonic(), self._read(), cpu_ticks()
        rates = [(after - before) * 8 / (now - self._time) for before, after in zip(self._bytes, sent, strict=True)]
        shares = [rate / (end.shape.rate or 1) for rate, end in zip(rates, self._ends, strict=True)]
        seed, leeches = shares[0], shares[1:]
        busy, whole = (after - before for before, after in zip(self._ticks, ticks, strict=True))
        self._time, self._bytes, self._ticks = now, sent, ticks
        idle = sum(share < 1 / 2 for share in leeches)
        return Second(now - self.begin, seed, statistics.mean(leeches), idle, completed, busy / max(whole, 1))

    @property
    def seed_bytes(self) -> int:
        """The bytes that the seed's uplink had carried at the last reading."""
        return self._bytes[0] - self.first_bytes[0]

    def _read(self) -> list[int]:
        counts = self._counters.read()
        return [counts[end].data.sent_bytes for end in self._ends]


def cpu_ticks() -> tuple[int, int]:
    """Return the machine's clock ticks so far: busy ones, and all."""
    user, nice, system, idle, iowait, *rest = map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:])
    busy = user + nice + system + sum(rest[:3])
    return busy, busy + idle + iowait


def distribute(client: Client, at: Point) -> Run:
    with Network(at.topology(), preload=PRELOAD) as network:
        tracker, source, *others = (network.host(name) for name in at.names)
        torrent, data = make_torrent(FOLDER, at.length, at.piece_length, start_tracker(tracker))
        seed = client.seed(source, torrent, data, FOLDER / "seed", **capacity(at.seed_up))
        seed.wait_ready("^ready", timeout=30)
        with LinkCounters(host.access for host in (source, *others)) as counters:
            meter = Meter(counters, [source, *others])
            leeches = [
                client.leech(host, torrent, FOLDER / host.name, FOLDER / f"out-{host.name}", **capacity(at.up))
                for host in others
            ]
            completions, seconds = watch(leeches, meter, GIVE_UP_AFTER * at.bound)
        check(leeches, data)
        return Run(at, completions, meter.seed_bytes, seconds)


def capacity(rate: int) -> dict[str, object]:
    """Return our peer's upload limit, as users set it. The peer derives its slots from it; it never limits here."""
    return {"upload-limit": f"{rate}bit/s"}


def watch(leeches: Sequence[Process], meter: Meter, give_up_after: float) -> tuple[list[float], list[Second]]:
    """Poll for completed leeches, and read the meter once a second, until all leeches have the file."""
    completions: dict[int, float] = {}
    seconds: list[Second] = []
    while len(completions) < len(leeches):
        time.sleep(LOOK_SECONDS)
        elapsed = time.monotonic() - meter.begin
        for k, leech in enumerate(leeches):
            if k not in completions and "completed" in leech.stdout:
                completions[k] = elapsed
        if elapsed >= len(seconds) + 1 or len(completions) == len(leeches):
            seconds.append(meter.second(len(completions)))
        if elapsed > give_up_after:
            raise SystemExit(f"{len(completions)} of {len(leeches)} leeches have the file after {elapsed:.0f} s")
    return list(completions.values()), seconds


def check(leeches: Sequence[Process], data: Path) -> None:
    for leech in leeches:
        copy = FOLDER / leech.host / data.name
        if copy.read_bytes() != data.read_bytes():
            raise SystemExit(f"{leech}: its file differs")


def write_csv(path: Path, runs: Sequence[tuple[str, int, Run]]) -> None:
    rows = [
        {"client": name, "n": run.point.n, "run": k, "bound": run.point.bound, **asdict(second)}
        for name, k, run in runs
        for second in run.seconds
    ]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def plot(path: Path, runs: Sequence[tuple[str, int, Run]]) -> None:
    """Draw the uplinks' utilisation over time / bound: a panel per client and N, a line per run."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 - only --plot needs it

    panels = sorted({(name, run.point.n) for name, _, run in runs}, key=lambda panel: (panel[1], panel[0]))
    figure, axes = plt.subplots(len(panels), figsize=(9, 2.4 * len(panels)), sharex=True, squeeze=False)
    for axis, (name, n) in zip(axes[:, 0], panels, strict=True):
        for run in (run for owner, _, run in runs if (owner, run.point.n) == (name, n)):
            times = [second.time / run.point.bound for second in run.seconds]
            axis.step(times, [second.leeches for second in run.seconds], "tab:blue", label="leeches")
            axis.step(times, [second.seed for second in run.seconds], "tab:orange", alpha=0.6, label="seed")
        axis.axvline(1, color="grey", linestyle=":")
        axis.set(ylim=(0, 1.05), title=f"{name}, N = {n}", ylabel="upload in use")
        axis.legend(*unique_labels(axis.get_legend_handles_labels()), loc="lower left")
    axes[-1, 0].set_xlabel("time / bound")
    figure.tight_layout()
    figure.savefig(path)


def unique_labels(labelled: tuple[list[object], list[str]]) -> tuple[list[object], list[str]]:
    handles = dict(zip(reversed(labelled[1]), reversed(labelled[0]), strict=True))
    return list(handles.values()), list(handles)


COLUMNS: list[tuple[str, Callable[[Run], float], int]] = [
    ("time, s", lambda run: run.time, 1),
    ("time / bound", lambda run: run.ratio, 3),
    ("seed copies", lambda run: run.seed_copies, 2),
    ("uplinks, %", lambda run: run.uplinks, 0),
    ("busy after, s", lambda run: run.busy_after, 0),
    ("tail, s", lambda run: run.tail, 1),
    ("CPU, %", lambda run: run.cpu, 0),
]


def table(runs: Sequence[tuple[str, int, Run]]) -> Iterator[list[object]]:
    for name, n in dict.fromkeys((name, run.point.n) for name, _, run in runs):
        mine = [run for owner, _, run in runs if (owner, run.point.n) == (name, n)]
        figures = [spread([value(run) for run in mine], digits) for _, value, digits in COLUMNS]
        yield [n, name, f"{mine[0].point.bound:.1f}", *figures]


def clients(arguments: argparse.Namespace) -> list[Client]:
    ours = {"profile": arguments.profile, "strategy": arguments.strategy}
    return [Client(name, ours if name == "ours" else {}) for name in arguments.client]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--client", nargs="+", choices=CLIENTS, default=CLIENTS)
    parser.add_argument("--n", type=int, nargs="+", default=[5, 10, 20, 40], help="numbers of leeches")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each client, alternating")
    parser.add_argument("--piece-length", type=int, default=128, metavar="KIB")
    parser.add_argument("--profile", default="course", help="profile of our peers")
    parser.add_argument("--strategy", help="strategy of our peers")
    parser.add_argument("--csv", type=Path, help="write each second of each run to this file")
    parser.add_argument("--plot", type=Path, help="draw the uplinks' utilisation over time to this file (.png)")
    arguments = parser.parse_args()
    runs: list[tuple[str, int, Run]] = []
    for n in arguments.n:
        for k in range(arguments.repeat):
            for client in clients(arguments):
                at = point(n, arguments.piece_length)
                run = sandbox.run(lambda: distribute(client, at))  # noqa: B023
                runs.append((client.name, k, run))
                log(f"N = {n}, {client.name}: {run.time:.1f} s, {run.ratio:.3f} times the bound, CPU {run.cpu:.0f} %")
    print(markdown(["N", "client", "bound, s", *(name for name, _, _ in COLUMNS)], list(table(runs))))
    if arguments.csv:
        write_csv(arguments.csv, runs)
    if arguments.plot:
        plot(arguments.plot, runs)


if __name__ == "__main__":
    main()
