"""Chord beside its laws, in virtual time: hops, messages, bytes, entries; and lookups right after a mass failure.

    .venv/bin/python -m benchmarks.overlays.chord --n 1000 10000 --searches 1000
    .venv/bin/python -m benchmarks.overlays.chord --n 1000 --searches 2000 --failed 0 0.1 0.3 0.5 --successors 20

The ring is perfect from the start, and stays so: an oracle fills the tables, so all messages are those of searches.
Then a fraction of the nodes ends without a word, and the searches begin at once. Each key is stored once, as in the
paper's experiment, so what its own node took with it cannot be found.

hops        nodes asked on the way, without the one that stores the key; 95 % of searches made at most so many
law         of hops: (1/2) log2 N with fingers alone (2001); with the successor list (1/2) log2 (N / r) + 1 (2003)
found       of all searches; its law is one less the fraction that failed
timeouts    dead nodes met by a search
fingers     that differ, of a node that lives; beside log2 N
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log2
from random import Random
from statistics import mean
from time import process_time

from benchmarks.clients import markdown
from contract.overlay_events import SearchEnded
from peer.overlays.chord.parameters import Parameters
from peer.overlays.content import key_of
from peer.overlays.parts.packing import pack_address
from peer.simulation.overlays.ledger import Traffic
from peer.simulation.overlays.rings import WITHOUT_UPKEEP, Ring

HEAD = ["N", "way", "failed", "hops", "95 %", "law", "diff", "messages", "bytes", "found", "law", "timeouts", "fingers",
        "log2 N", "entries", "CPU s"]  # fmt: skip
WAYS = {
    "2001": {"routes_by_successors": False},
    "2003": {"routes_by_successors": True},
    "recursive": {"is_recursive": True},
}


@dataclass(frozen=True, slots=True)
class Run:
    """What the searches in one ring cost, and how they ended."""

    ends: list[SearchEnded]
    costs: list[Traffic]
    fingers: float
    entries: float


def search(ring: Ring, n: int, failed: float, searches: int) -> Run:
    """Search in one ring, right after some of its nodes failed."""
    ring.build(n)
    holder = [pack_address(ring.places[0].address)]
    names = [f"item {number}" for number in range(searches)]
    ring.keep({key_of(name): holder for name in names})
    fingers = mean(len(set(place.node.table.fingers.values())) + 1 for place in ring.places)
    for place in ring.random.sample(ring.places, round(failed * n)):
        ring.network.kill(place)
    alive = ring.alive
    costs = [ring.network.ledger.by_search[ring.search(ring.random.choice(alive), name)] for name in names]
    ring.run_for(1_000.0)
    return Run(ring.ends(), costs, fingers, mean(place.node.entries for place in alive))


def measure(n: int, way: str, failed: float, *, searches: int, rings: int, successors: int, seed: int) -> list[object]:
    """Search in some rings; returns a row of the table."""
    began = process_time()
    parameters = replace(Parameters(**WITHOUT_UPKEEP), replicas=1, successors=successors, **WAYS[way])  # type: ignore[arg-type]
    runs = [search(Ring(parameters, Random(seed + number)), n, failed, searches // rings) for number in range(rings)]
    ends = [end for run in runs for end in run.ends]
    costs = [cost for run in runs for cost in run.costs]
    hops = sorted(end.hops for end in ends if end.hops is not None)
    law = log2(n) / 2 if way == "2001" else log2(n / successors) / 2 + 1
    found = mean(end.outcome == "found" for end in ends)
    return [
        n, way, failed, f"{mean(hops):.3f}", hops[len(hops) * 95 // 100], f"{law:.3f}", f"{mean(hops) / law - 1:+.1%}",
        f"{mean(cost.messages for cost in costs):.1f}", f"{mean(cost.bytes for cost in costs):.0f}",
        f"{found:.3f}", f"{1 - failed:.3f}", f"{mean(end.timeouts for end in ends):.2f}",
        f"{mean(run.fingers for run in runs):.1f}", f"{log2(n):.1f}", f"{mean(run.entries for run in runs):.1f}",
        f"{process_time() - began:.1f}",
    ]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", nargs="+", type=int, default=[1_000, 10_000], help="numbers of nodes")
    parser.add_argument("--searches", type=int, default=1_000)
    parser.add_argument("--way", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--failed", nargs="+", type=float, default=[0.0], help="fractions of nodes that fail at once")
    parser.add_argument("--rings", type=int, default=1, help="over how many rings the searches are spread")
    parser.add_argument("--successors", type=int, default=16, help="the length r of successor lists")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    rows = [
        measure(
            n, way, failed, searches=chosen.searches, rings=chosen.rings, successors=chosen.successors, seed=chosen.seed
        )
        for n in chosen.n
        for way in chosen.way
        for failed in chosen.failed
    ]
    print(markdown(HEAD, rows))


if __name__ == "__main__":
    main()
