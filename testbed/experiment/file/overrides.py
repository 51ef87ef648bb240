"""Values that take the place of those in a file: `--set peers.homes.count=8` on the command line.

A swept key takes the value, or the list of values, as its only ones, so that tables and figures keep its column. The
text of the file is changed too: the copy in a run folder describes the run.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from testbed.experiment.file.errors import ExperimentError, Place, Problem
from testbed.experiment.file.source import Source, parse_source, parse_value
from testbed.experiment.file.sweep import swept_keys, unknown_key, with_value
from testbed.experiment.schema.experiment import MODELS, task_named
from testbed.values.findings import Key

_OPTION: Final = "--set"
_SWEEP: Final = "sweep"
_ZIP: Final = "zip"
_OF_SWEEP: Final = frozenset({_ZIP, "when"})


@dataclass(frozen=True)
class Override:
    """A value, and where it belongs in the file."""

    written: str
    path: tuple[str, ...]
    value: Any

    @property
    def place(self) -> Place:
        return Place(Path(f"{_OPTION} {self.written}"))


@dataclass(frozen=True)
class OverriddenSource(Source):
    """A file some of whose values were given elsewhere. Other places are those of the file as it was written."""

    original: Source = field(kw_only=True)
    overrides: tuple[Override, ...] = field(kw_only=True)

    def place(self, path: Sequence[Key]) -> Place:
        found = self._override_of(path)
        return found.place if found else self.original.place(path)

    def value_place(self, path: Sequence[Key], offset: int = 0) -> Place:
        found = self._override_of(path)
        return found.place if found else self.original.value_place(path, offset)

    def _override_of(self, path: Sequence[Key]) -> Override | None:
        wanted = tuple(path)
        return next((each for each in reversed(self.overrides) if wanted[: len(each.path)] == each.path), None)


def overridden(source: Source, settings: Sequence[str]) -> Source:
    """Return the file with other values for some keys; an ExperimentError lists those that cannot be set."""
    if not settings:
        return source
    read = [_read(written, source.plain) for written in settings]
    problems = [each for each in read if isinstance(each, Problem)]
    if problems:
        raise ExperimentError(problems)
    overrides = tuple(each for each in read if isinstance(each, Override))
    text = _changed_text(source, overrides)
    changed = parse_source(source.file, text)
    return OverriddenSource(source.file, text, changed.document, source.renamed, original=source, overrides=overrides)


def _read(written: str, document: Mapping[str, Any]) -> Override | Problem:
    place = Place(Path(f"{_OPTION} {written}"))
    key, equals, text = written.partition("=")
    if not equals or not key.strip():
        return Problem(place, "", "expected a key and its value, such as peers.homes.count=8")
    try:
        value = parse_value(text)
    except (YAMLError, ValueError):
        return Problem(place, "", f"{text!r} is not a value of YAML: does it need quotes?")
    path = _path(key.strip(), document)
    reason = _refusal(path, document)
    return Problem(place, "", reason) if reason else Override(written, path, _in_sweep(path, value))


def _path(key: str, document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return where a key is in the file: in the sweep, if it is swept. The sweep's keys have dots in their names."""
    swept = {place[-1]: place for place in swept_keys(document)}
    if key in swept:
        return swept[key]
    first, _, rest = key.partition(".")
    if first != _SWEEP or not rest or rest in _OF_SWEEP:
        return tuple(key.split("."))
    kind, _, zipped = rest.partition(".")
    return (_SWEEP, _ZIP, zipped) if kind == _ZIP else (_SWEEP, rest)


def _in_sweep(path: tuple[str, ...], value: object) -> object:
    """Return one value as the list of one that a sweep needs; a range is a mapping with `from`."""
    if path[0] != _SWEEP or len(path) == 1 or path[-1] in _OF_SWEEP:
        return value
    is_range = isinstance(value, Mapping) and "from" in value
    return value if is_range or isinstance(value, list) else [value]


def _refusal(path: tuple[str, ...], document: Mapping[str, Any]) -> str:
    """Return why a key cannot be set; empty if it can."""
    if path[0] == _SWEEP:
        return ""
    key = ".".join(path)
    for place in swept_keys(document):
        if key.startswith(f"{place[-1]}."):
            return f"{place[-1]} is swept, and its values replace this one: set it instead"
    return unknown_key(path, document, MODELS[task_named(document)])


def _changed_text(source: Source, overrides: Sequence[Override]) -> str:
    """Return the text with the new values, and with its comments unless a value is shared by an alias."""
    wanted = source.plain
    for override in overrides:
        wanted = with_value(wanted, override.path, override.value)
    document = parse_source(source.file, source.text).document
    for override in overrides:
        _put(document, override.path, override.value)
    head = "".join(f"# changed by {_OPTION} {' '.join(override.written.split())}\n" for override in overrides)
    text = head + _dumped(document)
    return text if parse_source(source.file, text).plain == wanted else head + _dumped(wanted)


def _put(document: CommentedMap, path: Sequence[str], value: object) -> None:
    *parents, last = path
    for key in parents:
        inner = document.get(key)
        if isinstance(inner, str):  # a name is short for a mapping with a class
            inner = CommentedMap({"class": str(inner)})
        document[key] = inner if isinstance(inner, CommentedMap) else CommentedMap()
        document = document[key]
    document[last] = value


def _dumped(document: object) -> str:
    yaml = YAML()
    yaml.width = 1 << 20
    text = io.StringIO()
    yaml.dump(document, text)
    return text.getvalue()
