"""Quantities with units: `8 Mbit/s`, `32 MiB`, `20 ms`, `1 %`, `5 /min`; pure.

A quantity is a number and a unit, with or without a space between them:

    kind        units                                               read as
    rate        bit/s kbit/s Mbit/s Gbit/s, kB/s, MiB/s ...         int, bit/s
    size        B kB MB GB TB, KiB MiB GiB TiB, kbit Mbit ...       int, bytes
    duration    us ms s min h                                       float, seconds
    percentage  %                                                   float, per cent
    frequency   /s /min /h                                          float, times per second

A number without a unit is refused, and so is a unit that can be read in two ways: `Mb/s` is Mbit/s to one reader and
MB/s to the next, eight times apart. Arithmetic is exact: a rate with a part of a bit per second, or a size with a
part of a byte, is refused and not rounded.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction

# More digits than any quantity needs, few enough to be converted at once.
_QUANTITY = re.compile(r"(?P<number>[0-9]{1,30}(?:\.[0-9]{1,30})?)\s*(?P<unit>[^\s0-9.,].*)?")


class UnitError(ValueError):
    """A text that is not a quantity of the kind asked for."""

    def __init__(self, found: str, reason: str, possible: Iterable[str]) -> None:
        self.found = found
        self.possible = tuple(possible)
        super().__init__(f"{found!r} {reason}")


@dataclass(frozen=True)
class Kind:
    """One kind of quantity."""

    name: str
    worth: Mapping[str, int | Fraction]  # of each unit, in the kind's first unit
    usual: tuple[str, ...]  # the units that are written and suggested, smallest first
    example: str
    whole: bool = False  # no part of the first unit can exist

    @property
    def units(self) -> tuple[str, ...]:
        """Every unit that can be read."""
        return tuple(self.worth)


_DECIMAL = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_PREFIXES = _DECIMAL | _BINARY

RATE = Kind(
    "rate",
    {f"{prefix}bit/s": factor for prefix, factor in _PREFIXES.items()}
    | {f"{prefix}B/s": 8 * factor for prefix, factor in _PREFIXES.items()},
    ("bit/s", "kbit/s", "Mbit/s", "Gbit/s"),
    "8 Mbit/s",
    whole=True,
)
SIZE = Kind(
    "size",
    {f"{prefix}B": factor for prefix, factor in _PREFIXES.items()}
    | {f"{prefix}bit": Fraction(factor, 8) for prefix, factor in _PREFIXES.items()},
    ("B", "kB", "KiB", "MB", "MiB", "GB", "GiB"),
    "32 MiB",
    whole=True,
)
DURATION = Kind(
    "duration",
    {"s": 1, "µs": Fraction(1, 10**6), "us": Fraction(1, 10**6), "ms": Fraction(1, 10**3), "min": 60, "h": 3600},
    ("us", "ms", "s", "min", "h"),
    "20 ms",
)
PERCENTAGE = Kind("percentage", {"%": 1}, ("%",), "1 %")
FREQUENCY = Kind(
    "frequency",
    {"/s": 1, "/min": Fraction(1, 60), "/h": Fraction(1, 3600)},
    ("/h", "/min", "/s"),
    "5 /min",
)

# What people write for a unit and may mean by it, in lower case.
_AMBIGUOUS = {
    "b/s": ("bit/s", "B/s"),
    "kb/s": ("kbit/s", "kB/s"),
    "mb/s": ("Mbit/s", "MB/s"),
    "gb/s": ("Gbit/s", "GB/s"),
    "b": ("B", "bit"),
    "kb": ("kB", "KiB", "kbit", "kbit/s", "kB/s"),
    "mb": ("MB", "MiB", "Mbit", "Mbit/s", "MB/s"),
    "gb": ("GB", "GiB", "Gbit", "Gbit/s", "GB/s"),
    "k": ("kbit/s", "kB/s", "kB", "KiB"),
    "m": ("Mbit/s", "MB/s", "MB", "MiB", "ms", "min"),
    "g": ("Gbit/s", "GB/s", "GB", "GiB"),
}


def kind_of(unit: str) -> Kind | None:
    """Return the kind of quantity that `unit` measures; None when there is no such unit."""
    kinds = (RATE, SIZE, DURATION, PERCENTAGE, FREQUENCY)
    return next((kind for kind in kinds if unit in kind.worth), None)


def parse_in(unit: str, text: str) -> int | float:
    """Read `text` as what `unit` measures, in that unit: ("ms", "1.5 s") -> 1500; an int when it is whole."""
    kind = kind_of(unit)
    if kind is None:
        raise LookupError(f"there is no unit {unit!r}")
    value = _parse(kind, text) / kind.worth[unit]
    return int(value) if value.denominator == 1 else float(value)


def parse_rate(text: str) -> int:
    """Read a rate in bit/s: "8 Mbit/s" -> 8_000_000."""
    return int(_parse(RATE, text))


def parse_size(text: str) -> int:
    """Read a size in bytes: "32 MiB" -> 33_554_432."""
    return int(_parse(SIZE, text))


def parse_duration(text: str) -> float:
    """Read a duration in seconds: "20 ms" -> 0.02."""
    return float(_parse(DURATION, text))


def parse_percentage(text: str) -> float:
    """Read a percentage in per cent: "1 %" -> 1.0."""
    return float(_parse(PERCENTAGE, text))


def parse_frequency(text: str) -> float:
    """Read a frequency in times per second: "30 /min" -> 0.5."""
    return float(_parse(FREQUENCY, text))


def format_rate(bits_per_second: int) -> str:
    """Write what `parse_rate` reads as the same number: 8_000_000 -> "8 Mbit/s"."""
    return _format(RATE, bits_per_second)


def rounded_rate(bits_per_second: float) -> str:
    """Write a rate for people, with three significant digits: 26_616_584 -> "26.6 Mbit/s"."""
    rounded = float(f"{bits_per_second:.3g}")
    unit = next((unit for unit in reversed(RATE.usual) if rounded >= RATE.worth[unit]), RATE.usual[0])
    number = rounded / float(RATE.worth[unit])
    return f"{number:.3g} {unit}" if number < 1000 else f"{number:.0f} {unit}"


def format_size(size: int) -> str:
    """Write what `parse_size` reads as the same number: 33_554_432 -> "32 MiB"."""
    return _format(SIZE, size)


def format_duration(seconds: float) -> str:
    """Write what `parse_duration` reads as the same number: 0.02 -> "20 ms"."""
    return _format(DURATION, seconds)


def format_percentage(percentage: float) -> str:
    """Write what `parse_percentage` reads as the same number: 1.0 -> "1 %"."""
    return _format(PERCENTAGE, percentage)


def format_frequency(per_second: float) -> str:
    """Write what `parse_frequency` reads as the same number: 0.5 -> "30 /min"."""
    return _format(FREQUENCY, per_second)


def _parse(kind: Kind, text: str) -> Fraction:
    matched = _QUANTITY.fullmatch(text.strip())
    if matched is None:
        raise UnitError(text, f"is not a {kind.name}: write a number and a unit, such as {kind.example}", kind.units)
    number, unit = matched["number"], matched["unit"]
    if unit is None:
        raise UnitError(text, f"has no unit: write {_one_of(f'{number} {u}' for u in kind.usual)}", kind.units)
    if unit not in kind.worth:
        raise _unknown_unit(kind, text, unit)
    value = Fraction(number) * kind.worth[unit]
    if kind.whole and value.denominator != 1:
        raise UnitError(
            text, f"is {float(value):.10g} {kind.units[0]}: it must be a whole number of {kind.units[0]}", kind.units
        )
    return value


def _unknown_unit(kind: Kind, text: str, unit: str) -> UnitError:
    other = kind_of(unit)
    if other is not None:
        return UnitError(text, f"is a {other.name}, not a {kind.name}: write {_one_of(kind.usual)}", kind.units)
    readings = _readings(kind, unit)
    if readings:
        return UnitError(text, f"has an ambiguous unit: write {_one_of(readings)}", readings)
    nearest = _nearest(kind, unit)
    hint = f"did you mean {nearest}? A" if nearest else "a"
    return UnitError(text, f"has no known unit: {hint} {kind.name} is in {_one_of(kind.usual)}", kind.units)


def _readings(kind: Kind, unit: str) -> tuple[str, ...]:
    """Return what an ambiguous unit can mean here: "Mb/s" and "Mbps" are Mbit/s or MB/s."""
    meanings = _AMBIGUOUS.get(re.sub("ps$", "/s", unit.lower()), ())
    return tuple(meaning for meaning in meanings if meaning in kind.worth)


def _nearest(kind: Kind, unit: str) -> str | None:
    in_lower_case = {known.lower(): known for known in kind.units}
    close = get_close_matches(unit.lower(), in_lower_case, n=1, cutoff=0.5)
    return in_lower_case[close[0]] if close else None


def _one_of(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _format(kind: Kind, value: float) -> str:
    """Write `value` in the unit that takes the fewest digits, and that loses nothing."""
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{value} is not a {kind.name}")
    if value == 0:
        return f"0 {kind.units[0]}"
    spellings = ((_in_unit(value, kind.worth[unit]), unit) for unit in reversed(kind.usual))
    exact = [(number, unit) for number, unit in spellings if _is_read_as(value, kind, number, unit)]
    number, unit = min(exact, key=lambda spelling: (len(spelling[0]), spelling[0].startswith("0.")))
    return f"{number} {unit}"


def _in_unit(value: float, worth: int | Fraction) -> str:
    quotient = Fraction(str(value)) / worth
    if quotient.denominator == 1:
        return str(quotient)
    return format(Decimal(repr(float(quotient))).normalize(), "f")


def _is_read_as(value: float, kind: Kind, number: str, unit: str) -> bool:
    read = Fraction(number) * kind.worth[unit]
    return read == value if kind.whole else float(read) == value
