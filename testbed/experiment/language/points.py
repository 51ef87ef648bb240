"""Short names for the points of a sweep, for terminals and pages."""

from collections.abc import Mapping, Sequence
from typing import Final

from testbed.experiment.language.cells import as_cell, readable

WIDEST: Final = 40
"""The most characters of a swept value: a list of rates can be long."""
WIDEST_POINT: Final = 80
"""The most characters of a point's name, if possible: zipped keys are redundant."""

Point = Mapping[str, object]


def telling_keys(points: Sequence[Point]) -> list[str]:
    """Return the swept keys to show: those with long values are dropped if the others distinguish the points.

    If names of points are still too long, the last keys are dropped under the same condition.
    """
    keys = list(points[0]) if points else []
    for key in [key for key in keys if any(len(_in_full(point[key])) > WIDEST for point in points)]:
        keys = _without(key, keys, points)
    for key in reversed(keys):
        if max(len(_name(point, keys)) for point in points) > WIDEST_POINT:
            keys = _without(key, keys, points)
    return keys


def _without(key: str, keys: list[str], points: Sequence[Point]) -> list[str]:
    """Drop a key, if the others distinguish the points."""
    others = [other for other in keys if other != key]
    return others if _distinct(points, others) == _distinct(points, keys) else keys


def _distinct(points: Sequence[Point], keys: Sequence[str]) -> int:
    return len({tuple(_in_full(point[key]) for key in keys) for point in points})


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return the shortest ending of each key that no other key has."""
    return {key: _last_words(key, [other for other in keys if other != key]) for key in keys}


def _last_words(key: str, others: Sequence[str]) -> str:
    words = key.split(".")
    names = (".".join(words[-count:]) for count in range(1, len(words) + 1))
    return next((name for name in names if not any(f".{other}".endswith(f".{name}") for other in others)), key)


def short(value: object) -> str:
    """Return a value in its readable form, shortened if it is too long."""
    text = _in_full(value)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."


def _in_full(value: object) -> str:
    return readable(as_cell(value))


def name_of(point: Point, points: Sequence[Point]) -> str:
    """Name one of the points of a plan."""
    return _name(point, telling_keys(points))


def names_of(points: Sequence[Point]) -> list[str]:
    """Name all points of a plan."""
    keys = telling_keys(points)
    return [_name(point, keys) for point in points]


def _name(point: Point, keys: Sequence[str]) -> str:
    names = short_names(keys)
    return ", ".join(f"{names[key]} {short(point[key])}" for key in keys)
