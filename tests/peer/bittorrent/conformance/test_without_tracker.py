"""Torrents without a tracker: our peer and other people's clients find each other by the DHT alone.

All swarms run at once in one emulated network, and each has a DHT of its own, of the nodes of its clients: a torrent
names the node of its seed. In `met-by-port` it names none: our leech is given the seed, and learns of its node from it.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from peer.bittorrent.wire.metainfo.metainfo import Metainfo
from peer.net.address import Address
from testbed.network import EmulatedHost, Network, sandbox
from testbed.network.processes.processes import stop_all
from tests.peer.bittorrent.conformance.contents import Content, one_file
from tests.peer.programs import events, events_so_far, named
from topologies.star import Star

pytestmark = pytest.mark.kernel

HERE: Final = Path(__file__).parent
PORT: Final = 6881
DEADLINE: Final = 30.0
MEGABIT: Final = 1_000_000

MET_BY_PORT: Final = "met-by-port"
SWARMS: Final = {
    "libtorrent-from-us": ["ours", "libtorrent"],
    "us-from-libtorrent": ["libtorrent", "ours"],
    "aria2-from-us": ["ours", "aria2"],
    "us-from-aria2": ["aria2", "ours"],
    "mixed": ["ours", "ours", "libtorrent", "aria2"],
    MET_BY_PORT: ["libtorrent", "ours"],
}
"""The clients of each swarm; the first is the seed."""


@dataclass(frozen=True)
class Member:
    """A client, and what it left behind."""

    client: str
    host: str
    folder: Path
    differing: list[str]

    @property
    def trace(self) -> list[dict[str, Any]]:
        return events(self.folder / "trace")

    def __str__(self) -> str:
        return f"{self.folder}: {(self.folder / 'output.out').read_text()} {(self.folder / 'output.err').read_text()}"


class RunningSwarm:
    """A swarm in a network."""

    def __init__(self, clients: list[str], hosts: list[EmulatedHost], folder: Path) -> None:
        self.content: Final = one_file(f"{folder.name}.bin", 2 * 1024 * 1024 + 12_345, 64 * 1024)
        self._folder: Final = folder
        self._clients: Final = clients
        self._hosts: Final = hosts
        folder.mkdir()
        self._node: Final = Address(str(hosts[0].address), PORT)
        self._torrent: Final = folder / "content.torrent"
        self._is_met_by_port: Final = folder.name == MET_BY_PORT
        nodes = () if self._is_met_by_port else (self._node,)
        self._torrent.write_bytes(Metainfo(self.content.info, nodes=nodes).encode())
        self.processes = [self._start(0)]

    def start_leeches(self) -> None:
        """Start the others; those clients that tell when they listen have done so."""
        if self._clients[0] != "aria2":
            self.processes[0].wait_ready("^ready ", DEADLINE)
        self.processes += [self._start(number) for number in range(1, len(self._clients))]

    @property
    def is_over(self) -> bool:
        is_complete = not any(self.content.differing(self._data(number)) for number in range(len(self._clients)))
        return is_complete and (not self._is_met_by_port or str(self._node) in nodes_in(self._own(1) / "trace"))

    def members(self) -> list[Member]:
        return [
            Member(client, str(host.address), self._own(number), self.content.differing(self._data(number)))
            for number, (client, host) in enumerate(zip(self._clients, self._hosts, strict=True))
        ]

    def _own(self, number: int) -> Path:
        return self._folder / f"{number}-{self._clients[number]}"

    def _data(self, number: int) -> Path:
        return self._own(number) / "data"

    def _start(self, number: int) -> Any:
        host, folder = self._hosts[number], self._own(number)
        self._data(number).mkdir(parents=True)
        if not number:
            self.content.write_into(self._data(number))
        argv = COMMANDS[self._clients[number]]
        role = "leech" if number else "seed"
        command = argv(role, self._torrent, self.content, folder, Address(str(host.address), PORT), self._node)
        more = ["--peer", self._node] if number and self._is_met_by_port else []
        return host.start([*command, *more], output=folder / "output")


def nodes_in(trace: Path) -> set[str]:
    """Return the nodes of the DHT that one of ours has known so far."""
    states = named(events_so_far(trace), "node_state") if trace.exists() else []
    return {node for state in states for node in state["neighbours"]}


def ours(role: str, torrent: Path, content: Content, folder: Path, own: Address, _: Address) -> list[Any]:
    data = folder / "data"
    place = ["--data", data / content.name] if role == "seed" else ["--to", data]
    bound = ["--bind", own.host, "--port", own.port]
    return [sys.executable, "-m", "peer", role, torrent, *place, *bound, "--dht", "--trace", folder / "trace"]


def libtorrent(role: str, torrent: Path, _: Content, folder: Path, own: Address, node: Address) -> list[Any]:
    program = [sys.executable, HERE / "libtorrent_client.py", role, torrent, folder / "data"]
    known = [node] if role == "leech" else []
    return [*program, "--bind", own.host, "--port", own.port, "--log", folder / "alerts", "--dht", *known]


def aria2(_: str, torrent: Path, __: Content, folder: Path, own: Address, node: Address) -> list[Any]:
    options = {
        "interface": own.host,
        "listen-port": own.port,
        "dht-listen-port": own.port,
        "enable-dht": "true",
        "dht-entry-point": node,
        "dht-file-path": folder / "dht.dat",
        "enable-dht6": "false",
        "disable-ipv6": "true",
        "bt-enable-lpd": "false",
        "dir": folder / "data",
        "check-integrity": "true",
        "seed-ratio": "0",
        "file-allocation": "none",
        "show-console-readout": "false",
    }
    return ["aria2c", "--no-conf", *(f"--{name}={value}" for name, value in options.items()), torrent]


COMMANDS: Final = {"ours": ours, "libtorrent": libtorrent, "aria2": aria2}


def run_all(folder: Path) -> dict[str, list[Member]]:
    """Run all swarms until their content is everywhere, or the time is over."""
    count = sum(map(len, SWARMS.values()))
    with Network(Star(n=count, up=[50 * MEGABIT] * count, down=[50 * MEGABIT] * count), output=folder) as network:
        spare = iter(network.hosts)
        running = {
            name: RunningSwarm(clients, take(spare, len(clients)), folder / name) for name, clients in SWARMS.items()
        }
        for each in running.values():
            each.start_leeches()
        deadline = time.monotonic() + DEADLINE
        while not all(each.is_over for each in running.values()) and time.monotonic() < deadline:
            time.sleep(0.1)
        stop_all([process for each in running.values() for process in each.processes], 5)
        return {name: each.members() for name, each in running.items()}


def take(hosts: Iterator[EmulatedHost], count: int) -> list[EmulatedHost]:
    return [next(hosts) for _ in range(count)]


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Member]]:
    folder = tmp_path_factory.mktemp("swarms")
    return sandbox.run(lambda: run_all(folder))


@pytest.mark.parametrize("name", SWARMS)
def test_all_have_the_same_bytes(members: dict[str, list[Member]], name: str) -> None:
    for member in members[name]:
        assert member.differing == [], member


def test_a_neighbour_tells_the_port_of_its_node(members: dict[str, list[Member]]) -> None:
    theirs, ours = members[MET_BY_PORT]
    assert f"{theirs.host}:{PORT}" in nodes_in(ours.folder / "trace")


@pytest.mark.parametrize("name", SWARMS)
def test_our_peer_says_that_the_dht_told_it(members: dict[str, list[Member]], name: str) -> None:
    for member in members[name]:
        if member.client == "ours":
            announced = named(member.trace, "announced")
            assert {each["url"] for each in announced} == {"dht"}, member
