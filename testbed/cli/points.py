"""How the points of a sweep are named where there is little room: on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Final

from testbed.experiment.language.cells import as_cell, readable

WIDEST: Final = 40
"""Characters of a swept value: a list of rates can be long."""
WIDEST_POINT: Final = 80
"""Characters of a point's name, if it can be had: keys that are swept together say the same several times."""

Point = Mapping[str, object]


def telling_keys(points: Sequence[Point]) -> list[str]:
    """Return the swept keys without those whose values are long, as long as the others tell the points apart.

    Where names of points would be long all the same, those that come last are left out, as long as that holds.
    """
    keys = list(points[0]) if points else []
    for key in [key for key in keys if any(len(_in_full(point[key])) > WIDEST for point in points)]:
        keys = _without(key, keys, points)
    for key in reversed(keys):
        if max(len(_name(point, keys)) for point in points) > WIDEST_POINT:
            keys = _without(key, keys, points)
    return keys


def _without(key: str, keys: list[str], points: Sequence[Point]) -> list[str]:
    """Leave a key out, if the others tell the points apart."""
    others = [other for other in keys if other != key]
    return others if _distinct(points, others) == _distinct(points, keys) else keys


def _distinct(points: Sequence[Point], keys: Sequence[str]) -> int:
    return len({tuple(_in_full(point[key]) for key in keys) for point in points})


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return the last words of each key, as many as no other key ends with."""
    return {key: _last_words(key, [other for other in keys if other != key]) for key in keys}


def _last_words(key: str, others: Sequence[str]) -> str:
    words = key.split(".")
    names = (".".join(words[-count:]) for count in range(1, len(words) + 1))
    return next((name for name in names if not any(f".{other}".endswith(f".{name}") for other in others)), key)


def short(value: object) -> str:
    """Return a value as people read it, cut where it would be too long."""
    text = _in_full(value)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."


def _in_full(value: object) -> str:
    return readable(as_cell(value))


def name_of(point: Point, points: Sequence[Point]) -> str:
    """Name one of the points of a plan."""
    return _name(point, telling_keys(points))


def _name(point: Point, keys: Sequence[str]) -> str:
    names = short_names(keys)
    return ", ".join(f"{names[key]} {short(point[key])}" for key in keys)
