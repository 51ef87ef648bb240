"""Swept values as tables write them and as people read them."""

import json
from collections.abc import Iterator


def as_cell(value: object) -> object:
    """Return a swept value as tables write it: numbers and words as in the file, anything else as JSON."""
    if isinstance(value, bool | list | dict) or value is None:
        return json.dumps(value, sort_keys=True)
    return value


def readable(cell: object) -> str:
    """Return a cell in a readable form: a strategy with parameters becomes `bittyrant, excess withheld`."""
    text = str(cell)
    if not text.startswith("{"):
        return text
    try:
        keys: dict[str, object] = json.loads(text)
    except ValueError:
        return text
    name = [str(keys.pop("class"))] if "class" in keys else []
    return ", ".join([*name, *(f"{key} {value}" for key, value in flat(keys))])


def flat(keys: dict[str, object]) -> Iterator[tuple[str, object]]:
    """Yield values with their paths."""
    for key, value in keys.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", each) for inner, each in flat(value))
        else:
            yield key, value
