"""What to write instead of a frequent mistake in an expectation or a condition; each text follows a message."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

_ONLY_PRODUCTS: Final = ": only products can be written; compare with a multiple instead, as in `a < 1.1 * b`"
_CHARACTERS: Final[Mapping[str, str]] = {
    "/": ": a quotient cannot be written; multiply the other side: `a < 2 * b` for `a / b < 2`",
    "+": _ONLY_PRODUCTS,
    "-": _ONLY_PRODUCTS,
    "≤": ": write <=",
    "≥": ": write >=",
    "≠": ": write !=",
    "!": ": write `not` or !=",
    "&": ": write `and`",
    "|": ": write `or`",
    "[": ": write round brackets",
    "{": ": write round brackets",
    "%": ": a percentage has its number in front, as in 90 %",
}
_WORDS: Final[Mapping[str, str]] = {
    "if": ": write `where`",
    "when": ": write `where`",
    "for": ": write `where`",
    "is": ": write =",
    "equals": ": write =",
}
_SIGNS: Final[Mapping[tuple[str, str], str]] = {
    ("=", ">"): ": write >=",
    ("=", "<"): ": write <=",
    ("<", ">"): ": write !=",
}
_OWN_LINE: Final = ": write each comparison in a line of its own"
_AND: Final = ": write `and` between conditions"
_UNITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(["sec", "secs", "second", "seconds"], "s"),
    **dict.fromkeys(["minute", "minutes", "mins"], "min"),
    **dict.fromkeys(["hour", "hours", "hr"], "h"),
    **dict.fromkeys(["msec", "milliseconds"], "ms"),
    **dict.fromkeys(["percent", "pct"], "%"),
    **dict.fromkeys(["byte", "bytes"], "B"),
}
OWN_WHERE: Final = (
    ": `where` comes last, and selects the rows of all sides; for rows of its own, put a side in brackets, as in"
    " (gain.mean where group = one) < (gain.mean where group = others)"
)
"""For a `where` that is not at the end, and no bracket around it."""
_BEHIND_COMPARISON: Final[Mapping[str, str]] = {"and": _OWN_LINE, "or": _OWN_LINE, ",": _OWN_LINE}
_BEHIND_CONDITION: Final[Mapping[str, str]] = {
    **dict.fromkeys(["=", "==", "!=", "<", "<=", ">", ">=", "*"], OWN_WHERE),
    **dict.fromkeys([",", "where", "if", "when", "for"], _AND),
}
_IS_UNIT: Final = ": if it is meant as a unit, docs/experiment.md lists the units"
_KEYWORDS: Final = ("where", "and", "or", "not", "in")

SYNONYMS: Final[Mapping[str, str]] = {
    "avg": "mean",
    "average": "mean",
    "med": "median",
    "p50": "median",
    "minimum": "min",
    "least": "min",
    "maximum": "max",
    "most": "max",
    "p90": "p95",
    "p99": "p95",
    "n": "count",
    "number": "count",
    "len": "count",
}
"""Other names of aggregates, or of those that come nearest."""


def instead_of_character(character: str) -> str:
    """Return what to write instead of a character that the language does not have."""
    return _CHARACTERS.get(character, "")


def instead_of_word(before: str, word: str) -> str:
    """Return what to write instead of a word or sign, given the one before it."""
    near = get_close_matches(word, _KEYWORDS, n=1)
    return _SIGNS.get((before, word), "") or _WORDS.get(word, "") or (f" (did you mean {near[0]}?)" if near else "")


def at_end(word: str, *, has_condition: bool) -> str:
    """Return what to write instead of a word or sign behind a whole comparison, or behind its condition."""
    return (_BEHIND_CONDITION if has_condition else _BEHIND_COMPARISON).get(word, "")


def instead_of_unit(unit: str) -> str:
    """Return advice for a word behind a number."""
    return f" (did you mean {_UNITS[unit]}?)" if unit in _UNITS else _IS_UNIT
