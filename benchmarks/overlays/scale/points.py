"""What is measured in one network, and the rows that several networks make."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from math import isfinite, nan, sqrt
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

from scipy import stats

from contract.overlay_events import SearchEnded
from peer.simulation.overlays.network import OverlayNetwork, Place

VIRTUAL, EMULATED = "virtual", "emulated"
GIVEN, JOINED, REPLAYED = "given", "joined", "replayed"


@dataclass(frozen=True, slots=True)
class Law:
    """What theory says of the means; nan where it says nothing."""

    hops: float = nan
    messages: float = nan
    contacts: float = nan


@dataclass(frozen=True, slots=True)
class Kind:
    """Points that differ by chance alone."""

    overlay: str
    n: int
    engine: str
    """virtual or emulated."""
    start: str
    """given: tables were filled at once; joined: nodes joined one by one; replayed: as in the trial of a run."""


@dataclass(frozen=True, slots=True)
class Point:
    """One network."""

    kind: Kind
    searches: int
    success: float
    hops: float
    messages: float
    contacts: float
    """Nodes that the median node would send to."""
    entries: float
    """All that the median node keeps of others."""
    most_entries: float
    """All that the node keeps that keeps most."""
    busiest_share: float
    """The part of all messages that the busiest node sent or received."""
    law: Law


@dataclass(frozen=True, slots=True)
class Row:
    """Several networks of one kind: means over the networks, with Student's 95 % intervals; nan with one network."""

    overlay: str
    n: int
    engine: str
    start: str
    networks: int
    searches: int
    """In all networks together."""
    success: float
    hops: float
    hops_low: float
    hops_high: float
    hops_law: float
    messages: float
    messages_low: float
    messages_high: float
    messages_law: float
    contacts: float
    contacts_law: float
    entries: float
    most_entries: float
    busiest_share: float

    def differs(self, what: str) -> float:
        """Return how far `hops`, `messages` or `contacts` are from their law."""
        return float(getattr(self, what) / getattr(self, f"{what}_law") - 1)


def point_of(
    kind: Kind, network: OverlayNetwork[Any], places: Sequence[Place[Any]], ends: Sequence[SearchEnded], law: Law
) -> Point:
    """Return what became of the searches in a network. One that never ended counts: `ends` has all that began."""
    costs = [network.ledger.by_search[end.search].messages for end in ends]
    nodes = [place.node for place in places if place.is_here]
    kept = [node.entries for node in nodes]
    sent, received = network.ledger.sent, network.ledger.received
    handled = [sent[place.address.host].messages + received[place.address.host].messages for place in places]
    return Point(
        kind,
        len(ends),
        fmean(end.outcome == "found" for end in ends),
        mean_of(end.hops for end in ends),
        fmean(costs),
        median(len(node.neighbours) for node in nodes),
        median(kept),
        max(kept),
        max(handled) / max(1, sum(each.messages for each in sent.values())),
        law,
    )


def mean_of(values: Iterable[float | None]) -> float:
    """Return the mean of those that are known; nan if none is."""
    known = [value for value in values if value is not None and isfinite(value)]
    return fmean(known) if known else nan


def rows_of(points: Sequence[Point]) -> Iterator[Row]:
    """Yield a row for each kind, in the order of overlays and sizes."""
    order = list(dict.fromkeys(point.kind.overlay for point in points))

    def place(point: Point) -> tuple[int, int, str, str]:
        kind = point.kind
        return order.index(kind.overlay), kind.n, kind.engine, kind.start

    for _, group in groupby(sorted(points, key=place), key=place):
        yield _row(list(group))


def _row(points: Sequence[Point]) -> Row:
    def mean(name: str) -> float:
        return mean_of(getattr(point, name) for point in points)

    def law(name: str) -> float:
        return mean_of(getattr(point.law, name) for point in points)

    hops_low, hops_high = interval(point.hops for point in points)
    messages_low, messages_high = interval(point.messages for point in points)
    return Row(
        **asdict(points[0].kind),
        networks=len(points),
        searches=sum(point.searches for point in points),
        success=mean("success"),
        hops=mean("hops"),
        hops_low=hops_low,
        hops_high=hops_high,
        hops_law=law("hops"),
        messages=mean("messages"),
        messages_low=messages_low,
        messages_high=messages_high,
        messages_law=law("messages"),
        contacts=mean("contacts"),
        contacts_law=law("contacts"),
        entries=mean("entries"),
        most_entries=max(point.most_entries for point in points),
        busiest_share=mean("busiest_share"),
    )


def interval(values: Iterable[float]) -> tuple[float, float]:
    """Return Student's 95 % interval of the mean; nan with fewer than two values."""
    known = [value for value in values if isfinite(value)]
    if len(known) < 2:
        return nan, nan
    half = float(stats.t.ppf(0.975, len(known) - 1)) * stdev(known) / sqrt(len(known))
    return fmean(known) - half, fmean(known) + half


def write_rows(rows: Iterable[Row], file: Path) -> None:
    """Write rows as CSV; what is not known is empty."""
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow([each.name for each in fields(Row)])
        writer.writerows([[_cell(value) for value in asdict(row).values()] for row in rows])


def read_rows(file: Path) -> list[Row]:
    """Read what `write_rows` has written."""
    kinds: dict[str, Any] = {each.name: each.type for each in fields(Row)}
    with file.open(newline="", encoding="utf-8") as opened:
        return [
            Row(**{name: nan if text == "" else kinds[name](text) for name, text in line.items()})
            for line in csv.DictReader(opened)
        ]


def _cell(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.6g}" if isfinite(value) else ""
    return value
