"""Tables as a page has them: columns of values, with what each column means. Large ones are cut, and say so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from numbers import Real
from typing import Any, Final, TypeAlias

import pandas as pd

from testbed.experiment.language.cells import readable
from testbed.tasks.columns import Column

Json: TypeAlias = dict[str, Any]

MOST_CELLS: Final = 200_000
"""The most cells of a table in a page: about a megabyte, and what a phone sorts at once."""
_DIGITS: Final = 6


@dataclass(frozen=True)
class Sheet:
    """A table of a page."""

    name: str
    about: Json
    """What the page knows of it before it is opened."""
    values: Json
    """Its cells, by column."""


def sheet(name: str, table: pd.DataFrame, columns: Mapping[str, Column], file: str = "") -> Sheet:
    """Make a sheet of a table, whose whole content is in a file of the run folder if it has one."""
    shown = table.head(max(1, MOST_CELLS // max(1, len(table.columns))))
    about = {
        "name": name,
        "file": file,
        "rows": len(table),
        "shown": len(shown),
        "columns": [_column(str(key), columns.get(str(key)), shown[key]) for key in shown],
    }
    return Sheet(name, about, {"columns": [list(map(_cell, shown[key])) for key in shown]})


def _column(name: str, column: Column | None, cells: Iterable[object]) -> Json:
    known = column or Column("", "")
    return {
        "name": name,
        "unit": known.unit,
        "meaning": known.meaning.replace("`", ""),
        "numeric": all(_is_number(cell) or _is_empty(cell) for cell in cells),
    }


def _cell(value: Any) -> object:
    if _is_empty(value):
        return None
    if not _is_number(value):
        return readable(value)
    number = float(value)
    return int(number) if number == int(number) and abs(number) < 2**53 else float(f"{number:.{_DIGITS}g}")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or (_is_number(value) and not isfinite(value))
