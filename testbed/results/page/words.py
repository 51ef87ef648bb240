"""Points, measures and numbers in words, for sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import floor, isfinite, log10
from typing import Final

from testbed.experiment import Plan
from testbed.experiment.language.points import telling_keys
from testbed.experiment.language.short_forms import Parameters
from testbed.results.figures.phrases import in_words, shortened
from testbed.tasks.columns import TableColumns
from testbed.tasks.tables import tables_of

_UNITS: Final[Mapping[str, tuple[tuple[float, str], ...]]] = {
    "bit/s": ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")),
    "B": ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")),
}
_DIGITS: Final = 3


def number(value: float, unit: str = "") -> str:
    """Write a number with three or more digits, in a unit in which it has few: `1.25 Mbit/s`, `12 345`, `0.042`."""
    if not isfinite(value):
        return "unknown"
    worth, name = next(
        ((worth, name) for worth, name in _UNITS.get(unit, ()) if abs(value) >= worth),
        (1.0, unit),
    )
    return f"{_plain(value / worth)} {name}".rstrip()


def _plain(value: float) -> str:
    places = 0 if value == 0 else max(0, _DIGITS - 1 - floor(log10(abs(value))))
    text = f"{value:.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def listed(parts: Sequence[str]) -> str:
    """Join parts as people do: `a, b and c`."""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


@dataclass(frozen=True)
class Words:
    """What the keys and values of a run's sweep are called."""

    plan: Plan
    columns: TableColumns

    @cached_property
    def keys(self) -> list[str]:
        """The swept keys by which points are told apart."""
        return telling_keys([trial.point for trial in self.plan.trials])

    def label(self, key: str) -> str:
        """Return what a swept key or a column is."""
        return self.columns.label(key, tables_of(self.plan).group_names(self.plan))

    def value(self, cell: object) -> str:
        """Return what a swept value is called."""
        plain = int(cell) if isinstance(cell, float) and cell.is_integer() else cell
        return in_words(plain, self.columns.names, self._short)

    @cached_property
    def _short(self) -> Mapping[object, Parameters]:
        return shortened(self.plan, self.columns)

    def varying(self, rows: Sequence[Mapping[str, object]]) -> list[str]:
        """Return the keys whose values differ among some rows."""
        return [key for key in self.keys if len({self.value(row[key]) for row in rows}) > 1]

    def point(self, cells: Mapping[str, object], keys: Sequence[str] | None = None) -> str:
        """Name a point; a single word needs no key: `BitTorrent`, but `number of peers 30`."""
        told = self.keys if keys is None else keys
        if len(told) == 1 and self._is_word(cells[told[0]]):
            return self.value(cells[told[0]])
        return ", ".join(f"{self.label(key)} {self.value(cells[key])}" for key in told)

    def at(self, cells: Mapping[str, object], keys: Sequence[str]) -> str:
        """Return the end of a sentence that says where a number was found; empty if there is one place only."""
        if not keys:
            return ""
        is_word = len(keys) == 1 and self._is_word(cells[keys[0]])
        return f" {'with' if is_word else 'at'} {self.point(cells, keys)}"

    def _is_word(self, cell: object) -> bool:
        return self.value(cell)[:1].isalpha()
