"""Numbers in words, CSV and progress lines."""

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from math import floor, isfinite, log10
from typing import Final

from testbed.cli.terminal.complaints import complain
from testbed.values.units import format_duration

_MOST_PLACES: Final = 4


def in_words(seconds: float) -> str:
    """Format a time with the precision of an estimate."""
    unit = 1 if seconds < 120 else 60 if seconds < 7200 else 3600
    return format_duration(round(seconds / unit) * unit)


def decimal(value: float, digits: int = 4) -> str:
    """Write a number with some significant digits, but without an exponent: "0.0001", and "-" if there is none."""
    if not isfinite(value):
        return "-"
    places = 0 if value == 0 else max(0, digits - 1 - floor(log10(abs(value))))
    text = f"{value:.{min(places, _MOST_PLACES)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def print_csv(rows: Sequence[Mapping[str, object]]) -> None:
    """Print the columns of all rows; a row without one of them has an empty cell."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def progress(*, quiet: bool) -> Callable[[str], None]:
    """Return a function that prints progress on stderr."""

    def tell(text: str) -> None:
        if not quiet:
            complain(text)

    return tell
