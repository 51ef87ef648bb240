"""Two of our peers end in order: no connection is reset, and what one counted as sent the other could read."""

from pathlib import Path
from random import Random
from typing import Final

import pytest

from peer.bittorrent.client.torrent_maker import Order, create
from testbed.network import EmulatedHost, Network, Process, sandbox
from testbed.network.kernel.syscalls import inside_network_namespace
from testbed.network.processes.processes import stop_all
from tests.peer.programs import events, events_so_far, named, wait_until
from topologies.star import Star

pytestmark = pytest.mark.kernel

BLOCK: Final = 16 << 10
PIECE: Final = 64 << 10
LENGTH: Final = 200 * PIECE
BITS: Final = 20_000_000
LEECHES: Final = 3
GOODBYE: Final = 5.0


@pytest.fixture
def torrent(tmp_path: Path) -> Path:
    made = tmp_path / "data.torrent"
    (tmp_path / "data").write_bytes(Random(1).randbytes(LENGTH))
    create(Order(source=tmp_path / "data", piece_length=PIECE), made)
    return made


class Swarm:
    """A seed and leeches that dial it and one another, in one emulated network."""

    def __init__(self, network: Network, torrent: Path, *options: object) -> None:
        self.hosts: list[EmulatedHost] = [network.host(f"h{number}") for number in range(1, LEECHES + 2)]
        self.traces = [torrent.with_name(f"{host.name}.jsonl") for host in self.hosts]
        seed = self._start(0, "seed", torrent, "--data", torrent.with_name("data"))
        self.programs = [seed]
        for number in range(1, LEECHES + 1):
            peers = [word for other in self.hosts[:number] for word in ("--peer", f"{other.address}:6881")]
            self.programs.append(self._start(number, "leech", torrent, "--storage", "memory", *peers, *options))

    def _start(self, number: int, *words: object) -> Process:
        where = ("--bind", self.hosts[number].address, "--trace", self.traces[number], "--level", "pieces")
        program = self.hosts[number].start_python("peer", [str(word) for word in (*words, *where)])
        program.wait_ready("^ready")
        return program

    def resets(self) -> list[int]:
        """How many resets each host has sent."""
        return [resets_of(host) for host in self.hosts]


def resets_of(host: EmulatedHost) -> int:
    with inside_network_namespace(host.namespace):
        lines = Path("/proc/thread-self/net/snmp").read_text().splitlines()
    names, values = (line.split()[1:] for line in lines if line.startswith("Tcp:"))
    return int(dict(zip(names, values, strict=True))["OutRsts"])


def test_all_asked_to_end_in_mid_transfer_reset_nothing(torrent: Path) -> None:
    def body() -> list[int]:
        with Network(Star(n=LEECHES + 1, up=BITS, down=BITS)) as network:
            swarm = Swarm(network, torrent)
            wait_until(lambda: all(len(named(events_so_far(each), "piece_completed")) > 5 for each in swarm.traces[1:]))
            assert stop_all(swarm.programs, GOODBYE) == [0] * (LEECHES + 1)
            return swarm.resets()

    assert sandbox.run(body) == [0] * (LEECHES + 1)


def test_one_that_leaves_in_mid_transfer_resets_nothing(torrent: Path) -> None:
    def body() -> list[int]:
        with Network(Star(n=LEECHES + 1, up=BITS, down=BITS)) as network:
            swarm = Swarm(network, torrent)
            wait_until(lambda: all(len(named(events_so_far(each), "piece_completed")) > 5 for each in swarm.traces[1:]))
            for program in swarm.programs:
                assert stop_all([program], GOODBYE) == [0]
            return swarm.resets()

    assert sandbox.run(body) == [0] * (LEECHES + 1)


def test_what_a_leaving_seed_counted_as_sent_arrives(torrent: Path) -> None:
    """The block that has begun is sent to its end, though it counts no more: so one block more may arrive."""

    def body() -> None:
        with Network(Star(n=LEECHES + 1, up=BITS, down=BITS)) as network:
            swarm = Swarm(network, torrent)
            wait_until(lambda: all(len(named(events_so_far(each), "piece_completed")) > 5 for each in swarm.traces[1:]))
            assert stop_all(swarm.programs[:1], GOODBYE) == [0]
            assert stop_all(swarm.programs[1:], GOODBYE) == [0] * LEECHES

    sandbox.run(body)
    seed, *leeches = (events(torrent.with_name(f"h{number}.jsonl")) for number in range(1, LEECHES + 2))
    sent = {each["address"].partition(":")[0]: 0 for each in named(seed, "connected")}
    hosts = {each["neighbour"]: each["address"].partition(":")[0] for each in named(seed, "connected")}
    for each in named(seed, "disconnected"):
        sent[hosts[each["neighbour"]]] += each["sent"]
    for number, leech in enumerate(leeches):
        (theirs,) = (each["neighbour"] for each in named(leech, "connected") if each["address"] == "198.18.0.1:6881")
        (received,) = (each["received"] for each in named(leech, "disconnected") if each["neighbour"] == theirs)
        assert received - list(sent.values())[number] in {0, BLOCK}
