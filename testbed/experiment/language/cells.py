"""How a swept value stands in a table, and how people name it."""

import json


def as_cell(value: object) -> object:
    """Return a swept value as tables have it: numbers and words as they were written."""
    if isinstance(value, bool | list | dict) or value is None:
        return json.dumps(value, sort_keys=True)
    return value


def readable(cell: object) -> str:
    """Return a cell as people read it: a strategy with its parameters is `bittyrant, excess withheld`."""
    text = str(cell)
    if not text.startswith("{"):
        return text
    try:
        keys: dict[str, object] = json.loads(text)
    except ValueError:
        return text
    name = [str(keys.pop("class"))] if "class" in keys else []
    return ", ".join([*name, *(f"{key} {value}" for key, value in keys.items())])
