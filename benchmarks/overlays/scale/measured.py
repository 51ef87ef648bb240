"""The points of a run on real sockets, each beside the same trial in virtual time; and how far the two are apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isfinite
from pathlib import Path

import pandas as pd

from benchmarks.overlays.scale.planned import planned_point, theory
from benchmarks.overlays.scale.points import EMULATED, JOINED, REPLAYED, VIRTUAL, Kind, Point
from testbed.errors import ExplainedError
from testbed.experiment import Trial
from testbed.notebook import Run
from testbed.results.comparison.ratios import Ratio, ratio_of_pairs
from testbed.runfolder.record import read_record
from testbed.tasks.find.trials import hosts_of, settings_of

MARGIN = 0.1
"""Means that differ by less count as equal."""
COMPARED = ("hops", "messages")
Pair = tuple[Point, Point]
"""A trial on sockets, and in virtual time."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How a mean on sockets is related to that in virtual time, of the same trials."""

    overlay: str
    n: int
    what: str
    ratio: Ratio

    @property
    def verdict(self) -> str:
        """Say whether the two are equal within the margin, as far as the pairs tell."""
        if not self.ratio.is_repeated:
            return "one pair alone"
        if not self.ratio.varies:
            is_same = abs(self.ratio.value - 1) < 1e-9
            return "the same in each pair" if is_same else "differs alike in each pair"
        if self.ratio.is_within(MARGIN):
            return f"equal within {MARGIN:.0%}"
        low, high = self.ratio.interval()
        return "not decided" if low <= 1 <= high else "differs"

    def cells(self) -> list[object]:
        low, high = self.ratio.interval()
        reach = f"{low:.3f} to {high:.3f}" if isfinite(low) else "-"
        return [self.overlay, self.n, self.what, self.ratio.sizes, f"{self.ratio.value:.3f}", reach, self.verdict]


HEADER = ["overlay", "N", "mean", "of", "emulated / virtual", "95 % interval", "so"]


def pairs_of(path: Path, *, with_suspect: bool = False) -> Iterator[Pair]:
    """Yield each valid trial of a run, on sockets and in virtual time; with `with_suspect`, suspect ones too."""
    run = Run.open(path, with_suspect=with_suspect)
    trials = run.trials
    if "system" not in trials or trials.empty:
        raise ExplainedError(f"{path} has no valid trials of the task find: name a run of who-has-it.yaml")
    by_id = {trial.id: trial for trial in run.plan.trials}
    for _, row in trials.iterrows():
        trial = by_id[str(row["trial"])]
        record = read_record(run.folder.folder_of(trial), trial)
        addresses = {host.name: host.address for host in record.hosts}
        nodes = run.nodes[run.nodes["trial"] == trial.id]
        yield _emulated_point(trial, row, nodes), planned_point(trial, addresses, VIRTUAL, REPLAYED)


def _emulated_point(trial: Trial, row: "pd.Series[float]", nodes: pd.DataFrame) -> Point:
    return Point(
        Kind(settings_of(trial).overlay.name, len(hosts_of(trial).nodes), EMULATED, JOINED),
        int(row["searches"]),
        float(row["success_rate"]),
        float(row["hops_mean"]),
        float(row["messages_mean"]),
        float(nodes["neighbours_mean"].median()),
        float(nodes["entries_max"].median()),
        float(nodes["entries_max"].max()),
        float(row["busiest_share"]),
        theory(trial),
    )


def differences(pairs: Sequence[Pair]) -> Iterator[Difference]:
    """Yield the differences of each overlay at each size."""

    def key(pair: Pair) -> tuple[str, int]:
        return pair[0].kind.overlay, pair[0].kind.n

    for (overlay, n), group in groupby(sorted(pairs, key=key), key=key):
        members = list(group)
        for what in COMPARED:
            values = [(getattr(virtual, what), getattr(emulated, what)) for emulated, virtual in members]
            known = [pair for pair in values if all(isfinite(value) and value > 0 for value in pair)]
            if known:
                first, other = zip(*known, strict=True)
                yield Difference(overlay, n, what, ratio_of_pairs(first, other))
