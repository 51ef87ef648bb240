"""Some of many, when there is no room for all."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def spread(values: Sequence[T], most: int) -> tuple[T, ...]:
    """Return at most this many values at equal distances, with the first and the last."""
    if len(values) <= most:
        return tuple(values)
    if most < 2:
        return tuple(values[:most])
    return tuple(values[round(number * (len(values) - 1) / (most - 1))] for number in range(most))
