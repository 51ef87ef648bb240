"""One number of many."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor
from typing import Final


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of the values do not exceed, between two of them where it falls there."""
    ordered = sorted(values)
    position = (len(ordered) - 1) * percent / 100
    low, high = ordered[floor(position)], ordered[ceil(position)]
    return low + (high - low) * (position - floor(position))


AGGREGATES: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
    "min": min,
    "max": max,
    "p95": lambda values: percentile(values, 95),
}
