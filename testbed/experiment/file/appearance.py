"""Check that what a figure says about its labels, names, units and axes applies to it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from testbed.experiment.file.swept import SweptExperiment
from testbed.experiment.language.cells import as_cell, readable
from testbed.experiment.language.expressions import read_value
from testbed.experiment.schema.figures import USED_PARTS, Figure, rows_key
from testbed.values.findings import Finding, KeyPath, did_you_mean
from testbed.values.units import kind_of

_PARTS: Final = ("labels", "units", "scale")
_SHARE: Final = "%"
_MOST_SHOWN: Final = 12


def check_appearance(path: KeyPath, figure: Figure, experiment: SweptExperiment) -> Iterator[Finding]:
    """Yield what a figure cannot use. Its columns exist, and belong together."""
    checks = _Appearance(path, figure, experiment)
    unused = list(checks.unused())
    yield from unused
    if not unused:
        yield from checks.units()
        yield from checks.scale()
    yield from checks.names()


@dataclass(frozen=True)
class _Appearance:
    path: KeyPath
    figure: Figure
    experiment: SweptExperiment

    def unused(self) -> Iterator[Finding]:
        """Find parts that a figure of this kind does not have, and labels of what is not in the figure."""
        kind = self.figure.kind
        for key in _PARTS:
            part = getattr(self.figure, key)
            written = frozenset() if part is None else frozenset(part.model_fields_set)
            for name in sorted(written - USED_PARTS.get(kind, {}).get(key, written)):
                yield Finding((*self.path, key, name), f"is not used by a figure of kind {kind}: leave it out")
        labels = self.figure.labels
        if labels is not None and labels.panels is not None and self.figure.panels is None and kind != "flows":
            yield Finding((*self.path, "labels", "panels"), "there are no panels: add `panels:`, or leave it out")
        if labels is not None and labels.series is not None and not self._has_series():
            yield Finding((*self.path, "labels", "series"), "there are no series: add `series:`, or leave it out")

    def _has_series(self) -> bool:
        return bool(self.figure.series or self.figure.compared or self.figure.kind in {"heatmap", "flows"})

    def units(self) -> Iterator[Finding]:
        """Find units that measure something else."""
        units = self.figure.units
        for axis, unit in (("x", units.x), ("y", units.y)) if units is not None else ():
            if unit is not None and (problem := self._refused_unit(axis, unit)):
                yield Finding((*self.path, "units", axis), problem)

    def _refused_unit(self, axis: str, unit: str) -> str:
        name = self._x() if axis == "x" else self._y()
        possible = [] if axis == "y" and self.figure.compared == "gain" else self._units_of(name)
        if not possible:
            what = "a gain" if axis == "y" and self.figure.compared == "gain" else name
            return f"{what} has no unit: leave it out"
        if unit in possible:
            return ""
        return f"expected a unit of {name} ({', '.join(possible)}), found {unit!r}{did_you_mean(unit, possible)}"

    def _units_of(self, name: str) -> Sequence[str]:
        """Return the units in which a column's numbers can be shown; none for words and plain numbers."""
        if name in self.experiment.swept:
            bases = {_unit_in(as_cell(value)) for value in self.experiment.swept[name] or ()}
        else:
            column = self.experiment.column(name)
            if column is not None and column.is_share:
                return [_SHARE]
            bases = {column.unit if column else ""}
        kinds = [kind_of(base) for base in bases]
        names = {kind.name for kind in kinds if kind is not None}
        first = kinds[0] if kinds and None not in kinds and len(names) == 1 else None
        return first.units if first is not None else []

    def scale(self) -> Iterator[Finding]:
        """Find a scale for an axis of words."""
        scale, x = self.figure.scale, self._x()
        values = self.experiment.swept.get(x)
        column = None if x in self.experiment.swept else self.experiment.column(x)
        is_of_words = column.is_words if column else any(_is_word(value) for value in values or ())
        if scale is not None and scale.x is not None and is_of_words:
            yield Finding((*self.path, "scale", "x"), f"{x} has words, which have no scale: leave it out")

    def names(self) -> Iterator[Finding]:
        """Find names of values that no column of the figure takes."""
        known = self._values()
        for value in self.figure.names or {} if known is not None else ():
            if known is not None and value not in known:
                shown = ", ".join(list(known)[:_MOST_SHOWN])
                problem = f"is no value in this figure{did_you_mean(value, known)}: its values are {shown}"
                yield Finding((*self.path, "names", value), problem)

    def _values(self) -> list[str] | None:
        """Return the values that can have names; None if only the measurement will tell."""
        words, values = self.experiment.words(), {}
        for name in self._named_columns():
            if name in self.experiment.swept:
                cells = [as_cell(value) for value in self.experiment.swept[name] or ()]
                values.update(dict.fromkeys([*map(readable, cells), *filter(None, map(_class_of, cells))]))
            elif name in words:
                values.update(dict.fromkeys(sorted(words[name].here)))
            else:
                return None
        return list(values)

    def _named_columns(self) -> list[str]:
        """Return the columns whose values the figure writes."""
        figure, swept = self.figure, self.experiment.swept
        if figure.kind == "flows":
            return ["giver"]
        named = [figure.series, figure.panels, self.experiment.pair if figure.compared else None]
        if figure.kind == "heatmap":
            across = [figure.x] if figure.x else list(swept)
            named += [rows_key(figure.series or self.experiment.pair, figure.x, swept), *across]
        elif figure.kind == "curve":
            named.append(self._x())
        return list(dict.fromkeys(filter(None, named)))

    def _x(self) -> str:
        if self.figure.kind == "curve":
            return self.figure.x or next(key for key in self.experiment.swept if key != self.figure.series)
        defaults = {"timeline": "t", **self.experiment.tables.defaults}
        return "t" if self.figure.kind == "timeline" else self.figure.x or defaults.get(self.figure.kind, "")

    def _y(self) -> str:
        return next(iter(self.figure.ys), self.experiment.tables.defaults.get(self.figure.kind, ""))


def _unit_in(cell: object) -> str:
    found = re.fullmatch(r"[\d.]+\s*(\S+)", readable(cell).strip())
    return found[1] if found else ""


def _is_word(value: object) -> bool:
    return isinstance(read_value(as_cell(value)), str)


def _class_of(cell: object) -> str:
    """Return the name of a strategy that has parameters; a name for it is used in each of its forms."""
    text = readable(cell)
    return text.partition(",")[0] if str(cell).startswith("{") and '"class"' in str(cell) else ""
