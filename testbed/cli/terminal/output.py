"""Tables, CSV and progress lines."""

import csv
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence

from testbed.values.units import format_duration

Row = Sequence[str]


def format_table(header: Row, rows: Iterable[Row]) -> str:
    """Align the columns: numbers to the right, words to the left."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(header))]
    numeric = [all(_is_number(line[k]) for line in lines[1:]) for k in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    )


def _is_number(cell: str) -> bool:
    return not cell or cell[0].isdigit() or cell[0] in "-+."


def counted(things: Sequence[object], noun: str) -> str:
    """Return the number of things with their noun: "1 core", "2 cores"."""
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def in_words(seconds: float) -> str:
    """Format a time with the precision of an estimate."""
    unit = 1 if seconds < 120 else 60 if seconds < 7200 else 3600
    return format_duration(round(seconds / unit) * unit)


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
            print(f"testbed: {text}", file=sys.stderr, flush=True)

    return tell
