"""Means with intervals, and tests of differences; pure, and the same every time."""

import hashlib
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import nan
from typing import Final

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from testbed.runfolder.counters import Numbers

CONFIDENCE: Final = 0.95
RESAMPLES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Summary:
    """The count, mean and standard deviation of some numbers, and a bootstrap interval of the mean."""

    n: int
    mean: float = nan
    sd: float = nan
    low: float = nan
    high: float = nan


@dataclass(frozen=True, slots=True)
class PairedTest:
    """How likely differences at least as large are if there is no difference."""

    p_permutation: float = nan
    """Of the mean, if each difference could as well have the other sign."""
    p_t: float = nan
    """Of Student's t, if the differences were normal."""


def summarise(values: Iterable[float], stream: str) -> Summary:
    """Sum up the finite values; `stream` seeds the resamples, so that they are the same every time."""
    numbers = _finite(values)
    if len(numbers) == 0:
        return Summary(0)
    mean = float(np.mean(numbers))
    if len(numbers) == 1:
        return Summary(1, mean)
    low, high = bootstrap_interval(numbers, stream)
    return Summary(len(numbers), mean, float(np.std(numbers, ddof=1)), low, high)


def bootstrap_interval(numbers: Numbers, stream: str) -> tuple[float, float]:
    """Return the percentile bootstrap's 95 % interval of the mean."""
    drawn = _generator(stream).integers(len(numbers), size=(RESAMPLES, len(numbers)))
    tails = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    low, high = np.quantile(numbers[drawn].mean(axis=1), tails)
    return float(low), float(high)


def paired_test(differences: Iterable[float], stream: str) -> PairedTest:
    """Test the differences within pairs against zero, two-sided; fewer than two have no p-value."""
    numbers = _finite(differences)
    if len(numbers) < 2:
        return PairedTest()
    if not np.any(numbers):
        return PairedTest(1.0, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # equal differences have no variance: t is infinite
        student = stats.ttest_1samp(numbers, 0.0)
    return PairedTest(_permutation(numbers, stream), float(student.pvalue))


def _permutation(numbers: Numbers, stream: str) -> float:
    """Try all signs of the differences if they are few, else draw signs: exact up to 13 pairs."""
    found = stats.permutation_test(
        (numbers,), np.mean, permutation_type="samples", n_resamples=RESAMPLES, axis=0, rng=_generator(stream)
    )
    return float(found.pvalue)


def _generator(stream: str) -> np.random.Generator:
    return np.random.default_rng(int(hashlib.sha256(stream.encode()).hexdigest()[:16], 16))


def _finite(values: Iterable[float] | Sequence[float]) -> Numbers:
    numbers = np.asarray([value for value in values if value is not None], dtype=float)
    return np.asarray(numbers[np.isfinite(numbers)], dtype=float)
