"""Columns of CSV files: measured rates and arrival times."""

import csv
from collections.abc import Callable
from pathlib import Path

from testbed.units import parse_rate
from testbed.values.findings import did_you_mean
from testbed.values.quantities import refused_rate


class CsvError(ValueError):
    """A CSV file that has not what was asked for."""


def read_column(file: Path, heading: str, parse: Callable[[str], float]) -> tuple[float, ...]:
    """Read the quantities below a heading; a CsvError names the file and the line."""
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            return tuple(_cells(csv.DictReader(lines), heading, parse))
    except CsvError as error:
        raise CsvError(f"{file}: {error}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = (error.strerror or "").lower() if isinstance(error, OSError) else "is not a CSV file in UTF-8"
        raise CsvError(f"{file}: {reason or error}") from error


def _cells(rows: "csv.DictReader[str]", heading: str, parse: Callable[[str], float]) -> list[float]:
    headings = rows.fieldnames or []
    if heading not in headings:
        raise CsvError(f"has no column {heading!r}{did_you_mean(heading, headings)}: it has {', '.join(headings)}")
    values = []
    for row in rows:
        try:
            values.append(parse(row[heading] or ""))
        except ValueError as error:
            raise CsvError(f"line {rows.line_num}: {error}") from error
    if not values:
        raise CsvError("has no rows below its headings")
    return values


def parse_link_rate(text: str) -> int:
    """Read a rate that a link can have."""
    rate = parse_rate(text)
    if refusal := refused_rate(rate):
        raise ValueError(f"{refusal} is needed, not {text!r}")
    return rate
