"""The units of axes: as experiment files write them, or chosen so that numbers have few digits."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Final

from testbed.experiment.language.cells import readable
from testbed.experiment.language.expressions import read_value
from testbed.tasks.columns import Column
from testbed.values.units import kind_of

_STEPS: Final[Mapping[str, Mapping[str, float]]] = {
    "bit/s": {"kbit/s": 0, "Mbit/s": 1e6, "Gbit/s": 1e9},
    "B": {"B": 0, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30},
    "s": {"s": 0, "min": 600, "h": 36_000},
}
"""For each unit of tables, the units of axes, and the number from which each is used."""
_MOST: Final = 9999
"""The largest number on an axis in the smallest of several written units."""
_SHARE: Final = "%"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of an axis, and its worth in the unit of the table; without a name for plain numbers."""

    name: str = ""
    worth: float = 1.0

    def after(self, label: str) -> str:
        """Return the label of an axis with its unit, if there are both."""
        return f"{label} ({self.name})" if self.name and label else label


PLAIN_NUMBERS: Final = Unit()


def unit_of(column: Column | None, values: Iterable[float], wanted: str | None) -> Unit:
    """Return the unit for numbers of a column: the wanted one, or the one that suits the largest number."""
    base = column.unit if column is not None else ""
    if column is not None and column.is_share and wanted == _SHARE:
        return Unit(_SHARE, 0.01)
    if wanted is not None:
        return Unit(wanted, _worth(wanted) / _worth(base))
    largest = max((abs(value) for value in values if isfinite(value)), default=0.0)
    chosen = [name for name, least in _STEPS.get(base, {}).items() if largest >= least]
    return Unit(chosen[-1], _worth(chosen[-1]) / _worth(base)) if chosen else Unit(base)


def written_unit(cells: Iterable[object], wanted: str | None) -> Unit:
    """Return the unit for swept quantities, which are read in base units: the smallest that is written."""
    quantities = [(read_value(cell), _unit_in(cell)) for cell in cells]
    if wanted is not None:
        return Unit(wanted, _worth(wanted))
    names = {name for _, name in quantities if name}
    if not names:
        return PLAIN_NUMBERS
    least = min(names, key=_worth)
    largest = max(value for value, _ in quantities if isinstance(value, float))
    if largest / _worth(least) > _MOST:
        least = max(names, key=_worth)
    return Unit(least, _worth(least))


def _unit_in(cell: object) -> str:
    """Return the unit of a quantity; empty for a number, and for words."""
    found = re.fullmatch(r"-?[\d.]+\s*(\S+)", readable(cell).strip())
    return found[1] if found and kind_of(found[1]) else ""


def _worth(unit: str) -> float:
    kind = kind_of(unit)
    return float(kind.worth[unit]) if kind else 1.0
