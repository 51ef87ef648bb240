"""A comparison from end to end: read the runs, match their points, compare each measure, judge the conditions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from testbed.errors import ExplainedError
from testbed.results.comparison.differences import Difference, differences
from testbed.results.comparison.findings import MARGIN, Finding, Findings
from testbed.results.comparison.guards import Guard, Judged
from testbed.results.comparison.measures import Measure, measures_named
from testbed.results.comparison.samples import Pairing
from testbed.results.comparison.sides import (
    Match,
    Side,
    Unmatched,
    keys_to_match,
    matched,
    sides_by_key,
    sides_of_runs,
)
from testbed.tasks.tables import tables_of


@dataclass(frozen=True)
class Request:
    """What to compare, and how."""

    by: str | None = None
    """A swept key of one run, whose values are compared."""
    measures: Sequence[str] = ()
    """The task's own if there is none."""
    margin: float = MARGIN
    pairing: Pairing = field(default_factory=Pairing)
    guards: Sequence[Guard] = ()
    fails_if_undecided: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.margin < 1:
            raise ExplainedError("a margin is between 0 and 100 %, such as --margin 5%")


@dataclass(frozen=True)
class Comparison:
    """Runs, compared with the first of them."""

    request: Request
    sides: tuple[Side, ...]
    keys: tuple[str, ...]
    """The swept keys by which points match."""
    differences: tuple[tuple[Side, tuple[Difference, ...]], ...]
    """What each other side has different from the first, apart from the results."""
    unmatched: tuple[Unmatched, ...]
    same: Mapping[str, str]
    """Measures that are left out because another one has the same ratios."""
    findings: tuple[Finding, ...]
    judged: tuple[Judged, ...]

    @property
    def tests(self) -> int:
        """For how many tests the p-values are corrected."""
        return sum(isfinite(each.p) for each in self.findings)

    @property
    def fails(self) -> bool:
        """Whether a condition of the request says so."""
        return any(each.fails(if_undecided=self.request.fails_if_undecided) for each in self.judged)


def compare(paths: Sequence[Path], request: Request) -> Comparison:
    """Compare run folders with the first of them, or the values of a swept key of the only one."""
    if request.by is not None and len(paths) != 1:
        raise ExplainedError(f"--by compares values within one run, and {len(paths)} are named")
    sides = sides_of_runs(paths) if request.by is None else sides_by_key(paths[0], request.by)
    first, *others = sides
    keys = keys_to_match(sides)
    pairs = [(other, *matched(first, other, keys)) for other in others]
    matches = [(other, points) for other, points, _ in pairs]
    same, findings = _findings(first, matches, request)
    if not request.guards:  # These judge what is lost, too.
        for side in sides:
            side.refuse_if_empty(with_suspect=request.pairing.with_suspect)
    return Comparison(
        request=request,
        sides=tuple(sides),
        keys=keys,
        differences=tuple((other, tuple(differences(first, other, points))) for other, points in matches),
        unmatched=tuple(each for _, _, unmatched in pairs for each in unmatched),
        same=same,
        findings=tuple(findings),
        judged=tuple(guard.judge(findings) for guard in request.guards),
    )


def _findings(
    first: Side, matches: Sequence[tuple[Side, Sequence[Match]]], request: Request
) -> tuple[dict[str, str], list[Finding]]:
    """Compare each measure, once: of those that nobody named, one with the ratios of another says nothing new."""
    columns = tables_of(first.run.plan).columns
    named = [*request.measures, *(guard.measure for guard in request.guards)]
    measures = measures_named([*(request.measures or columns.headline), *named], columns)
    collected = Findings(request.pairing, request.margin)
    kept: list[Measure] = []
    same: dict[str, str] = {}
    for measure in measures:
        collected.add(measure, first, matches)
        twin = None if measure.name in named else collected.same_as(measure, kept)
        if twin is None:
            kept.append(measure)
        else:
            same[measure.name] = twin.name
            collected.leave_out(measure)
    return same, collected.judged()
