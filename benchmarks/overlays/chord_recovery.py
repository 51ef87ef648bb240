"""How Chord mends after a mass failure, in virtual time, by stabilisation about every 30 s.

    .venv/bin/python -m benchmarks.overlays.chord_recovery --n 300 --failed 0.3

A part of a perfect ring ends without a word. Then the nodes that live do their rounds, and at each time some search.

after       seconds since the failure
wrong       nodes whose first successor is not the next node that lives, and fingers that are not the right ones
timeouts    dead nodes met by a search
found       of searches for keys that three nodes kept
upkeep      messages a second that a node sent for the ring since the row above
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import mean

from benchmarks.clients import markdown
from contract.overlay_events import UPKEEP, SearchEnded
from peer.overlays.chord.parameters import Parameters
from peer.overlays.content import key_of
from peer.overlays.parts.packing import pack_address
from peer.simulation.overlays.rings import Order, Ring

HEAD = ["after", "wrong successors", "wrong fingers", "hops", "timeouts", "found", "upkeep"]
TIMES = (0.0, 15.0, 30.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0)


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one time, and the searches that began then."""

    after: float
    wrong: tuple[int, int]
    upkeep: float
    searches: set[str]

    def row(self, ends: Sequence[SearchEnded]) -> list[object]:
        """Return a row of the table, when all searches have ended."""
        its_ends = [end for end in ends if end.search in self.searches]
        hops, timeouts = (mean(values) for values in zip(*((e.hops or 0, e.timeouts) for e in its_ends), strict=True))
        found = mean(end.outcome == "found" for end in its_ends)
        return [
            f"{self.after:.0f}",
            *self.wrong,
            f"{hops:.2f}",
            f"{timeouts:.2f}",
            f"{found:.3f}",
            f"{self.upkeep:.2f}",
        ]


def look(ring: Ring, names: list[str], after: float, waited: float) -> Look:
    """Look at the ring, and begin to search."""
    order = Order(ring.alive)
    upkeep = ring.network.ledger.by_search[UPKEEP]
    rate = upkeep.messages / len(ring.alive) / waited if waited else 0.0
    upkeep.messages = 0
    searches = {ring.search(ring.random.choice(ring.alive), name) for name in names}
    return Look(after, (order.wrong_successors(), order.wrong_fingers()), rate, searches)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--failed", type=float, default=0.3)
    parser.add_argument("--searches", type=int, default=100, help="at each time")
    chosen = parser.parse_args(arguments)
    ring = Ring(Parameters(), Random(1))
    ring.build(chosen.n)
    names = [f"item {number}" for number in range(chosen.searches)]
    ring.keep({key_of(name): [pack_address(ring.places[0].address)] for name in names})
    ring.run_for(60.0)
    for place in ring.random.sample(ring.places, round(chosen.failed * chosen.n)):
        ring.network.kill(place)
    looks = _looks(ring, names)
    ring.run_for(100.0)
    print(markdown(HEAD, [seen.row(ring.ends()) for seen in looks]))


def _looks(ring: Ring, names: list[str]) -> list[Look]:
    failed_at, before, looks = ring.network.agenda.now, 0.0, []
    for after in TIMES:
        ring.network.run(failed_at + after)
        looks.append(look(ring, names, after, after - before))
        before = after
    return looks


if __name__ == "__main__":
    main()
