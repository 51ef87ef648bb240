"""Parameters of strategies as users write them: they come through no type checker, and are refused in one line."""

from collections.abc import Sequence


def whole_number(name: str, value: object, *, least: int = 1) -> int:
    """Return a count, or raise ValueError."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name}: expected a whole number, {least} or more, found {value!r}")
    return value


def number(name: str, value: object, *, above: float = 0) -> float:
    """Return a number, or raise ValueError."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not above < value < float("inf"):
        raise ValueError(f"{name}: expected a number above {above:g}, found {value!r}")
    return value


def yes_or_no(name: str, value: object) -> bool:
    """Return a truth, or raise ValueError."""
    if not isinstance(value, bool):
        raise ValueError(f"{name}: expected true or false, found {value!r}")
    return value


def one_of(name: str, value: object, choices: Sequence[str]) -> str:
    """Return one of these words, or raise ValueError."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}: expected {' or '.join(choices)}, found {value!r}")
    return value
