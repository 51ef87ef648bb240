"""Speed and cost of our peer, compared with libtorrent in the same run.

    sudo .venv/bin/python -m benchmarks.peer transfer      one seed to one leech over an unshaped link: MB/s, CPU per GB
    sudo .venv/bin/python -m benchmarks.peer memory        memory of each leech in a swarm on shaped links
    sudo .venv/bin/python -m benchmarks.peer start         time until 200 of our peers listen

Both clients are forked from an interpreter that has imported them, keep their files in a tmpfs and use our tracker.
They alternate, so that other load on the machine affects both. Run this as a module from the repository's folder: as a
script, it would hide the package `peer`.
"""

import argparse
import shutil
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clients import CLIENTS, PRELOAD, Client, cpu_seconds, log, make_torrent, markdown, spread, start_tracker
from testbed.network import (
    EmulatedHost,
    Network,
    Process,
    sandbox,
)
from testbed.network.processes.processes import stop_all
from topologies.star import Star

# The sandbox's own tmpfs.
FOLDER = Path("/run/benchmark")
MIB = 1 << 20


def clients(arguments: argparse.Namespace) -> list[Client]:
    options = {"storage": arguments.storage, "profile": arguments.profile}
    return [Client(name, options if name == "ours" else {}) for name in arguments.client]


# One seed to one leech


@dataclass(frozen=True)
class Transfer:
    """One transfer, from when the leech listens until it has checked the last piece."""

    length: int
    seconds: float
    seed_cpu: float
    leech_cpu: float

    @property
    def rate(self) -> float:
        """MB/s."""
        return self.length / self.seconds / 1e6

    @property
    def cpu_per_gb(self) -> tuple[float, float]:
        """CPU seconds per GB of the seed and of the leech."""
        return self.seed_cpu / self.length * 1e9, self.leech_cpu / self.length * 1e9


def transfer(client: Client, hosts: Sequence[EmulatedHost], torrent: Path, data: Path, name: str) -> Transfer:
    folder = FOLDER / name
    folder.mkdir()
    seed = client.seed(hosts[0], torrent, data, folder / "seed")
    seed.wait_ready("^ready", timeout=60)
    leech = client.leech(hosts[1], torrent, folder / "leech-data", folder / "leech")
    leech.wait_ready("^ready", timeout=60)
    begin, before = time.perf_counter(), (cpu_seconds(seed), cpu_seconds(leech))
    leech.wait_ready("^completed", timeout=600)
    seconds = time.perf_counter() - begin
    seed_cpu, leech_cpu = (cpu_seconds(seed) - before[0], cpu_seconds(leech) - before[1])
    stop_all([leech, seed])
    shutil.rmtree(folder)
    return Transfer(data.stat().st_size, seconds, seed_cpu, leech_cpu)


def transfer_benchmark(arguments: argparse.Namespace) -> None:
    results = sandbox.run(lambda: run_transfers(arguments))
    header = ["client", "MB/s", "seed, CPU s/GB", "leech, CPU s/GB", "both", "busy cores"]
    print(markdown(header, [transfer_row(name, done) for name, done in results.items()]))


def run_transfers(arguments: argparse.Namespace) -> dict[str, list[Transfer]]:
    results: dict[str, list[Transfer]] = {name: [] for name in arguments.client}
    with Network(Star(n=3), preload=PRELOAD) as network:
        tracker, *ends = network.hosts
        torrent, data = make_torrent(
            FOLDER, arguments.length * MIB, arguments.piece_length * 1024, start_tracker(tracker)
        )
        for k in range(arguments.repeat):
            for client in clients(arguments):
                done = transfer(client, ends, torrent, data, f"{client.name}-{k}")
                results[client.name].append(done)
                log(f"{client.name}: {done.rate:.0f} MB/s, CPU s/GB {done.cpu_per_gb}")
    return results


def transfer_row(name: str, done: Sequence[Transfer]) -> list[object]:
    seed, leech = ([each.cpu_per_gb[end] for each in done] for end in (0, 1))
    both = [sum(each.cpu_per_gb) for each in done]
    busy = statistics.median((each.seed_cpu + each.leech_cpu) / each.seconds for each in done)
    return [name, spread([each.rate for each in done], 0), spread(seed), spread(leech), spread(both), f"{busy:.2f}"]


# Memory in a swarm


@dataclass(frozen=True)
class Memory:
    """The most memory of one process: resident, its proportional share of that, and the anonymous part of the share."""

    resident_kib: int
    share_kib: int
    anonymous_kib: int

    def __or__(self, other: "Memory") -> "Memory":
        return Memory(
            max(self.resident_kib, other.resident_kib),
            max(self.share_kib, other.share_kib),
            max(self.anonymous_kib, other.anonymous_kib),
        )


KINDS = ("resident_kib", "share_kib", "anonymous_kib")


def memory_of(process: Process) -> Memory:
    lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()[1:]
    kib = {key: int(value.split()[0]) for key, _, value in (line.partition(":") for line in lines)}
    return Memory(kib["Rss"], kib["Pss"], kib["Pss_Anon"])


def memory_benchmark(arguments: argparse.Namespace) -> None:
    rows = []
    for client in clients(arguments):
        most = sandbox.run(lambda: swarm_memory(client, arguments))  # noqa: B023
        figures = ([getattr(each, kind) / 1024 for each in most] for kind in KINDS)
        rows.append([client.name, len(most), *(spread(figure, 1) for figure in figures)])
    print(markdown(["client", "leeches", "RSS, MiB per leech", "PSS", "anonymous PSS"], rows))


def swarm_memory(client: Client, arguments: argparse.Namespace) -> list[Memory]:
    """Return each leech's maximum memory until the first leech has the file, sampled four times a second."""
    with Network(Star(n=arguments.leeches + 2, up=4_000_000, down=12_000_000), preload=PRELOAD) as network:
        tracker, source, *others = network.hosts
        torrent, data = make_torrent(
            FOLDER, arguments.length * MIB, arguments.piece_length * 1024, start_tracker(tracker)
        )
        client.seed(source, torrent, data, FOLDER / "seed").wait_ready("^ready", timeout=60)
        original = {"original": data} if arguments.storage == "shared" else {}
        leeches = [
            client.leech(host, torrent, FOLDER / host.name, FOLDER / f"out-{host.name}", **original) for host in others
        ]
        most = [Memory(0, 0, 0)] * len(leeches)
        while not any("completed" in leech.stdout for leech in leeches):
            most = [before | memory_of(leech) for before, leech in zip(most, leeches, strict=True)]
            time.sleep(0.25)
        return most


# Starting many


def start_benchmark(arguments: argparse.Namespace) -> None:
    """Measure from the first fork until the last peer listens.

    In a swarm, peers that have started dial each other while others start.
    """
    rows = []
    for where, options in (("in a swarm", {}), ("without a tracker", {"no-tracker": True})):
        seconds = [sandbox.run(lambda: start_many(arguments, options)) for _ in range(arguments.repeat)]  # noqa: B023
        rows.append([arguments.peers, where, spread(seconds)])
    print(markdown(["peers", "", "seconds until all listen"], rows))


def start_many(arguments: argparse.Namespace, options: Mapping[str, object]) -> float:
    ours = Client("ours", {"storage": arguments.storage, "profile": arguments.profile, **options})
    with Network(Star(n=arguments.peers + 1, up=8_000_000, down=24_000_000), preload=PRELOAD) as network:
        tracker, *hosts = network.hosts
        torrent, _ = make_torrent(FOLDER, MIB, 16 * 1024, start_tracker(tracker))
        begin = time.perf_counter()
        peers = [ours.leech(host, torrent, FOLDER / host.name, FOLDER / f"out-{host.name}") for host in hosts]
        all_ready(peers)
        return time.perf_counter() - begin


def all_ready(peers: Iterable[Process]) -> None:
    for peer in peers:
        peer.wait_ready("^ready", timeout=60)


def add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    run: Callable[[argparse.Namespace], None],
    length: int,
    repeat: int,
) -> argparse.ArgumentParser:
    command = commands.add_parser(run.__name__.removesuffix("_benchmark"))
    command.add_argument("--client", nargs="+", choices=CLIENTS, default=CLIENTS)
    command.add_argument("--length", type=int, default=length, metavar="MIB", help="length of the file")
    command.add_argument("--piece-length", type=int, default=256, metavar="KIB")
    command.add_argument("--repeat", type=int, default=repeat, help="number of measurements")
    command.add_argument("--storage", default="disk", help="storage of our peers; libtorrent uses files and pread")
    command.add_argument("--profile", default="course", help="profile of our peers")
    command.set_defaults(run=run)
    return command


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    add_command(commands, transfer_benchmark, length=1024, repeat=5)
    memory = add_command(commands, memory_benchmark, length=32, repeat=1)
    memory.add_argument("--leeches", type=int, default=50)
    start = add_command(commands, start_benchmark, length=1, repeat=5)
    start.add_argument("--peers", type=int, default=200)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
