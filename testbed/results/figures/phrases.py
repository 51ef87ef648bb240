"""The words of a figure: its own labels and names, and where it has none, those of the task."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from testbed.experiment import Plan
from testbed.experiment.language.cells import readable
from testbed.experiment.language.short_forms import Parameters, short_forms
from testbed.experiment.schema.figures import Figure, Labels
from testbed.tasks.columns import TableColumns
from testbed.tasks.tables import tables_of

Place = Literal["x", "y", "series", "panels"]


@dataclass(frozen=True)
class Phrases:
    """What a figure calls columns, swept keys and values."""

    figure: Figure
    plan: Plan
    columns: TableColumns

    def label(self, name: str) -> str:
        """Return what a column or a swept key is."""
        return self.columns.label(name, tables_of(self.plan).group_names(self.plan))

    def chosen(self, place: Place) -> str | None:
        """Return the label that the figure has for a place, if it has one."""
        chosen: str | None = getattr(self.figure.labels or Labels(), place)
        return chosen

    def name(self, cell: object) -> str:
        """Return what a value is called: `BitThief, 4 connections` for a strategy with a parameter."""
        return in_words(cell, {**self.columns.names, **(self.figure.names or {})}, self._short)

    @cached_property
    def _short(self) -> Mapping[object, Parameters]:
        return shortened(self.plan, self.columns)


def shortened(plan: Plan, columns: TableColumns) -> Mapping[object, Parameters]:
    """Return short forms of swept values that have many parameters, by their cells."""
    return short_forms(trial.point[key] for trial in plan.trials for key in columns.shortened if key in trial.point)


def in_words(cell: object, names: Mapping[str, str], short: Mapping[object, Parameters]) -> str:
    """Return what a value is called, where some words have other names, and some values a short form."""
    text = readable(cell)
    if text in names:
        return names[text]
    parsed = short.get(cell) or _mapping(str(cell))
    return _plain(text, names) if parsed is None else _of_mapping(parsed, names)


def _mapping(text: str) -> dict[str, Any] | None:
    try:
        parsed = json.loads(text) if text.startswith("{") else None
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _plain(text: str, names: Mapping[str, str]) -> str:
    return names.get(text) or text.replace("_", " ")


def _of_mapping(keys: Mapping[str, Any], names: Mapping[str, str]) -> str:
    name = [_plain(str(keys["class"]), names)] if "class" in keys else []
    return ", ".join([*name, *(_parameter(key, value, names) for key, value in keys.items() if key != "class")])


def _parameter(key: str, value: object, names: Mapping[str, str]) -> str:
    """Say a parameter as people do: `4 connections`, `no pex`, `excess withheld`."""
    word = names.get(key) or key.replace("_", " ").replace(".", " ")
    if isinstance(value, bool):
        return word if value else f"no {word}"
    if isinstance(value, Mapping):
        return f"{word} {_of_mapping(value, names)}"
    if isinstance(value, int | float) and word.endswith("s"):
        return f"{value} {_one(word) if value == 1 else word}"
    return f"{word} {_plain(str(value), names)}"


def _one(plural: str) -> str:
    return f"{plural[:-3]}y" if plural.endswith("ies") else plural[:-1]
