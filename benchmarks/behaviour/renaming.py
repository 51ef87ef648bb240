"""Translation between old and new names, by the tables in `project`."""

from collections.abc import Mapping
from typing import Any

from benchmarks.behaviour.project import ADDED_FACTS, ADDED_FIELDS, RENAMED_FACTS, RENAMED_FIELDS

Line = dict[str, Any]


def old_name(names: Mapping[str, str], name: str, within: str = "") -> str:
    """Return a name as it was when the record was made; `within` is the current name of its event or table."""
    return names.get(f"{within}.{name}", names.get(name, name))


def new_name(names: Mapping[str, str], name: str, within: str = "") -> str:
    """Return the current form of an old name."""
    became = [new for new, old in names.items() if old == name]
    scoped = [new.removeprefix(f"{within}.") for new in became if new.startswith(f"{within}.")]
    return next(iter((*scoped, *(new for new in became if "." not in new), name)))


def is_in(names: frozenset[str], name: str, within: str = "") -> bool:
    """Return whether a set has a name, alone or qualified by this event or table."""
    return name in names or f"{within}.{name}" in names


def old_value(value: Any, event: str = "", names: Mapping[str, str] = RENAMED_FIELDS) -> Any:
    """Return a JSON value with the old names of its fields, without added ones."""
    if isinstance(value, dict):
        return {
            old_name(names, key, event): old_value(inner, event, names)
            for key, inner in value.items()
            if not is_in(ADDED_FIELDS, key, event)
        }
    if isinstance(value, list):
        return [old_value(each, event, names) for each in value]
    return value


def new_value(value: Any, event: str = "") -> Any:
    """Return an old JSON value with the current names of its fields."""
    if isinstance(value, dict):
        return {new_name(RENAMED_FIELDS, key, event): new_value(inner, event) for key, inner in value.items()}
    if isinstance(value, list):
        return [new_value(each, event) for each in value]
    return value


def old_line(line: Line) -> Line | None:
    """Return a trace line in its old form; None if its event is new."""
    event = line["event"]
    if event in ADDED_FACTS:
        return None
    renamed: Line = old_value(line, event)
    return {**renamed, "event": old_name(RENAMED_FACTS, event)}


def new_line(line: Line) -> Line:
    """Return an old trace line in its current form."""
    event = new_name(RENAMED_FACTS, line["event"])
    renamed: Line = new_value(line, event)
    return {**renamed, "event": event}
