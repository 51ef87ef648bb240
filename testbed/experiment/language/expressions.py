"""The small language of `when:`, `where:` and `expect:`; it is parsed, and never run as code.

    expectation  product (COMPARE product)+ [where condition]
    product      factor (* factor)*
    factor       NUMBER, QUANTITY, COLUMN.mean | median | min | max | p95 | count, or count alone (of rows)
    condition    all of `not`, `and`, `or`, brackets, and
                 NAME COMPARE value, NAME in (value, ...)
    value        a number, a quantity such as 8 Mbit/s, a word, or text in quotes
    COMPARE      = != < <= > >=

A quantity is converted to the first unit of its kind: bit/s, B, s, %, /s. Values of rows are converted in the same way,
so that `8 Mbit/s` in a table equals 8000 kbit/s here.
"""

import operator
import re
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import ceil, floor, nan
from typing import Any, Final, NoReturn, TypeAlias

from testbed.experiment.language.cells import as_cell, readable
from testbed.values import units

Value: TypeAlias = float | str
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
_WORDS: Final = frozenset({"and", "or", "not", "in", "where"})
_UNITS: Final = sorted(
    (
        unit
        for kind in (units.RATE, units.SIZE, units.DURATION, units.PERCENTAGE, units.FREQUENCY)
        for unit in kind.units
    ),
    key=len,
    reverse=True,
)
_TOKEN: Final = re.compile(
    r"\s*(?:"
    rf"(?P<number>-?\d+(?:\.\d+)?)(?:\s*(?P<unit>{'|'.join(map(re.escape, _UNITS))})(?![\w/]))?"
    r"|(?P<word>[A-Za-z_][\w.:-]*)"
    r"""|(?P<text>'[^']*'|"[^"]*")"""
    r"|(?P<sign>==|!=|<=|>=|[=<>()*,])"
    r")"
)
_END: Final = "the end"


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of the values do not exceed, interpolated between two of them."""
    ordered = sorted(values)
    position = (len(ordered) - 1) * percent / 100
    low, high = ordered[floor(position)], ordered[ceil(position)]
    return low + (high - low) * (position - floor(position))


AGGREGATES: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
    "min": min,
    "max": max,
    "p95": lambda values: percentile(values, 95),
}


class ExpressionError(ValueError):
    """A syntax error; `offset` is its position in the text."""

    def __init__(self, offset: int, reason: str) -> None:
        self.offset = offset
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Token:
    """One word of an expression."""

    kind: str
    text: str
    offset: int
    value: Value = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of a row's value with a constant: `distribution = bittorrent`."""

    name: str
    sign: str
    value: Value
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


def names_in(condition: Condition) -> tuple[str, ...]:
    """Return the columns that a condition reads."""
    return tuple(dict.fromkeys(comparison.name for comparison in condition.comparisons()))


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One number from many rows: `payload_ratio.mean`; `count` without a column counts rows."""

    column: str
    name: str
    offset: int = field(default=0, compare=False)
    """Its position in the text."""

    def of(self, rows: Sequence[Row]) -> float:
        """Return the number; nan if no row has one."""
        if not self.column:
            return float(len(rows))
        values = [read_value(row.get(self.column)) for row in rows]
        if self.name == "count":
            return float(sum(value is not None for value in values))
        numbers = [value for value in values if isinstance(value, float)]
        return AGGREGATES[self.name](numbers) if numbers else nan

    def __str__(self) -> str:
        return f"{self.column}.{self.name}" if self.column else self.name


@dataclass(frozen=True, slots=True)
class Product:
    """Numbers and aggregates, multiplied."""

    factors: tuple[float | Aggregate, ...]

    def of(self, rows: Sequence[Row]) -> float:
        result = 1.0
        for factor in self.factors:
            result *= factor.of(rows) if isinstance(factor, Aggregate) else factor
        return result

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        return tuple(factor for factor in self.factors if isinstance(factor, Aggregate))


@dataclass(frozen=True, slots=True)
class Expectation:
    """An expected result: `1 <= payload_ratio.mean < 1.3 where distribution = bittorrent`."""

    text: str
    products: tuple[Product, ...]
    signs: tuple[str, ...]
    where: Condition | None = None

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        return tuple(aggregate for product in self.products for aggregate in product.aggregates)

    @property
    def columns(self) -> tuple[str, ...]:
        used = [aggregate.column for aggregate in self.aggregates if aggregate.column]
        return tuple(dict.fromkeys([*used, *(names_in(self.where) if self.where else ())]))


def read_value(value: object) -> Value | None:
    """Read a cell: a number or a quantity as a number, other text in its readable form, an empty cell as None."""
    if value is None or isinstance(value, bool):
        return None if value is None else str(value).lower()
    if isinstance(value, int | float):
        return None if value != value else float(value)  # noqa: PLR0124 - tables have nan for an empty cell
    text = readable(as_cell(value)).strip()
    matched = _TOKEN.fullmatch(text)
    return _number(matched) if matched and matched["number"] else (text or None)


def parse_condition(text: str) -> Condition:
    """Parse the condition after `when:` or `where`."""
    parser = _Parser(text)
    condition = parser.condition()
    parser.end()
    return condition


def parse_expectation(text: str) -> Expectation:
    """Parse one line of `expect:`."""
    return _Parser(text).expectation()


def _number(matched: re.Match[str]) -> float:
    number, unit = matched["number"], matched["unit"]
    kind = units.kind_of(unit) if unit else None
    if kind is None or number.startswith("-"):
        return float(number)
    return float(number) * float(kind.worth[unit])


def _tokens(text: str) -> Iterator[Token]:
    position, end = 0, len(text.rstrip())
    while position < end:
        matched = _TOKEN.match(text, position)
        if matched is None:
            offset = position + len(text[position:]) - len(text[position:].lstrip())
            raise ExpressionError(offset, f"{text[offset]!r} is not allowed here")
        yield _token(matched)
        position = matched.end()
    yield Token("end", _END, end)


def _token(matched: re.Match[str]) -> Token:
    kind = next(kind for kind in ("number", "word", "text", "sign") if matched[kind] is not None)
    text, offset = matched[0].strip(), matched.start(kind)
    if kind == "number":
        return Token(kind, text, offset, _number(matched))
    if kind == "word" and text in _WORDS:
        return Token("keyword", text, offset)
    return Token(kind, text, offset, readable(text[1:-1]) if kind == "text" else text)


class _Parser:
    """A recursive descent with one token of lookahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._next = next(self._tokens)

    def expectation(self) -> Expectation:
        products, signs = [self.product()], []
        while self._next.text in COMPARE:
            signs.append(self._take().text)
            products.append(self.product())
        if not signs:
            self._refuse("a comparison: =, !=, <, <=, > or >=")
        where = self.condition() if self._took("where") else None
        self.end("`where`, a comparison")
        if not any(product.aggregates for product in products):
            raise ExpressionError(
                0, "it compares no measured value: write a column and an aggregate, such as payload_ratio.mean"
            )
        return Expectation(self._text, tuple(products), tuple(signs), where)

    def product(self) -> Product:
        factors = [self._factor()]
        while self._took("*"):
            factors.append(self._factor())
        return Product(tuple(factors))

    def condition(self) -> Condition:
        parts = [self._conjunction()]
        while self._took("or"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else Junction(tuple(parts), any)

    def end(self, possible: str = "`and`, `or`") -> None:
        if self._next.kind != "end":
            self._refuse(f"{possible} or {_END}")

    def _conjunction(self) -> Condition:
        parts = [self._negation()]
        while self._took("and"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else Junction(tuple(parts), all)

    def _negation(self) -> Condition:
        if self._took("not"):
            return Negation(self._negation())
        if self._took("("):
            inner = self.condition()
            self._need(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        if self._next.kind != "word":
            self._refuse("a name, such as distribution")
        name = self._take()
        if self._took("in"):
            return self._membership(name)
        if self._next.text not in COMPARE:
            self._refuse("=, !=, <, <=, >, >= or in")
        return _compared(name, self._take().text, self._value())

    def _membership(self, name: Token) -> Condition:
        self._need("(")
        values = [self._value()]
        while self._took(","):
            values.append(self._value())
        self._need(")")
        return Junction(tuple(_compared(name, "=", value) for value in values), any)

    def _value(self) -> Token:
        if self._next.kind not in {"number", "word", "text"}:
            self._refuse("a value, such as 8 Mbit/s or bittorrent")
        return self._take()

    def _factor(self) -> float | Aggregate:
        if self._next.kind == "number":
            return float(self._take().value)
        if self._next.kind != "word":
            self._refuse("a number, or a column and an aggregate such as payload_ratio.mean")
        token = self._take()
        column, _, name = token.text.rpartition(".")
        if (name not in AGGREGATES and name != "count") or (not column and name != "count"):
            raise ExpressionError(token.offset, _no_aggregate(token.text, column, name))
        return Aggregate(column, name, token.offset)

    def _took(self, text: str) -> bool:
        """Take the next token if it is this one. A text in quotes never is."""
        found = self._next.kind in {"keyword", "sign"} and self._next.text == text
        if found:
            self._take()
        return found

    def _need(self, text: str) -> None:
        if not self._took(text):
            self._refuse(f"`{text}`")

    def _take(self) -> Token:
        token = self._next
        self._next = next(self._tokens, token)
        return token

    def _refuse(self, possible: str) -> NoReturn:
        found = self._next.text if self._next.kind == "end" else repr(self._next.text)
        raise ExpressionError(self._next.offset, f"expected {possible}, found {found}")


def _compared(name: Token, sign: str, value: Token) -> Comparison:
    return Comparison(name.text, sign, value.value, name.offset, value.offset)


def _no_aggregate(text: str, column: str, name: str) -> str:
    possible = f"{', '.join(AGGREGATES)} or count"
    close = get_close_matches(name, [*AGGREGATES, "count"], n=1) if column else []
    hint = f" (did you mean {column}.{close[0]}?)" if close else ""
    return f"{text!r} has no aggregate{hint}: write {column if close else text}. and one of {possible}"
