"""What searches cost as the number of nodes grows, in virtual time, beside laws and beside a run on real sockets.

    .venv/bin/python -m benchmarks.overlays.scale --n 100 300 1000 --output /tmp/scale
    .venv/bin/python -m benchmarks.overlays.scale --n 100000 --overlay chord kademlia --repeat 2 --output /tmp/scale
    .venv/bin/python -m benchmarks.overlays.scale --n 1000 --emulated RUN --output /tmp/scale

Nodes are those of the node program. Up to --joined-to nodes they join one after the other, as in
experiments/who-has-it.yaml, but with more time to form (planned.py); from --given-from on their tables are filled at
once (given.py). Sizes in both ranges are measured both ways. With --emulated, the valid trials of a run of that
experiment are points, too, and each is performed again in virtual time; how far the two are apart is printed.

scale.csv and scale.svg are written to the output folder. Rows of a scale.csv that is there are kept, but for those of
the kinds that are measured again.

overlay    chord-2001 is Chord with fingers alone; in chord a node looks at its successors, too, which is the default
start      joined, given, or replayed: a trial of the run, performed again
of         networks
hops, messages    of a search: means over networks, of means over searches; with half of Student's 95 % interval
law        see docs/find/scale.md; and how far the mean is from it
contacts   nodes that the median node would send to
entries    all that the median node keeps of others, with what it stores for them; most: of the node that keeps most
busiest    of all messages, those that the busiest node sent or received
"""

import argparse
import gc
from collections.abc import Iterator, Sequence
from math import isnan
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import process_time

from benchmarks.clients import log, markdown
from benchmarks.overlays.scale.drawing import draw, save
from benchmarks.overlays.scale.given import FLOODS, GIVEN_WORLDS, Size
from benchmarks.overlays.scale.measured import HEADER, differences, pairs_of
from benchmarks.overlays.scale.planned import addresses_by_place, joining_trial, planned_point
from benchmarks.overlays.scale.points import GIVEN, JOINED, VIRTUAL, Point, Row, read_rows, rows_of, write_rows
from testbed.errors import ExplainedError

MOST_FLOODED = 10_000
"""Servents: beyond, a flood of TTL 7 reaches the same few thousand."""
JOINING = ("napster", "gnutella", "chord", "kademlia")
TABLE = [
    *("overlay", "N", "engine", "start", "of", "success", "hops", "law", "", "messages", "law", ""),
    *("contacts", "law", "entries", "most", "busiest"),
]


def joined_point(overlay: str, size: Size) -> Point:
    searches = size.searches // FLOODS if overlay == "gnutella" else size.searches
    trial = joining_trial(overlay, size.n, searches, size.seed)
    return planned_point(trial, addresses_by_place(trial), VIRTUAL, JOINED)


def networks(chosen: argparse.Namespace) -> Iterator[tuple[str, str, Size]]:
    """Yield the overlay, the start and the size of each network that was asked for, the small ones first."""
    for n in sorted(chosen.n):
        for overlay in chosen.overlay:
            if overlay == "gnutella" and n > MOST_FLOODED:
                log(f"gnutella: no flood among {n} servents, {MOST_FLOODED} at most")
                continue
            for start in starts(overlay, n, chosen):
                sizes = [Size(n, chosen.searches, chosen.seed + number) for number in range(chosen.repeat)]
                yield from ((overlay, start, size) for size in sizes)


def measured(overlay: str, start: str, size: Size) -> Point:
    """Measure one network, and throw it away."""
    began = process_time()
    point = joined_point(overlay, size) if start == JOINED else GIVEN_WORLDS[overlay](size)
    gc.collect()
    memory = getrusage(RUSAGE_SELF).ru_maxrss / 1e6
    spent = f"{process_time() - began:.1f} s of CPU, {memory:.1f} GB at most so far"
    log(f"{overlay} {size.n} {start}, seed {size.seed}: {spent}")
    return point


def starts(overlay: str, n: int, chosen: argparse.Namespace) -> list[str]:
    """Return how a network of this size comes about."""
    joins = n <= chosen.joined_to and overlay in JOINING
    return [start for start, is_used in ((JOINED, joins), (GIVEN, n >= chosen.given_from)) if is_used]


def table_of(rows: Sequence[Row]) -> str:
    return markdown(TABLE, [_cells(row) for row in rows])


def _cells(row: Row) -> list[object]:
    def beside_law(what: str, digits: int) -> list[str]:
        law = getattr(row, f"{what}_law")
        if isnan(law):
            return ["", ""]
        return [f"{law:,.{digits}f}", f"{row.differs(what):+.1%}"]

    reach = "" if isnan(row.hops_low) else f" ± {(row.hops_high - row.hops_low) / 2:.2f}"
    return [
        row.overlay, f"{row.n:,}", row.engine, row.start, row.networks, f"{row.success:.1%}",
        f"{row.hops:.2f}{reach}", *beside_law("hops", 2), f"{row.messages:,.1f}", *beside_law("messages", 1),
        f"{row.contacts:.0f}", beside_law("contacts", 0)[0], f"{row.entries:.0f}", f"{row.most_entries:,.0f}",
        f"{row.busiest_share:.1%}",
    ]  # fmt: skip


def merged(before: Sequence[Row], rows: Sequence[Row]) -> list[Row]:
    """Return all rows in order; new ones take the place of those of their kind."""
    by_kind = {(row.overlay, row.n, row.engine, row.start): row for row in (*before, *rows)}
    return [by_kind[kind] for kind in sorted(by_kind)]


def add_to(file: Path, points: Sequence[Point]) -> list[Row]:
    """Add what was measured to the rows of a file; returns all of them."""
    rows = merged(read_rows(file) if file.exists() else [], list(rows_of(points)))
    write_rows(rows, file)
    return rows


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; with --emulated, the points of that run are among what was chosen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", nargs="*", type=int, default=[100, 300, 1_000], help="numbers of nodes")
    parser.add_argument("--overlay", nargs="+", choices=list(GIVEN_WORLDS), default=list(GIVEN_WORLDS))
    parser.add_argument("--repeat", type=int, default=3, help="networks of each kind")
    parser.add_argument("--searches", type=int, default=1_000, help="in each network; a twentieth by floods")
    parser.add_argument("--joined-to", type=int, default=1_000, metavar="N", help="the greatest network that joins")
    parser.add_argument("--given-from", type=int, default=100, metavar="N", help="the smallest with given tables")
    parser.add_argument("--emulated", type=Path, metavar="RUN", help="the folder of a run of who-has-it.yaml")
    parser.add_argument("--with-suspect", action="store_true", help="use suspect trials of that run, too")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER")
    chosen = parser.parse_args(arguments)
    if any(n < 20 for n in chosen.n):
        parser.error("--n: expected 20 nodes at least")
    chosen.pairs = []
    if chosen.emulated is not None:
        try:
            chosen.pairs = list(pairs_of(chosen.emulated, with_suspect=chosen.with_suspect))
        except ExplainedError as error:
            parser.error(f"--emulated: {error}")
    return chosen


def main(arguments: Sequence[str] | None = None) -> None:
    chosen = parsed(arguments)
    chosen.output.mkdir(parents=True, exist_ok=True)
    file, points = chosen.output / "scale.csv", [point for pair in chosen.pairs for point in pair]
    rows = add_to(file, points)
    for overlay, start, size in networks(chosen):
        points.append(measured(overlay, start, size))
        rows = add_to(file, points)  # a long measurement that is interrupted leaves what it has
    save(draw(rows), file.with_suffix(".svg"))
    print(table_of(rows))
    if chosen.pairs:
        print()
        print(markdown(HEADER, [each.cells() for each in differences(chosen.pairs)]))


if __name__ == "__main__":
    gc.disable()  # nothing is garbage as long as its network is there
    main()
