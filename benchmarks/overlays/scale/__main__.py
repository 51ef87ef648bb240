"""What searches cost as the number of nodes grows, in virtual time, beside laws and beside a run on real sockets.

    .venv/bin/python -m benchmarks.overlays.scale --n 100 300 1000 --output /tmp/scale
    .venv/bin/python -m benchmarks.overlays.scale --n 100000 --overlay chord kademlia --repeat 2 --output /tmp/scale
    .venv/bin/python -m benchmarks.overlays.scale --n 1000 --emulated RUN --output /tmp/scale

Nodes are those of the node program. Up to --joined-to nodes they join one after the other, as in
experiments/who-has-it.yaml, but with more time to form (planned.py); from --given-from on their tables are filled at
once (given.py). Sizes in both ranges are measured both ways. With --emulated, each trial of a finished run of that
experiment is a point, and is performed again in virtual time; how far the two are apart is printed.

Writes scale.csv and scale.svg to the output folder, and adds to a scale.csv that is there: rows of the same kind are
measured again.

overlay       chord-2001 is Chord with fingers alone; elsewhere a node also looks at its successors, as by default
hops, messages  means over networks of the means over searches; low and high are Student's 95 % interval
contacts      nodes that the median node would send to
entries       all that the median node keeps of others, what it stores for them too; most: of the node that keeps most
busiest       of all messages, those that the busiest node sent or received
"""

import argparse
import gc
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import process_time

from benchmarks.clients import log, markdown
from benchmarks.overlays.scale.drawing import draw, save
from benchmarks.overlays.scale.given import GIVEN_WORLDS, Size
from benchmarks.overlays.scale.measured import HEADER, differences, pairs_of
from benchmarks.overlays.scale.planned import addresses_by_place, joining_trial, planned_point
from benchmarks.overlays.scale.points import GIVEN, JOINED, VIRTUAL, Point, Row, read_rows, rows_of, write_rows
from testbed.errors import ExplainedError

MOST_FLOODED = 10_000
"""Servents: beyond, a flood of TTL 7 reaches the same few thousand."""
JOINING = ("napster", "gnutella", "chord", "kademlia")
TABLE = ["overlay", "N", "engine", "start", "of", "success", "hops", "law", "", "messages", "law", "", "contacts", "law",
         "entries", "most", "busiest"]  # fmt: skip


def joined_point(overlay: str, size: Size) -> Point:
    trial = joining_trial(overlay, size.n, size.searches, size.seed)
    return planned_point(trial, addresses_by_place(trial), VIRTUAL, JOINED)


def measured_points(chosen: argparse.Namespace) -> Iterator[Point]:
    """Measure all sizes that were asked for, the small ones first."""
    for n in sorted(chosen.n):
        for overlay in chosen.overlay:
            if overlay == "gnutella" and n > MOST_FLOODED:
                log(f"gnutella: no flood among {n} servents, {MOST_FLOODED} at most")
                continue
            for start in starts(overlay, n, chosen):
                for number in range(chosen.repeat):
                    size = Size(n, chosen.searches, chosen.seed + number)
                    began = process_time()
                    yield joined_point(overlay, size) if start == JOINED else GIVEN_WORLDS[overlay](size)
                    gc.collect()  # a network is thrown away whole
                    log(f"{overlay} {n} {start} {number + 1}: {process_time() - began:.1f} s of CPU")


def starts(overlay: str, n: int, chosen: argparse.Namespace) -> list[str]:
    """Return how a network of this size comes about."""
    joins = n <= chosen.joined_to and overlay in JOINING
    return [start for start, is_used in ((JOINED, joins), (GIVEN, n >= chosen.given_from)) if is_used]


def table_of(rows: Sequence[Row]) -> str:
    return markdown(TABLE, [_cells(row) for row in rows])


def _cells(row: Row) -> list[object]:
    def beside_law(what: str, digits: int) -> list[str]:
        law = getattr(row, f"{what}_law")
        if law != law:
            return ["", ""]
        return [f"{law:,.{digits}f}", f"{row.differs(what):+.1%}"]

    reach = "" if row.hops_low != row.hops_low else f" ± {(row.hops_high - row.hops_low) / 2:.2f}"
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


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", nargs="*", type=int, default=[100, 300, 1_000], help="numbers of nodes")
    parser.add_argument("--overlay", nargs="+", choices=list(GIVEN_WORLDS), default=list(GIVEN_WORLDS))
    parser.add_argument("--repeat", type=int, default=3, help="networks of each kind")
    parser.add_argument("--searches", type=int, default=2_000, help="in each network; a twentieth of it by floods")
    parser.add_argument("--joined-to", type=int, default=1_000, metavar="N", help="the greatest network that joins")
    parser.add_argument("--given-from", type=int, default=100, metavar="N", help="the smallest with given tables")
    parser.add_argument("--emulated", type=Path, metavar="RUN", help="the folder of a run of who-has-it.yaml")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER")
    chosen = parser.parse_args(arguments)
    if any(n < 20 for n in chosen.n):
        parser.error("--n: expected 20 nodes at least")
    gc.disable()
    pairs = []
    if chosen.emulated is not None:
        try:
            pairs = list(pairs_of(chosen.emulated))
        except ExplainedError as error:
            parser.error(f"--emulated: {error}")
    points = [*measured_points(chosen), *(point for pair in pairs for point in pair)]
    chosen.output.mkdir(parents=True, exist_ok=True)
    file = chosen.output / "scale.csv"
    rows = merged(read_rows(file) if file.exists() else [], list(rows_of(points)))
    write_rows(rows, file)
    save(draw(rows), file.with_suffix(".svg"))
    print(table_of(rows))
    if pairs:
        print()
        print(markdown(HEADER, [each.cells() for each in differences(pairs)]))


if __name__ == "__main__":
    main()
