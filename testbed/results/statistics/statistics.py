"""Numbers that sum up others: fairness, intervals, and tests of differences; pure, and the same every time."""

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
    """Of several numbers: how many, mean, standard deviation, and a bootstrap interval around the mean."""

    n: int
    mean: float = nan
    sd: float = nan
    low: float = nan
    high: float = nan


@dataclass(frozen=True, slots=True)
class PairedTest:
    """How likely differences as large as these are where there is no difference."""

    p_permutation: float = nan
    """Of the mean, when the sign of each difference is as likely to be the other."""
    p_t: float = nan
    """Of Student's t, as if the differences were normal."""


def jain(values: Iterable[float]) -> float:
    """Return Jain's index of fairness: 1 if all are equal, 1/n if one has all; nan of nothing."""
    numbers = _finite(values)
    squares = float(np.sum(numbers**2))
    return float(np.sum(numbers)) ** 2 / (len(numbers) * squares) if squares else nan


def summarise(values: Iterable[float], stream: str) -> Summary:
    """Sum up what is a number in `values`; `stream` names the resamples, so that they are the same every time."""
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
    """Test whether differences within pairs are none; both sides. Fewer than two tell nothing."""
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
    """Try all signs of the differences if they are few, else draw some: exact up to 13 pairs."""
    found = stats.permutation_test(
        (numbers,), np.mean, permutation_type="samples", n_resamples=RESAMPLES, axis=0, rng=_generator(stream)
    )
    return float(found.pvalue)


def _generator(stream: str) -> np.random.Generator:
    return np.random.default_rng(int(hashlib.sha256(stream.encode()).hexdigest()[:16], 16))


def _finite(values: Iterable[float] | Sequence[float]) -> Numbers:
    numbers = np.asarray([value for value in values if value is not None], dtype=float)
    return np.asarray(numbers[np.isfinite(numbers)], dtype=float)
