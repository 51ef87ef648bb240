"""What is found at each point: a difference, equivalence, or that more repetitions are needed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite, nan
from typing import Final, Literal

from testbed.results.comparison.measures import Measure, Values
from testbed.results.comparison.ratios import Ratio, holm, repetitions_to_decide
from testbed.results.comparison.samples import Compared, Pairing, compared
from testbed.results.comparison.sides import Match, Point, Side
from testbed.results.statistics import CONFIDENCE
from testbed.results.summary import ROUNDING

Outcome = Literal["different", "equivalent", "undecided"]

MARGIN: Final = 0.05


@dataclass(frozen=True)
class Finding:
    """One measure at one point, of another side against the first."""

    measure: Measure
    group: str
    point: Point
    other: Side
    compared: Compared
    p: float = nan
    p_corrected: float = nan
    """By Holm's method, for all findings of the comparison."""
    outcome: Outcome = "undecided"
    repetitions: int | None = None
    """Of an undecided one, how many would decide it, roughly; None if more than a thousand, or not known."""

    @property
    def needs(self) -> str:
        """How many repetitions would decide, in a word; empty if it is decided."""
        if self.outcome != "undecided":
            return ""
        if self.repetitions is None:
            return ">1000" if self.compared.ratio.is_repeated else "more"
        return f"~{self.repetitions}"


@dataclass
class Findings:
    """Collects findings, and judges them together."""

    pairing: Pairing
    margin: float
    _found: list[Finding] = field(default_factory=list, init=False)

    def add(self, measure: Measure, first: Side, matches: Sequence[tuple[Side, Sequence[Match]]]) -> None:
        """Compare a measure at every matched point."""
        ours = Values(measure, first)
        for other, points in matches:
            theirs = Values(measure, other)
            # A group that only one side has is not compared; without any row, nothing is known of groups.
            groups = [group for group in ours.groups if group in theirs.groups] if measure.is_of_groups else [""]
            for group in groups:
                for match in points:
                    samples = ours.sample(match.first, group), theirs.sample(match.other, group)
                    found = compared(*samples, self.pairing)
                    self._found.append(Finding(measure, group, match.point, other, found, found.ratio.p_different()))

    def leave_out(self, measure: Measure) -> None:
        """Forget a measure."""
        self._found = [each for each in self._found if each.measure != measure]

    def same_as(self, measure: Measure, others: Sequence[Measure]) -> Measure | None:
        """Return the first of other measures that has the same ratios everywhere, and so would be tested twice."""
        return next((other for other in others if self._are_same(measure, other)), None)

    def _are_same(self, one: Measure, two: Measure) -> bool:
        ratios, twins = self._ratios(one), self._ratios(two)
        if one == two or ratios.keys() != twins.keys():
            return False
        pairs = [(ratio, twins[row]) for row, ratio in ratios.items()]
        return any(ratio.varies for ratio, _ in pairs) and all(_is_same(*pair) for pair in pairs)

    def _ratios(self, measure: Measure) -> dict[tuple[str, str, Point], Ratio]:
        return {_row(each): each.compared.ratio for each in self._found if each.measure == measure}

    def judged(self) -> list[Finding]:
        """Return all findings with their outcomes, in the order in which they were added."""
        return list(self._judged())

    def _judged(self) -> Iterator[Finding]:
        corrected = holm([each.p for each in self._found])
        tests = max(1, sum(isfinite(each.p) for each in self._found))
        for each, p_corrected in zip(self._found, corrected, strict=True):
            ratio = each.compared.ratio
            outcome = outcome_of(ratio, p_corrected, self.margin)
            needed = repetitions_to_decide(ratio, self.margin, tests) if outcome == "undecided" else None
            yield replace(each, p_corrected=p_corrected, outcome=outcome, repetitions=needed)


def outcome_of(ratio: Ratio, p_corrected: float, margin: float) -> Outcome:
    """Return what can be said. A difference that is certainly smaller than the margin counts as none."""
    if ratio.is_within(margin):
        return "equivalent"
    return "different" if p_corrected <= 1 - CONFIDENCE + ROUNDING else "undecided"


def _row(finding: Finding) -> tuple[str, str, Point]:
    return finding.other.letter, finding.group, finding.point


def _is_same(one: Ratio, two: Ratio) -> bool:
    if one.counts != two.counts or one.is_repeated != two.is_repeated:
        return False
    changes = (one.logarithm - two.logarithm, one.error - two.error)
    return not one.is_repeated or all(abs(change) < ROUNDING for change in changes)
