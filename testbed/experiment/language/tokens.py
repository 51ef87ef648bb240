"""The words of the small language, and the values of cells, which are read in the same way."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from testbed.experiment.language.advice import instead_of_character
from testbed.experiment.language.cells import as_cell, readable
from testbed.values import units

Value: TypeAlias = float | str

END: Final = "the end"
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
    unit: str = ""
    """Of a quantity."""

    @property
    def end(self) -> int:
        return self.offset + len(self.text)


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a text, and then one for its end."""
    position, end = 0, len(text.rstrip())
    while position < end:
        matched = _TOKEN.match(text, position)
        if matched is None:
            offset = position + len(text[position:]) - len(text[position:].lstrip())
            raise ExpressionError(offset, f"{text[offset]!r} is not allowed here{instead_of_character(text[offset])}")
        yield _token(matched)
        position = matched.end()
    yield Token("end", END, end)


def read_value(value: object) -> Value | None:
    """Read a cell: a number or a quantity as a number, other text in its readable form, an empty cell as None."""
    if value is None or isinstance(value, bool):
        return None if value is None else str(value).lower()
    if isinstance(value, int | float):
        return None if value != value else float(value)  # noqa: PLR0124 - tables have nan for an empty cell
    text = readable(as_cell(value)).strip()
    matched = _TOKEN.fullmatch(text)
    return _number(matched) if matched and matched["number"] else (text or None)


def _token(matched: re.Match[str]) -> Token:
    kind = next(kind for kind in ("number", "word", "text", "sign") if matched[kind] is not None)
    text, offset = matched[0].strip(), matched.start(kind)
    if kind == "number":
        return Token(kind, text, offset, _number(matched), matched["unit"] or "")
    if kind == "word" and text in _WORDS:
        return Token("keyword", text, offset)
    return Token(kind, text, offset, readable(text[1:-1]) if kind == "text" else text)


def _number(matched: re.Match[str]) -> float:
    number, unit = matched["number"], matched["unit"]
    kind = units.kind_of(unit) if unit else None
    if kind is None or number.startswith("-"):
        return float(number)
    return float(number) * float(kind.worth[unit])
