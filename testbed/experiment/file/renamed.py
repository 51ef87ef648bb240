"""Keys that have another name by now: files that still use the old one are read as if they had the new one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ruamel.yaml.comments import CommentedMap, CommentedSeq

_LEVEL: Final = ("trace", "trace_level")
_CSV: Final = ("trace", "csv")
_CSV_KEYS: Final = {"trace", "column"}


@dataclass(frozen=True, slots=True)
class Renamed:
    """An old key that was found, with its line and column from 1, and its new name."""

    old: str
    new: str
    line: int
    column: int


def rename_old_keys(document: CommentedMap) -> Iterator[Renamed]:
    """Give every old key of a document its new name where it stands, and yield each."""
    for mapping in (document, document.get("sweep"), _lookup(document, "sweep", "zip")):
        if isinstance(mapping, CommentedMap):
            yield from _rename(mapping, *_LEVEL)
    if document.get("pair") == "trace":
        document["pair"] = "trace_level"
    yield from _rename_csv_keys(document, set())


def _lookup(document: CommentedMap, *path: str) -> object:
    value: object = document
    for key in path:
        value = value.get(key) if isinstance(value, CommentedMap) else None
    return value


def _rename_csv_keys(value: object, seen: set[int]) -> Iterator[Renamed]:
    """A mapping of a file and perhaps a column, wherever it stands, is `{csv: FILE, column: NAME}` now."""
    if not isinstance(value, CommentedMap | CommentedSeq) or id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, CommentedMap) and isinstance(value.get("trace"), str) and value.keys() <= _CSV_KEYS:
        yield from _rename(value, *_CSV)
    for inner in value.values() if isinstance(value, CommentedMap) else value:
        yield from _rename_csv_keys(inner, seen)


def _rename(mapping: CommentedMap, old: str, new: str) -> Iterator[Renamed]:
    """Rename a key that is written in this mapping itself; what `<<` merges in is renamed where it stands."""
    positions = mapping.lc.data or {}
    if old not in positions or new in mapping:
        return
    mapping.insert(list(mapping).index(old), new, mapping[old])
    del mapping[old]
    line, column = positions[old][:2]
    positions[new] = positions.pop(old)
    yield Renamed(old, new, line + 1, column + 1)
