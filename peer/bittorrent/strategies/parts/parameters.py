"""Checks of parameters as users write them: each returns the value, or raises ValueError with a one-line message."""

from collections.abc import Sequence


def whole_number(name: str, value: object, *, least: int = 1) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name}: expected a whole number, {least} or more, found {value!r}")
    return value


def number(name: str, value: object, *, above: float = 0) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not above < value < float("inf"):
        raise ValueError(f"{name}: expected a number above {above:g}, found {value!r}")
    return value


def yes_or_no(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name}: expected true or false, found {value!r}")
    return value


def one_of(name: str, value: object, choices: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}: expected {' or '.join(choices)}, found {value!r}")
    return value
