"""How near the two baselines come to their bounds.

    sudo .venv/bin/python -m benchmarks.baselines client-server --n 5 10 20 30
    sudo .venv/bin/python -m benchmarks.baselines fluid --n 5 10 20

A server and N peers around a core: 16 Mbit/s up for the server, 8 up and 24 down for each peer, 32 MiB. The fluid
scheme has three regimes, by what limits it: `uploads` (these rates), the `server` (4 Mbit/s up), or a `download` (the
first peer has 4 Mbit/s down). The time runs from the start of the peers, when the server is ready, until the last peer
completes. The bound is corrected for headers: 1514 bytes on the wire carry 1448 of the file. CPU is the utilisation of
the machine.
"""

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from benchmarks.clients import log, markdown, spread
from peer.distribution.fluid.plan import (
    USUAL_BLOCK,
    USUAL_EXCESS,
    Plan,
    encode_plan,
)
from peer.net.address import Address
from testbed.network import (
    EmulatedHost,
    Network,
    Process,
    sandbox,
)
from testbed.theory import (
    Downloader,
    Swarm,
    client_server_bound,
    fluid_rates,
    p2p_bound,
    payload_share,
)
from topologies.star import Star

FOLDER = Path("/run/benchmark")
PRELOAD = (
    "peer.cli.main",
    "peer.cli.relay",
    "peer.cli.fetch",
    "peer.cli.serve",
    "contract.encoding",
)
PLAN = FOLDER / "plan.json"
PORT = 7000
MIB = 1 << 20
MEGA = 1_000_000
SERVER_UP, UP, DOWN, SLOW = 16 * MEGA, 8 * MEGA, 24 * MEGA, 4 * MEGA
LIMITS = ("server", "download", "uploads")


@dataclass(frozen=True)
class Point:
    """A file's length in bytes, and the links of the swarm with their rates on the wire in bit/s."""

    swarm: Swarm
    length: int

    @property
    def payload_swarm(self) -> Swarm:
        """The swarm with rates of the file's bits instead of the wire's."""
        return self.swarm.in_payload(payload_share())

    @property
    def names(self) -> list[str]:
        """The hosts' names: the server, then the peers."""
        return ["server", *(f"h{k + 1}" for k in range(len(self.swarm.peers)))]

    @property
    def topology(self) -> Star:
        peers = self.swarm.peers
        return Star(
            n=len(peers) + 1,
            names=self.names,
            up=[int(self.swarm.server_up), *(int(peer.up) for peer in peers)],
            down=[DOWN, *(int(peer.down) for peer in peers)],
        )


def point(n: int, limit: str, length: int) -> Point:
    peers = [Downloader(up=UP, down=DOWN)] * n
    if limit == "download":
        peers[0] = replace(peers[0], down=SLOW)
    return Point(Swarm(length * 8, SLOW if limit == "server" else SERVER_UP, tuple(peers)), length)


@dataclass(frozen=True)
class Run:
    """Each peer's completion time, and the bound."""

    bound: float
    completions: Sequence[float]
    cpu: float

    @property
    def time(self) -> float:
        return max(self.completions)

    @property
    def ratio(self) -> float:
        return self.time / self.bound


class ClientServer:
    """The file over HTTP."""

    def __init__(self, _arguments: argparse.Namespace) -> None:
        pass

    def bound(self, at: Point) -> float:
        return client_server_bound(at.payload_swarm).seconds

    def serve(self, network: Network, _at: Point, data: Path) -> None:
        server = network.host("server")
        process = server.start_python("peer", ["serve", data, "--bind", str(server.address), "--port", str(PORT)])
        self._url = f"http://{process.wait_ready('^ready (.*)$')[1]}/"

    def join(self, host: EmulatedHost, _number: int, data: Path) -> Process:
        options = ["--discard", "--original", data, "--trace", trace_of(host)]
        return host.start_python("peer", ["fetch", self._url, *options])


class Fluid:
    """The scheme that attains the bound."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._block = arguments.block
        self._excess = arguments.excess

    def bound(self, at: Point) -> float:
        return p2p_bound(at.payload_swarm).seconds

    def serve(self, network: Network, at: Point, data: Path) -> None:
        rates = fluid_rates(at.payload_swarm)
        server, *peers = (Address(str(network.host(name).address), PORT) for name in at.names)
        plan = Plan(
            length=at.length,
            server=server,
            peers=tuple(peers),
            relayed=tuple(rate / 8 for rate in rates.relayed),
            direct=rates.direct / 8,
            block=self._block,
            excess=self._excess,
        )
        PLAN.write_text(encode_plan(plan))
        self._start(network.host("server"), "server", data).wait_ready("^ready")

    def join(self, host: EmulatedHost, number: int, data: Path) -> Process:
        return self._start(host, str(number), data)

    @staticmethod
    def _start(host: EmulatedHost, who: str, data: Path) -> Process:
        options = ["--as", who, "--original", data, "--trace", trace_of(host)]
        return host.start_python("peer", ["relay", PLAN, *options])


def distribute(scheme: ClientServer | Fluid, at: Point) -> Run:
    FOLDER.mkdir(parents=True, exist_ok=True)
    data = FOLDER / "file.bin"
    data.write_bytes(Random(at.length).randbytes(at.length))
    bound = scheme.bound(at)
    with Network(at.topology, preload=PRELOAD) as network:
        scheme.serve(network, at, data)
        ticks, begin = cpu_ticks(), time.monotonic()
        hosts = [network.host(name) for name in at.names[1:]]
        peers = [scheme.join(host, number, data) for number, host in enumerate(hosts, 1)]
        for peer in peers:
            peer.wait_ready("^completed", timeout=5 * bound + 10)
        busy, whole = (after - before for before, after in zip(ticks, cpu_ticks(), strict=True))
        statuses = [peer.wait(10) for peer in peers]
        assert statuses == [0] * len(peers), [peer.stderr for peer in peers]
        completions = [completed_at(trace_of(host)) - begin for host in hosts]
    return Run(bound, completions, 100 * busy / whole)


def trace_of(host: EmulatedHost) -> Path:
    return FOLDER / f"{host.name}.jsonl"


def completed_at(trace: Path) -> float:
    events = map(json.loads, trace.read_text().splitlines())
    return next(float(event["t"]) for event in events if event["event"] == "completed")


def cpu_ticks() -> tuple[int, int]:
    """Return the machine's clock ticks so far: busy ones, and all."""
    user, nice, system, idle, iowait, *rest = map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:])
    busy = user + nice + system + sum(rest[:3])
    return busy, busy + idle + iowait


def row(n: int, limit: str, runs: Sequence[Run]) -> list[object]:
    ratios, cpu = [run.ratio for run in runs], [run.cpu for run in runs]
    middle = statistics.median(statistics.median(run.completions) / run.bound for run in runs)
    return [n, limit, f"{runs[0].bound:.2f}", spread(ratios, 3), f"{middle:.3f}", spread(cpu, 0)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scheme", choices=SCHEMES)
    parser.add_argument("--n", type=int, nargs="+", default=[5, 10, 20], help="numbers of peers")
    parser.add_argument("--limit", nargs="+", choices=LIMITS, default=LIMITS, help="regimes of the fluid scheme")
    parser.add_argument("--mib", type=float, default=32, help="length of the file in MiB")
    parser.add_argument("--repeat", type=int, default=1, help="number of runs")
    parser.add_argument("--block", type=int, default=USUAL_BLOCK, help="block size of the fluid scheme in bytes")
    parser.add_argument("--excess", type=float, default=USUAL_EXCESS, help="excess rate of the fluid scheme's server")
    arguments = parser.parse_args()
    limits = arguments.limit if arguments.scheme == "fluid" else ["-"]
    rows = []
    for n in arguments.n:
        for limit in limits:
            runs = []
            for _ in range(arguments.repeat):
                at = point(n, limit, int(arguments.mib * MIB))
                runs.append(sandbox.run(lambda: distribute(SCHEMES[arguments.scheme](arguments), at)))  # noqa: B023
                run = runs[-1]
                log(f"N = {n}, {limit}: {run.time:.2f} s, {run.ratio:.3f} times the bound, CPU {run.cpu:.0f} %")
            rows.append(row(n, limit, runs))
    print(markdown(["N", "limit", "bound, s", "time / bound", "median peer's", "CPU, %"], rows))


SCHEMES: dict[str, type[ClientServer] | type[Fluid]] = {"client-server": ClientServer, "fluid": Fluid}


if __name__ == "__main__":
    main()
