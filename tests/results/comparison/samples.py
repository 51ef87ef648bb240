"""Values of runs, drawn from shapes that results have."""

from collections.abc import Callable, Sequence
from math import log
from typing import Final, TypeAlias

import numpy as np

from testbed.results.comparison.ratios import Ratio, ratio_of_pairs, ratio_of_samples
from testbed.results.comparison.samples import Observation

Numbers: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.float64]]"
Draw = Callable[[np.random.Generator, int], Numbers]
"""Draws logarithms."""


def stragglers(rng: np.random.Generator, count: int) -> Numbers:
    """Most trials take about the same time, and one in five half as long again."""
    return rng.normal(0, 0.02, count) + log(1.5) * (rng.random(count) < 0.2)


def steps(rng: np.random.Generator, count: int) -> Numbers:
    """Times come in whole rounds of choking: few values, often the same."""
    return np.asarray(np.log(10 + rng.integers(0, 3, count)), dtype=float)


SHAPES: Final[dict[str, Draw]] = {
    "normal": lambda rng, count: rng.normal(0, 0.05, count),
    "skewed": lambda rng, count: 0.05 * rng.exponential(size=count),
    "heavy": lambda rng, count: 0.05 * rng.standard_t(3, count),
    "stragglers": stragglers,
    "steps": steps,
}


def drawn(rng: np.random.Generator, draw: Draw, count: int, *, paired: bool, ratio: float = 1.0) -> Ratio:
    """Compare two runs of `count` repetitions; paired ones have most of their variation in common."""
    common = rng.normal(0, 0.1, count) if paired else np.zeros(count)
    first, other = np.exp(draw(rng, count) + common), np.exp(draw(rng, count) + common) * ratio
    return ratio_of_pairs(first, other) if paired else ratio_of_samples(first, other)


def observed(values: Sequence[float], *, seed: int = 1, verdict: str = "valid") -> list[Observation]:
    return [Observation(k, seed, verdict, value) for k, value in enumerate(values, start=1)]
