"""Conditions on the rows of tables."""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from testbed.experiment.language.tokens import Value, read_value

Row: TypeAlias = Mapping[str, object]

COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of a row's value with a constant: `distribution = bittorrent`."""

    name: str
    sign: str
    value: Value
    unit: str = field(default="", compare=False)
    """Of the value, as it is written."""
    offset: int = field(default=0, compare=False)
    """The position of the name in the text; then that of the value."""
    value_offset: int = field(default=0, compare=False)

    def holds(self, row: Row) -> bool:
        """Whether it holds for a row. Values of different types are unequal and have no order."""
        found = read_value(row.get(self.name))
        if found is None or isinstance(found, str) != isinstance(self.value, str):
            return self.sign == "!=" and found is not None
        return COMPARE[self.sign](found, self.value)

    def comparisons(self) -> "Iterator[Comparison]":
        yield self


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions joined by `and` (all) or `or` (any)."""

    parts: "tuple[Condition, ...]"
    of: Callable[[Iterator[bool]], bool]

    def holds(self, row: Row) -> bool:
        return self.of(part.holds(row) for part in self.parts)

    def comparisons(self) -> Iterator[Comparison]:
        for part in self.parts:
            yield from part.comparisons()


@dataclass(frozen=True, slots=True)
class Negation:
    """A condition after `not`."""

    part: "Condition"

    def holds(self, row: Row) -> bool:
        return not self.part.holds(row)

    def comparisons(self) -> Iterator[Comparison]:
        yield from self.part.comparisons()


Condition: TypeAlias = Comparison | Junction | Negation


def names_in(condition: Condition | None) -> tuple[str, ...]:
    """Return the columns that a condition reads; none if there is no condition."""
    comparisons = condition.comparisons() if condition is not None else ()
    return tuple(dict.fromkeys(comparison.name for comparison in comparisons))
