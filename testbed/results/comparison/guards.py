"""Conditions on ratios, by which a comparison fails: `distribution_s > 1.05`."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final, Literal

from testbed.errors import ExplainedError
from testbed.experiment.language.conditions import Comparison as Condition
from testbed.experiment.language.expressions import parse_condition
from testbed.experiment.language.tokens import ExpressionError
from testbed.results.comparison.findings import Finding
from testbed.results.comparison.ratios import TAIL, holm

Judgement = Literal["beyond", "lost", "kept", "undecided"]
"""`beyond`: the ratio is beyond the bound with confidence; `lost`: more trials than before gave no value; `kept`: it is
not beyond the bound, with confidence."""

_SIGNS: Final = (">", "<")


@dataclass(frozen=True)
class Guard:
    """A condition that must not hold."""

    text: str
    measure: str
    sign: str
    bound: float

    @classmethod
    def read(cls, text: str) -> "Guard":
        """Read a measure, a sign, and a bound of the ratio to the first run."""
        try:
            condition = parse_condition(text)
        except ExpressionError as error:
            raise _refused(text, str(error)) from error
        if not isinstance(condition, Condition):
            raise _refused(text, "one condition has one measure; the option can be repeated")
        if condition.sign not in _SIGNS:
            raise _refused(text, f"{condition.sign} is no limit: write > or <")
        if isinstance(condition.value, str) or condition.unit or condition.value <= 0:
            raise _refused(text, "the bound is a ratio to the first run, a number above 0")
        return cls(text, condition.name, condition.sign, condition.value)

    def judge(self, findings: Sequence[Finding]) -> "Judged":
        """Judge the findings that are about its measure, all together."""
        about = [each for each in findings if each.measure.name == self.measure]
        corrected = holm([self._p_beyond(each) for each in about])
        judgements = [self._judgement(each, p) for each, p in zip(about, corrected, strict=True)]
        return Judged(self, tuple(zip(about, judgements, strict=True)))

    def _p_beyond(self, finding: Finding) -> float:
        ratio = finding.compared.ratio
        return ratio.p_above(self.bound) if self.sign == ">" else ratio.p_below(self.bound)

    def _p_kept(self, finding: Finding) -> float:
        ratio = finding.compared.ratio
        return ratio.p_below(self.bound) if self.sign == ">" else ratio.p_above(self.bound)

    def _judgement(self, finding: Finding, p_corrected: float) -> Judgement:
        found = finding.compared
        if p_corrected <= TAIL:
            return "beyond"
        if found.of_other.lost > found.of_first.lost:
            return "lost"
        return "kept" if self._p_kept(finding) <= TAIL else "undecided"


@dataclass(frozen=True)
class Judged:
    """A condition, and what became of it at each point."""

    guard: Guard
    findings: tuple[tuple[Finding, Judgement], ...]

    def having(self, *judgements: Judgement) -> list[Finding]:
        """Return the findings that were judged so."""
        return [finding for finding, judgement in self.findings if judgement in judgements]

    @property
    def is_blind(self) -> bool:
        """Whether nothing could be judged: no point has enough repetitions for an interval."""
        return not any(isfinite(finding.p) for finding, _ in self.findings)

    def fails(self, *, if_undecided: bool) -> bool:
        """Whether the comparison fails by it. A condition that can judge nothing guards nothing, and fails too."""
        return bool(self.having("beyond", "lost")) or self.is_blind or (if_undecided and bool(self.having("undecided")))


def _refused(text: str, why: str) -> ExplainedError:
    return ExplainedError(f"--fail-if {text!r}: {why} (as in 'distribution_s > 1.05')")
