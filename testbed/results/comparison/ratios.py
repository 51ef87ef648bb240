"""The ratio of two runs' values: its interval, tests of it, and how many repetitions would decide; pure.

Times and rates vary by factors, so everything is computed from logarithms: the ratio is that of geometric means, and
Student's t gives its interval (of pairs, or Welch's for two samples). With 3 to 10 repetitions this holds its level
(tests/results/comparison/test_levels.py). The others of `testbed.results.statistics` do not serve here: a percentile
bootstrap's interval is too narrow with so few, and a permutation test of 3 against 3 cannot have a p-value below 10 %.

Where nothing varies there is no t. Then the p-value is that of the permutation test, whose least value depends on the
numbers of repetitions alone: that all agree by chance is unlikely only if they are many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from math import comb, exp, inf, log, nan, sqrt
from typing import Final

import numpy as np
from scipy.special import stdtr, stdtrit  # type: ignore[import-untyped]

from contract.wording import counted
from testbed.results.statistics import CONFIDENCE
from testbed.results.summary import ROUNDING
from testbed.runfolder.counters import Numbers

TAIL: Final = (1 - CONFIDENCE) / 2
"""The error of a one-sided test, and of each end of an interval."""
POWER: Final = 0.8
"""How likely a comparison with the recommended repetitions is to decide, if the present estimates are true."""
MOST_REPETITIONS: Final = 1000
"""Where more are needed, other means are."""
_MOST_LOGARITHM: Final = 600.0


@dataclass(frozen=True, slots=True)
class Ratio:
    """The logarithm of a ratio as it was measured, and how well."""

    is_paired: bool
    counts: tuple[int, int]
    """The values of each run; of pairs, both are the number of pairs."""
    logarithm: float = nan
    variances: tuple[float, ...] = ()
    """Of a repetition: of the differences within pairs, or of each run's values; none without repetitions."""

    @property
    def value(self) -> float:
        """The ratio itself."""
        return _exp(self.logarithm)

    @property
    def sizes(self) -> str:
        """How many values it is of: `5 pairs`, or those of each run."""
        first, other = self.counts
        return counted(first, "pair") if self.is_paired else f"{first}, {other}"

    @property
    def is_repeated(self) -> bool:
        """Whether there are enough repetitions to test it."""
        return bool(self.variances)

    @property
    def error(self) -> float:
        """The standard error of the logarithm."""
        return sqrt(sum(self._parts())) if self.is_repeated else nan

    @property
    def freedom(self) -> float:
        """Student's degrees of freedom; of two samples, Welch's."""
        parts = self._parts()
        below = sum(part**2 / (size - 1) for part, size in zip(parts, self.counts, strict=False))
        return sum(parts) ** 2 / below if below else inf

    def _parts(self) -> list[float]:
        return [variance / size for variance, size in zip(self.variances, self.counts, strict=False)]

    @property
    def varies(self) -> bool:
        """Whether repetitions differ by more than the last digits."""
        return self.error > ROUNDING

    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval of the ratio; none where nothing varies, as it would have no width."""
        if not self.varies:
            return nan, nan
        half = float(stdtrit(self.freedom, 1 - TAIL)) * self.error
        return _exp(self.logarithm - half), _exp(self.logarithm + half)

    def p_above(self, bound: float) -> float:
        """Return how likely so high a ratio is if the true one is `bound` or less."""
        return self._p_beyond(self.logarithm - log(bound))

    def p_below(self, bound: float) -> float:
        """Return how likely so low a ratio is if the true one is `bound` or more."""
        return self._p_beyond(log(bound) - self.logarithm)

    def p_different(self) -> float:
        """Return how likely so great a change is, up or down, if there is none."""
        return min(1.0, 2 * min(self.p_above(1), self.p_below(1))) if self.is_repeated else nan

    def is_within(self, margin: float) -> bool:
        """Whether the change is certainly less than a margin: 0.05 for 5 % up, or as far down."""
        return self.p_below(1 + margin) <= TAIL and self.p_above(1 / (1 + margin)) <= TAIL

    def _p_beyond(self, distance: float) -> float:
        if not self.is_repeated:
            return nan
        if not self.varies:
            return least_p(self.counts, is_paired=self.is_paired) if distance > ROUNDING else 1.0
        return float(stdtr(self.freedom, -distance / self.error))


def ratio_of_pairs(first: Sequence[float], other: Sequence[float]) -> Ratio:
    """Return other/first of values that belong together."""
    changes = np.log(np.asarray(other, dtype=float)) - np.log(np.asarray(first, dtype=float))
    counts = (len(changes), len(changes))
    if not len(changes):
        return Ratio(True, counts)
    return Ratio(True, counts, float(np.mean(changes)), _variances([changes]))


def ratio_of_samples(first: Sequence[float], other: Sequence[float]) -> Ratio:
    """Return other/first of values that have nothing to do with each other."""
    logs = [np.log(np.asarray(values, dtype=float)) for values in (first, other)]
    counts = (len(first), len(other))
    if not all(counts):
        return Ratio(False, counts)
    return Ratio(False, counts, float(np.mean(logs[1]) - np.mean(logs[0])), _variances(logs))


def _variances(samples: Sequence[Numbers]) -> tuple[float, ...]:
    if any(len(sample) < 2 for sample in samples):
        return ()
    return tuple(float(np.var(sample, ddof=1)) for sample in samples)


def _exp(logarithm: float) -> float:
    """Limit what two wild values would give, so that it can be drawn and be undone."""
    return exp(min(max(logarithm, -_MOST_LOGARITHM), _MOST_LOGARITHM))


def least_p(counts: tuple[int, int], *, is_paired: bool) -> float:
    """Return the least one-sided p-value that a permutation test can have."""
    return 2.0 ** -counts[0] if is_paired else 1 / comb(sum(counts), counts[0])


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number, so that one false alarm in the whole family is as rare as for one test.

    Values that are no numbers belong to no test. Of the libraries here none has Holm's method.
    """
    order = sorted((p, place) for place, p in enumerate(p_values) if p == p)  # noqa: PLR0124 - nan
    corrected, highest = [nan] * len(p_values), 0.0
    for rank, (p, place) in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p))
        corrected[place] = highest
    return corrected


def repetitions_to_decide(ratio: Ratio, margin: float, tests: int) -> int | None:
    """Return roughly how many repetitions would tell a difference, or its absence within the margin.

    That is if ratio and spread are what they seem to be, and `tests` comparisons are made. None if even a thousand
    would not, or if nothing is known of the spread.
    """
    if not ratio.is_repeated:
        return None
    if not ratio.varies:
        return _agreeing(ratio, margin, tests)
    counts = np.arange(max(2, min(ratio.counts) + 1), MOST_REPETITIONS + 1)
    variances, change = np.asarray(ratio.variances), abs(ratio.logarithm)
    errors = np.sqrt(variances.sum() / counts)
    freedom = (counts - 1) * variances.sum() ** 2 / (variances**2).sum()
    room, limit = log(1 + margin), stdtrit(freedom, 1 - TAIL)
    is_told = stdtr(freedom, change / errors - stdtrit(freedom, 1 - TAIL / tests))
    is_within = sum(stdtr(freedom, (room + shift) / errors - limit) for shift in (-change, change)) - 1
    decides = np.maximum(is_told, is_within) >= POWER
    return int(counts[np.argmax(decides)]) if decides.any() else None


def _agreeing(ratio: Ratio, margin: float, tests: int) -> int:
    limit = TAIL if abs(ratio.logarithm) < log(1 + margin) else TAIL / tests
    numbers = count(min(ratio.counts) + 1)
    return next(n for n in numbers if least_p((n, n), is_paired=ratio.is_paired) <= limit)
