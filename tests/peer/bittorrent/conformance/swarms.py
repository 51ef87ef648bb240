"""Small swarms of our peer and other people's clients, all at once in one emulated network.

Transmission looks for peers only every ten seconds, so swarms one after the other would take minutes.
"""

import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from testbed.network import (
    EmulatedHost,
    Network,
    Process,
    ProcessError,
)
from testbed.network.processes.processes import stop_all
from tests.peer.bittorrent.conformance.contents import Content
from topologies.star import Star

HERE: Final = Path(__file__).parent
REPOSITORY: Final = Path(__file__).parents[4]
READY_SECONDS: Final = 20
COMPLETED_SECONDS: Final = 75
GOODBYE_SECONDS: Final = 10
PORT: Final = 6969
DHT_PORT: Final = 7000
DHT_NODES: Final = 12
"""Transmission asks nobody until it knows nine."""


class Client(StrEnum):
    """Which program."""

    OURS = "ours"
    OURS_PREFERRING_ENCRYPTION = "ours-encryption-prefer"
    LIBTORRENT = "libtorrent"
    LIBTORRENT_WITH_RC4 = "libtorrent-encryption-rc4"
    LIBTORRENT_WITH_HIDDEN_HANDSHAKE = "libtorrent-encryption-plaintext"
    LIBTORRENT_WITHOUT_ENCRYPTION = "libtorrent-encryption-off"
    TRANSMISSION = "transmission-encryption-allowed"
    TRANSMISSION_PREFERRING_ENCRYPTION = "transmission-encryption-preferred"
    TRANSMISSION_REQUIRING_ENCRYPTION = "transmission-encryption-required"

    @property
    def encryption(self) -> list[str]:
        """The option that says how it treats encryption."""
        _, option, choice = self.partition("-encryption-")
        return ["--encryption", choice] if option else []


OURS: Final = [Client.OURS, Client.OURS_PREFERRING_ENCRYPTION]
LIBTORRENTS: Final = [client for client in Client if client.startswith("libtorrent")]
TRANSMISSIONS: Final = [client for client in Client if client.startswith("transmission")]


class Tracker(StrEnum):
    """Which tracker, over which protocol; with none, there is the DHT."""

    OURS_HTTP = "ours-http"
    OURS_UDP = "ours-udp"
    OPENTRACKER_HTTP = "opentracker-http"
    OPENTRACKER_UDP = "opentracker-udp"
    NONE = "none"


@dataclass(frozen=True)
class Swarm:
    """The clients that share one content through one tracker."""

    name: str
    tracker: Tracker
    seeds: Sequence[Client]
    leeches: Sequence[Client]
    content: Content
    by_magnet: bool = False
    megabits: int = 50

    @property
    def size(self) -> int:
        """How many hosts it needs."""
        return len(self.seeds) + len(self.leeches)


@dataclass(frozen=True)
class Member:
    """One client of a swarm, and what it left behind when it was over."""

    client: Client
    role: str
    number: int
    host: str
    folder: Path
    status: int
    differing: Sequence[str]
    is_in_the_dht: bool

    def __str__(self) -> str:
        return f"{self.client} {self.role} {self.number}"

    @property
    def printed(self) -> list[str]:
        """Its lines on standard output."""
        return (self.folder / "output.out").read_text().splitlines()

    @property
    def stderr(self) -> str:
        """What it wrote to standard error."""
        return (self.folder / "output.err").read_text()

    def records(self, name: str) -> list[dict[str, Any]]:
        """Read a file of JSON lines: `trace`, `alerts` or `states`."""
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def lines(self, name: str) -> list[str]:
        """Read a file of text."""
        return (self.folder / name).read_text(errors="replace").splitlines()


def run_all(swarms: Sequence[Swarm], folder: Path) -> dict[str, list[Member]]:
    """Run all swarms at the same time; what their clients leave behind goes below `folder`."""
    rates = [10_000_000 * 100] * 3 + [swarm.megabits * 1_000_000 for swarm in swarms for _ in range(swarm.size)]
    with Network(Star(n=len(rates), up=rates, down=rates), output=folder / "trackers") as network:
        our_host, their_host, dht_host, *hosts = network.hosts
        trackers = start_trackers(our_host, their_host, swarms, folder)
        dht = start_dht(dht_host, swarms, folder / "dht")
        spare = iter(hosts)
        running = [
            RunningSwarm(swarm, trackers.get(swarm.tracker), spare, folder / swarm.name, dht) for swarm in swarms
        ]
        ended = iter(run_to_the_end(running))
        return {each.swarm.name: each.members(ended) for each in running}


def run_to_the_end(swarms: Sequence["RunningSwarm"]) -> list[int]:
    """Start seeds, then leeches; stop all when all have completed, and return how they ended."""
    for each in swarms:
        each.start_seeds()
    for each in swarms:
        each.start_leeches()
    deadline = time.monotonic() + COMPLETED_SECONDS
    for each in swarms:
        each.wait_until_completed(deadline)
    return stop_all([start.process for each in swarms for start in each.started], GOODBYE_SECONDS)


def start_trackers(ours: EmulatedHost, theirs: EmulatedHost, swarms: Iterable[Swarm], folder: Path) -> dict[str, str]:
    """Start our tracker and opentracker; returns where each can be asked."""
    started = ours.start([sys.executable, "-m", "peer", "tracker", "--bind", str(ours.address), "--port", str(PORT)])
    started.wait_ready("^ready ", READY_SECONDS)
    # The distribution's build serves listed torrents only, and refuses to run as root. A sandbox made by an ordinary
    # user has no other user, but a user namespace inside it can map one.
    (folder / "listed").write_text("".join(f"{swarm.content.info.info_hash.hex()}\n" for swarm in swarms))
    listen = ["-i", str(theirs.address), "-p", str(PORT), "-P", str(PORT)]
    theirs.start(["unshare", "--map-user=65534", "opentracker", *listen, "-d", folder, "-w", "listed"])
    return {
        f"{name}-{protocol}": f"{protocol}://{host.address}:{PORT}/announce"
        for name, host in (("ours", ours), ("opentracker", theirs))
        for protocol in ("http", "udp")
    }


@dataclass(frozen=True)
class Dht:
    """Nodes of ours, and the program that runs them."""

    nodes: Sequence[str]
    process: Process

    def has(self, content: Content, peer: str, deadline: float) -> bool:
        """Whether a peer is announced, which is waited for."""
        try:
            line = f"^peer {content.info.info_hash.hex()} {re.escape(peer)}:"
            self.process.wait_ready(line, max(0.0, deadline - time.monotonic()))
        except ProcessError:
            return False
        return True


def start_dht(host: EmulatedHost, swarms: Iterable[Swarm], output: Path) -> Dht:
    """Start nodes, which look for the peers of the swarms that have no tracker."""
    wanted = [swarm.content.info.info_hash.hex() for swarm in swarms if swarm.tracker is Tracker.NONE]
    nodes = [f"{host.address}:{DHT_PORT + number}" for number in range(DHT_NODES)]
    command = [sys.executable, "-m", "tests.peer.overlays.kademlia.nodes", *nodes, "--look-for", *wanted]
    started = host.start(command, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, output=output)
    started.wait_ready("^ready", READY_SECONDS)
    return Dht(nodes, started)


@dataclass(frozen=True)
class Start:
    """A client that was started."""

    client: Client
    role: str
    host: EmulatedHost
    folder: Path
    process: Process


class RunningSwarm:
    """A swarm in a network."""

    def __init__(
        self,
        swarm: Swarm,
        tracker: str | None,
        spare: Iterator[EmulatedHost],
        folder: Path,
        dht: Dht | None = None,
    ) -> None:
        """Without a tracker there is a DHT."""
        self.swarm = swarm
        self._dht = dht if tracker is None else None
        self._announced: set[str] = set()
        self.started: list[Start] = []
        self._spare = spare
        self._folder = folder
        self._folder.mkdir(parents=True)
        self._torrent = folder / f"{swarm.content.name}.torrent"
        swarm.content.write_torrent(self._torrent, tracker)
        self._magnet = swarm.content.magnet(tracker)

    def start_seeds(self) -> None:
        """Start the clients that have the whole content, and wait until they listen."""
        for client in self.swarm.seeds:
            self._start(client, "seed", str(self._torrent))
        self._wait(self.started, "^ready ", time.monotonic() + READY_SECONDS)

    def start_leeches(self) -> None:
        """Start the clients that have nothing."""
        for client in self.swarm.leeches:
            self._start(client, "leech", self._magnet if self.swarm.by_magnet else str(self._torrent))

    def wait_until_completed(self, deadline: float) -> None:
        """Wait until all leeches have completed, or the deadline has passed."""
        self._wait(self.started[len(self.swarm.seeds) :], "^completed", deadline)
        if self._dht is not None:
            hosts = [str(start.host.address) for start in self.started]
            self._announced = {host for host in hosts if self._dht.has(self.swarm.content, host, deadline)}

    def members(self, statuses: Iterator[int]) -> list[Member]:
        """Return what each client left behind; `statuses` are their exit statuses in the order of starting."""
        return [
            Member(
                start.client,
                start.role,
                number,
                str(start.host.address),
                start.folder,
                next(statuses),
                self.swarm.content.differing(start.folder / "data"),
                str(start.host.address) in self._announced,
            )
            for number, start in enumerate(self.started)
        ]

    @staticmethod
    def _wait(started: Iterable[Start], line: str, deadline: float) -> None:
        """Wait for a line of each; one that does not print it fails its own tests, and does not spoil other swarms."""
        for start in started:
            with suppress(ProcessError):
                start.process.wait_ready(line, max(0.0, deadline - time.monotonic()))

    def _start(self, client: Client, role: str, torrent: str) -> None:
        host = next(self._spare)
        folder = self._folder / f"{len(self.started)}-{client}-{role}"
        (folder / "data").mkdir(parents=True)
        if role == "seed":
            self.swarm.content.write_into(folder / "data")
        nodes = self._dht.nodes if self._dht else []
        argv = command_line(client, role, torrent, self.swarm.content.name, folder, nodes=nodes)
        process = host.start([*argv, "--bind", str(host.address)], output=folder / "output")
        self.started.append(Start(client, role, host, folder, process))


def command_line(
    client: Client, role: str, torrent: str, name: str, folder: Path, *, nodes: Sequence[str] = ()
) -> list[str | Path]:
    """Return the command line that makes this client seed or leech; `nodes` are those of the DHT to join by."""
    data = folder / "data"
    if client in OURS:
        place: list[str | Path] = ["--data", data / name] if role == "seed" else ["--to", data]
        trace = ["--trace", folder / "trace", "--level", "full"]
        known = [word for node in nodes[:1] for word in ("--dht-node", node)]
        return [sys.executable, "-m", "peer", role, torrent, *place, *trace, *client.encryption, *known]
    program, log = ("libtorrent", ("--log", "alerts")) if client in LIBTORRENTS else ("transmission", ("--home", ""))
    known = [word for node in nodes for word in ("--dht", node)]
    options = [log[0], folder / log[1], *client.encryption, *known]
    return [sys.executable, HERE / f"{program}_client.py", role, torrent, data, *options]
