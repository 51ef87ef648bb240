"""Ranges of numbers and quantities: 5 to 30 in steps of 5, 4 MiB to 64 MiB by a factor of 2."""

import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import islice
from typing import Final, TypeAlias

from testbed.values import units

Number: TypeAlias = str | int | float

MOST_VALUES: Final = 1000

_FORMATS: Final[Mapping[str, Callable[[Fraction], str]]] = {
    units.RATE.name: lambda value: units.format_rate(_whole(value)),
    units.SIZE.name: lambda value: units.format_size(_whole(value)),
    units.DURATION.name: lambda value: units.format_duration(float(value)),
    units.PERCENTAGE.name: lambda value: units.format_percentage(float(value)),
    units.FREQUENCY.name: lambda value: units.format_frequency(float(value)),
}


class RangeError(ValueError):
    """A range without values, or with too many."""


def expand(first: Number, last: Number, step: Number | None = None, factor: float | None = None) -> list[Number]:
    """Return all values from `first` to at most `last`, in the notation of a file."""
    if (step is None) == (factor is None):
        raise RangeError("a range has either `step:` or `factor:`")
    kind, low = _read(first)
    high = _same_kind(kind, last, "to")
    if low > high:
        raise RangeError("`from:` is greater than `to:`: a range must increase")
    if step is not None:
        values = _by_step(low, high, _same_kind(kind, step, "step"))
    else:
        values = _by_factor(low, high, Fraction(str(factor)))
    chosen = list(islice(values, MOST_VALUES + 1))
    if len(chosen) > MOST_VALUES:
        raise RangeError(f"the range has more than {MOST_VALUES} values: increase its step")
    return [_written(kind, value) for value in chosen]


def _by_step(low: Fraction, high: Fraction, step: Fraction) -> Iterator[Fraction]:
    if step <= 0:
        raise RangeError("`step:` must be more than 0")
    while low <= high:
        yield low
        low += step


def _by_factor(low: Fraction, high: Fraction, factor: Fraction) -> Iterator[Fraction]:
    if factor <= 1 or low <= 0:
        raise RangeError("`factor:` must be more than 1, and `from:` more than 0")
    while low <= high:
        yield low
        low *= factor


def _read(value: Number) -> tuple[units.Kind | None, Fraction]:
    if not isinstance(value, str):
        return None, Fraction(str(value))
    matched = re.fullmatch(r"\s*[0-9.]+\s*(\D.*?)\s*", value)
    kind = units.kind_of(matched[1]) if matched else None
    if kind is None:
        raise RangeError(f"{value!r} is neither a number nor a quantity such as 4 MiB")
    return kind, Fraction(str(units.parse_in(next(iter(kind.units)), value)))


def _same_kind(kind: units.Kind | None, value: Number, key: str) -> Fraction:
    found, number = _read(value)
    if found != kind:
        raise RangeError(f"`{key}:` must be a {kind.name if kind else 'number'}, as `from:` is")
    return number


def _written(kind: units.Kind | None, value: Fraction) -> Number:
    if kind is not None:
        return _FORMATS[kind.name](value)
    return int(value) if value.denominator == 1 else float(value)


def _whole(value: Fraction) -> int:
    if value.denominator != 1:
        raise RangeError(f"the range contains {float(value):g}, not a whole number: choose another step or factor")
    return int(value)
