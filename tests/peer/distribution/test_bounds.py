"""On shaped links both schemes take the time of the bound, and not much more."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from peer.distribution.fluid.plan import Plan, encode_plan
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
from tests.peer.distribution.programs import random_file
from topologies.star import Star

pytestmark = pytest.mark.kernel

FOLDER = Path("/run/distribution")
FILE, PLAN = FOLDER / "file.bin", FOLDER / "plan.json"
PRELOAD = (
    "peer.cli.main",
    "peer.cli.serve",
    "peer.cli.fetch",
    "peer.cli.relay",
)
LENGTH = 1 << 20
PORT = 7000
MEGA = 1_000_000

Serve = Callable[[Network], object]
Join = Callable[[EmulatedHost, int], Process]


def distribute(swarm: Swarm, serve: Serve, join: Join) -> float:
    """Return the seconds from the start of the peers to the last one's completion, by their traces."""
    names = ["server", *(f"h{number}" for number in range(1, len(swarm.peers) + 1))]
    topology = Star(
        n=len(names),
        names=names,
        up=[int(swarm.server_up), *(int(peer.up) for peer in swarm.peers)],
        down=[24 * MEGA, *(int(peer.down) for peer in swarm.peers)],
    )
    FOLDER.mkdir()
    random_file(FILE, LENGTH)
    with Network(topology, preload=PRELOAD) as network:
        serve(network)
        hosts = [network.host(name) for name in names[1:]]
        begin = time.monotonic()
        peers = [join(host, number) for number, host in enumerate(hosts, 1)]
        assert [peer.wait(60) for peer in peers] == [0] * len(peers), [peer.stderr for peer in peers]
        return max(completed_at(trace_of(host)) for host in hosts) - begin


def trace_of(host: EmulatedHost) -> Path:
    return FOLDER / f"{host.name}.jsonl"


def completed_at(trace: Path) -> float:
    events = map(json.loads, trace.read_text().splitlines())
    return float(next(event["t"] for event in events if event["event"] == "completed"))


def swarm(peers: list[Downloader]) -> Swarm:
    return Swarm(LENGTH * 8, 16 * MEGA, tuple(peers))


def test_client_server_attains_bound() -> None:
    def serve(network: Network) -> None:
        server = network.host("server")
        options = ["--bind", str(server.address), "--port", str(PORT)]
        server.start_python("peer", ["serve", FILE, *options]).wait_ready("^ready")

    def join(host: EmulatedHost, _number: int) -> Process:
        options = ["--discard", "--original", FILE, "--trace", trace_of(host)]
        return host.start_python("peer", ["fetch", f"http://198.18.0.5:{PORT}/", *options])

    at = swarm([Downloader(up=8 * MEGA, down=24 * MEGA)] * 4)
    seconds = sandbox.run(lambda: distribute(at, serve, join))
    assert seconds / client_server_bound(at.in_payload(payload_share())).seconds == pytest.approx(1.03, abs=0.04)


@pytest.mark.parametrize(
    ("server_up", "slow_down", "limit"),
    [(16, 24, "uploads"), (3, 24, "server"), (16, 4, "download")],
)
def test_fluid_scheme_attains_bound(server_up: int, slow_down: int, limit: str) -> None:
    at = Swarm(
        LENGTH * 8,
        server_up * MEGA,
        (Downloader(up=4 * MEGA, down=slow_down * MEGA), *[Downloader(up=2 * MEGA, down=24 * MEGA)] * 2),
    )
    rates = fluid_rates(at.in_payload(payload_share()))

    def start(host: EmulatedHost, who: str) -> Process:
        options = ["--as", who, "--original", FILE, "--trace", trace_of(host)]
        return host.start_python("peer", ["relay", PLAN, *options])

    def serve(network: Network) -> None:
        server, *peers = (Address(str(network.host(name).address), PORT) for name in ("server", "h1", "h2", "h3"))
        relayed = tuple(rate / 8 for rate in rates.relayed)
        PLAN.write_text(encode_plan(Plan(LENGTH, server, tuple(peers), relayed, rates.direct / 8)))
        start(network.host("server"), "server").wait_ready("^ready")

    seconds = sandbox.run(lambda: distribute(at, serve, lambda host, number: start(host, str(number))))
    bound = p2p_bound(at.in_payload(payload_share()))
    assert rates.limit == bound.limit == limit
    assert 0.99 < seconds / bound.seconds < 1.15
