"""The trials of one point in two runs: which are used, which of them belong together, and the ratio of their values."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

import numpy as np

from testbed.results.comparison.ratios import Ratio, ratio_of_pairs, ratio_of_samples
from testbed.results.left_out import MISSING

_FAILED: Final = "failed"
_SUSPECT: Final = "suspect"


@dataclass(frozen=True, slots=True)
class Observation:
    """A measure of one planned trial."""

    repetition: int
    seed: int
    """With the repetition, it says what was drawn."""
    verdict: str
    """`missing` of a trial that has no result."""
    value: float

    @property
    def draw(self) -> tuple[int, int]:
        """The same for trials in which the same was drawn."""
        return self.repetition, self.seed


Sample = Sequence[Observation]


@dataclass(frozen=True, slots=True)
class Use:
    """What became of the trials that one run planned for a point."""

    planned: int
    used: int
    suspect: int
    failed: int
    missing: int
    without: int
    """Trials that would be used, but have no value: a peer did not complete, for example."""

    @property
    def lost(self) -> float:
        """The share of the trials that ended, but gave no value by the fault of a program."""
        ended = self.planned - self.missing
        return (self.failed + self.without) / ended if ended else 0.0

    @property
    def alone(self) -> int:
        """How many trials would be used, but have no partner that is."""
        return self.planned - self.used - self.suspect - self.failed - self.missing - self.without

    def left_out(self) -> list[str]:
        """Say why trials are left out, with their numbers; nothing if all are used."""
        counts = ((self.suspect, _SUSPECT), (self.failed, _FAILED), (self.missing, MISSING), (self.without, "no value"))
        told = [f"{count} {reason}" for count, reason in counts if count]
        return [*told, *([f"{self.alone} without a partner"] if self.alone else [])]


@dataclass(frozen=True, slots=True)
class Pairing:
    """How the trials of a point are compared."""

    with_suspect: bool = False
    unpaired: bool = False
    """Whether trials with the same draws are compared as if they had nothing in common."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Two samples, compared."""

    ratio: Ratio
    first: float
    other: float
    """The geometric means of the values that are used; their ratio is `ratio`."""
    of_first: Use
    of_other: Use
    why_not: str = ""
    """Why there is no ratio."""


def compared(first: Sample, other: Sample, pairing: Pairing) -> Compared:
    """Compare two samples: as pairs if both have planned trials with the same draws."""
    is_paired = not pairing.unpaired and bool({each.draw for each in first} & {each.draw for each in other})
    numbers = [[each for each in sample if _is_used(each, pairing)] for sample in (first, other)]
    if is_paired:
        common = {each.draw for each in numbers[0]} & {each.draw for each in numbers[1]}
        numbers = [sorted((each for each in used if each.draw in common), key=_draw) for used in numbers]
    values = [[each.value for each in used] for used in numbers]
    uses = (_use(first, numbers[0], pairing), _use(other, numbers[1], pairing))
    if why_not := _why_not(values, is_paired=is_paired):
        return Compared(Ratio(is_paired, (len(values[0]), len(values[1]))), *_means(values), *uses, why_not)
    ratio = ratio_of_pairs(*values) if is_paired else ratio_of_samples(*values)
    return Compared(ratio, *_means(values), *uses)


def _draw(observation: Observation) -> tuple[int, int]:
    return observation.draw


def _is_used(each: Observation, pairing: Pairing) -> bool:
    return _counts(each, pairing) and isfinite(each.value)


def _counts(each: Observation, pairing: Pairing) -> bool:
    return each.verdict == "valid" or (pairing.with_suspect and each.verdict == _SUSPECT)


def _use(sample: Sample, used: Sample, pairing: Pairing) -> Use:
    verdicts = Counter(each.verdict for each in sample)
    return Use(
        planned=len(sample),
        used=len(used),
        suspect=0 if pairing.with_suspect else verdicts[_SUSPECT],
        failed=verdicts[_FAILED],
        missing=verdicts[MISSING],
        without=sum(_counts(each, pairing) and not isfinite(each.value) for each in sample),
    )


def _why_not(values: Sequence[Sequence[float]], *, is_paired: bool) -> str:
    if any(value <= 0 for side in values for value in side):
        return "values of 0 or less have no ratio"
    if all(values):
        return ""
    return "no pair can be used" if is_paired else "a run has no trial that can be used"


def _means(values: Sequence[Sequence[float]]) -> tuple[float, float]:
    first, other = (_geometric_mean(side) for side in values)
    return first, other


def _geometric_mean(values: Sequence[float]) -> float:
    """Where it does not exist, the arithmetic mean."""
    if not values:
        return float("nan")
    numbers = np.asarray(values, dtype=float)
    return float(np.exp(np.mean(np.log(numbers)))) if (numbers > 0).all() else float(np.mean(numbers))
