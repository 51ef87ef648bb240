"""What a search costs in the DHT of BitTorrent, in virtual time, beside what theory says.

    .venv/bin/python -m benchmarks.overlays.kademlia --n 1000 10000 --searches 1000
    .venv/bin/python -m benchmarks.overlays.kademlia --n 100000 --tables oracle
    .venv/bin/python -m benchmarks.overlays.kademlia --n 1000 --constants paper

Every latency is 50 ms. Nodes join one after the other, 50 a second, and their tables are refreshed once (15 minutes).
With `--tables oracle`, nobody joins: each node is given k drawn nodes for each bucket of its table, at once. Only that
part is not the protocol; it is for sizes whose joining would take hours. Then as many items as there are searches are
announced by drawn nodes, and looked for by other drawn nodes.

hops        questions from the first node to the one that had the values, mean and 95 % quantile
messages    questions and answers of one search; bytes without headers
found       searches that ended with the holder that announced the item
entries     nodes in a table
joining     messages of upkeep a node, until the searches begin
law, +- %   of hops, entries and messages: benchmarks/overlays/kademlia_law.py, and how far the measurement is from it
CPU s       of this process, with building the network
"""

import argparse
import gc
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import mean

from benchmarks.clients import log, markdown
from benchmarks.overlays import kademlia_law
from contract.overlay_events import UPKEEP, AnswerCame, SearchEnded
from peer.net.address import Address
from peer.overlays.content import Item, Wanted
from peer.overlays.kademlia import wire
from peer.overlays.kademlia.ids import BITS, shared_bits
from peer.overlays.kademlia.node import KademliaNode
from peer.overlays.kademlia.parameters import DEFAULT, PAPER, Parameters
from peer.simulation.overlays.network import OverlayNetwork, Place

LATENCY = 0.05
JOINS_A_SECOND = 50
SPREAD = 60.0
"""Seconds over which announcements and searches are spread."""
REST = 60.0

Spot = Place[KademliaNode]


@dataclass(frozen=True)
class Result:
    """What was measured at one size."""

    n: int
    hops: list[int]
    messages: float
    size: float
    found: float
    entries: float
    joining: float
    cpu: float


class Trial:
    """One network."""

    def __init__(self, n: int, parameters: Parameters, seed: int) -> None:
        self.parameters = parameters
        self.rng = Random(seed)
        self.network: OverlayNetwork[KademliaNode] = OverlayNetwork(wire.size, lambda _from, _to: LATENCY)
        self.spots = [self._spot(number) for number in range(n)]

    def _spot(self, number: int) -> Spot:
        spot: Spot = Place(Address(f"198.{18 + number // 65_536}.{number // 256 % 256}.{number % 256}", 6881))
        known = []
        if number and not self._is_given_tables:
            other = self.rng.randrange(number)
            known = [Address(f"198.{18 + other // 65_536}.{other // 256 % 256}.{other % 256}", 6881)]
        rng = Random(self.rng.random())
        node = KademliaNode(spot.address, rng=rng, record=spot.record, known=known, parameters=self.parameters)
        return self.network.add(spot, node)

    _is_given_tables = False

    def join(self) -> None:
        """Let nodes join one after the other, and refresh their tables once."""
        for number, spot in enumerate(self.spots):
            self._at(number / JOINS_A_SECOND, spot, KademliaNode.start)
        self.network.run(len(self.spots) / JOINS_A_SECOND + self.parameters.refresh_after + REST)

    def _at(self, when: float, spot: Spot, give: object) -> None:
        self.network.agenda.call_at(when, lambda: self.network.input_to(spot, give))  # type: ignore[arg-type]

    def share_and_search(self, count: int) -> list[SearchEnded]:
        """Announce items, then search each of them once."""
        start = self.network.agenda.now
        holders = [self.rng.choice(self.spots) for _ in range(count)]
        for number, spot in enumerate(holders):
            when = start + SPREAD * number / count
            item = Item(f"item {number}")
            self._at(when, spot, lambda node, now, item=item: (node.share(item, now), node.tick(now)))
        self.network.run(start + SPREAD + REST)
        start = self.network.agenda.now
        for number in range(count):
            spot = self.rng.choice([each for each in self.rng.sample(self.spots, 2) if each is not holders[number]])
            wanted = Wanted(f"item {number}")
            self._at(
                start + SPREAD * number / count,
                spot,
                lambda node, now, name=f"{number:032x}", wanted=wanted: node.search(name, wanted, now),
            )
        self.network.run(start + SPREAD + REST)
        return self._ends(holders)

    def _ends(self, holders: Sequence[Spot]) -> list[SearchEnded]:
        """Return how searches ended; one that did not find its holder counts as not found, whatever it says."""
        events = [event for spot in self.spots for _, event in spot.events]
        right = {
            event.search
            for event in events
            if isinstance(event, AnswerCame) and event.holder == str(holders[int(event.search, 16)].address)
        }
        ends = [event for event in events if isinstance(event, SearchEnded)]
        assert all((end.outcome == "found") == (end.search in right) for end in ends)
        return ends


class GivenTrial(Trial):
    """One network whose tables are given."""

    _is_given_tables = True

    def join(self) -> None:
        """Give each node its table."""
        infos = sorted(spot.node.table.own for spot in self.spots)
        ids = [info.id for info in infos]
        for spot in self.spots:
            self.network.input_to(spot, KademliaNode.start)
            own, at = spot.node.table.own.id, spot.node.table
            low, high = 0, len(ids)
            for bits in range(BITS):
                if high - low <= 1:
                    break
                middle = bisect_left(ids, _upper_half(own, bits), low, high)
                ours_is_upper = own >= _upper_half(own, bits)
                others = range(low, middle) if ours_is_upper else range(middle, high)
                for index in self.rng.sample(others, min(len(others), self.parameters.k)):
                    assert shared_bits(own, ids[index]) == bits
                    at.answered(infos[index], 0.0)
                low, high = (middle, high) if ours_is_upper else (low, middle)


def _upper_half(own: int, bits: int) -> int:
    """Return the first id of the upper half of the ids that share so many bits with ours."""
    rest = BITS - bits - 1
    return (own >> (rest + 1) << 1 | 1) << rest


def measure(n: int, searches: int, parameters: Parameters, *, is_given: bool, seed: int) -> Result:
    """Build a network and search in it."""
    began = time.process_time()
    trial = (GivenTrial if is_given else Trial)(n, parameters, seed)
    trial.join()
    joining = trial.network.ledger.by_search[UPKEEP].messages / n
    entries = mean(len(spot.node.table) for spot in trial.spots)
    log(f"{n} nodes have joined: {time.process_time() - began:.0f} s of CPU")
    ends = trial.share_and_search(searches)
    spent = [trial.network.ledger.by_search[end.search] for end in ends]
    return Result(
        n,
        sorted(end.hops for end in ends if end.hops is not None),
        mean(each.messages for each in spent),
        mean(each.bytes for each in spent),
        sum(end.outcome == "found" for end in ends) / searches,
        entries,
        joining,
        time.process_time() - began,
    )


def row(result: Result, parameters: Parameters) -> list[object]:
    n, k, alpha = result.n, parameters.k, parameters.alpha
    hops = mean(result.hops)
    law = kademlia_law.hops(n, k, alpha)
    entries = kademlia_law.entries(n, k)
    messages = kademlia_law.messages(k, alpha, hops, ends_at_values=parameters.ends_at_values)
    return [
        n,
        f"{hops:.2f}, {result.hops[int(0.95 * (len(result.hops) - 1))]}",
        f"{law:.2f} ({100 * (hops / law - 1):+.0f} %)",
        f"{result.messages:.1f}",
        f"{messages:.1f} ({100 * (result.messages / messages - 1):+.0f} %)",
        f"{result.size:.0f}",
        f"{100 * result.found:.1f} %",
        f"{result.entries:.1f}",
        f"{entries:.1f} ({100 * (result.entries / entries - 1):+.0f} %)",
        f"{result.joining:.0f}",
        f"{result.cpu:.0f}",
    ]


HEADER = [
    "N",
    "hops, 95 %",
    "law",
    "messages",
    "law",
    "bytes",
    "found",
    "entries",
    "law",
    "joining",
    "CPU s",
]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", nargs="+", type=int, default=[1000, 10_000], help="numbers of nodes")
    parser.add_argument("--searches", type=int, default=1000)
    parser.add_argument("--tables", choices=["joined", "oracle"], default="joined", help="how tables come about")
    parser.add_argument("--constants", choices=["bep5", "paper"], default="bep5")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    parameters = PAPER if chosen.constants == "paper" else DEFAULT
    gc.disable()  # a network is thrown away whole, and has no garbage before
    rows = []
    for n in chosen.n:
        result = measure(n, chosen.searches, parameters, is_given=chosen.tables == "oracle", seed=chosen.seed)
        rows.append(row(result, parameters))
        gc.collect()
    print(markdown(HEADER, rows))


if __name__ == "__main__":
    main()
