"""A YAML file, with the line and column of everything in it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from testbed.experiment.file.errors import ExperimentError, Place, Problem
from testbed.experiment.file.renamed import Renamed, rename_old_keys
from testbed.experiment.schema.keys import OWN_KEYS
from testbed.tasks.planning import TASKS
from testbed.values.findings import Key, KeyPath

_OUTLINES: Final = ", or ".join(task.outline for task in TASKS.values())
_PARTS: Final = f"an experiment has {_OUTLINES}, or `topology:` for a network"
_HINTS: Final = {
    r"'\t'": ": indent with spaces, not with tabs",
    "mapping values are not allowed": " (is a space missing behind a `:`, or a text with `: ` not in quotes?)",
    "could not find expected ':'": " (is a `:`, or the space behind it, missing in the line before?)",
    "<stream end>": ": a bracket or a quote is not closed",
    "another document": ": a file describes one experiment, so remove the line `---` and what follows",
    "undefined alias": ": write an anchor (&) with this name above it, for instance in a key that begins with x-",
}
"""How to correct the most frequent errors."""
_DUPLICATE: Final = re.compile(r'found duplicate key "(.*?)" with value')


@dataclass(frozen=True)
class Source:
    """A YAML file whose top level is a mapping."""

    file: Path
    text: str
    document: CommentedMap
    """With the present names of its keys."""
    renamed: tuple[Renamed, ...] = ()
    """The old names that the text has instead."""

    @cached_property
    def plain(self) -> dict[str, Any]:
        """The document as plain values, without the author's own keys.

        Aliases share one value; a value that contains itself is None there.
        """
        return {key: value for key, value in self._all.items() if not str(key).startswith(OWN_KEYS)}

    @cached_property
    def own(self) -> dict[str, Any]:
        """The author's own keys, as plain values."""
        return {key: value for key, value in self._all.items() if str(key).startswith(OWN_KEYS)}

    @cached_property
    def _all(self) -> dict[str, Any]:
        plain: dict[str, Any] = _plain(self.document, {})
        return plain

    def place(self, path: Sequence[Key]) -> Place:
        """Return the place of the key at `path`; for a missing key, that of the mapping where it belongs."""
        known = existing_path(self.document, path)
        if not known:
            return Place(self.file, self.document.lc.line + 1, self.document.lc.col + 1)
        parent = lookup(self.document, known[:-1])
        positions = parent.lc.data if isinstance(parent, CommentedMap | CommentedSeq) else None
        if not positions or known[-1] not in positions:  # a key merged by `<<` has the place of its mapping
            return self.place(known[:-1])
        line, column = positions[known[-1]][:2]
        return Place(self.file, line + 1, column + 1)

    def value_place(self, path: Sequence[Key], offset: int = 0) -> Place:
        """Return the place of the value at `path`, `offset` characters into it if it is on one line."""
        parent, key = lookup(self.document, path[:-1]), path[-1]
        positions = parent.lc.data if isinstance(parent, CommentedMap | CommentedSeq) else None
        if not positions or key not in positions:
            return self.place(path)
        line, column = positions[key][-2:]
        written = self.text.splitlines()[line][column:]
        if written.startswith(("|", ">")):
            return Place(self.file, line + 1, column + 1)
        return Place(self.file, line + 1, column + 1 + offset + written.startswith(("'", '"')))


def parse_value(text: str) -> Any:
    """Return the plain value that a text has in YAML."""
    return _plain(YAML().load(text), {})


def _plain(value: object, done: dict[int, Any]) -> Any:
    if id(value) in done:
        return done[id(value)]
    if isinstance(value, CommentedMap):
        done[id(value)] = None
        done[id(value)] = {_plain(key, done): _plain(inner, done) for key, inner in value.items()}
        return done[id(value)]
    if isinstance(value, CommentedSeq):
        done[id(value)] = None
        done[id(value)] = [_plain(inner, done) for inner in value]
        return done[id(value)]
    kinds: tuple[type, ...] = (bool, int, float, str)
    return next((kind(value) for kind in kinds if isinstance(value, kind)), value)


def lookup(document: object, path: Sequence[Key]) -> object:
    """Return the value at `path`; raise LookupError if there is none."""
    for key in path:
        if not _leads_on(document, key):
            raise LookupError(key)
        document = document[key]  # type: ignore[index]
    return document


def existing_path(document: object, path: Sequence[Key]) -> KeyPath:
    """Return the longest beginning of `path` that exists in a document."""
    for depth, key in enumerate(path):
        if not _leads_on(document, key):
            return tuple(path[:depth])
        document = document[key]  # type: ignore[index]
    return tuple(path)


def _leads_on(value: object, key: Key) -> bool:
    return key in value if isinstance(value, Mapping) else isinstance(value, list) and key in range(len(value))


def read_source(file: Path, content: bytes | None = None) -> Source:
    """Read a YAML file, or its content; an ExperimentError says why it cannot be used, and where."""
    return parse_source(file, _read(file, content))


def parse_source(file: Path, text: str) -> Source:
    """Parse the text of a YAML file."""
    document = _parse(file, text)
    if document is None:
        raise _unusable(Place(file), f"the file is empty: {_PARTS}")
    if not isinstance(document, CommentedMap):
        raise _unusable(Place(file, 1, 1), f"expected a mapping of keys at the top level: {_PARTS}")
    renamed = tuple(rename_old_keys(document))
    return Source(file, text, document, renamed)


def _read(file: Path, content: bytes | None) -> str:
    try:
        text = (file.read_bytes() if content is None else content).decode("utf-8")
        return text.replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise _unusable(Place(file), (error.strerror or str(error)).lower()) from error
    except UnicodeDecodeError as error:
        raise _unusable(Place(file), "not a text file in UTF-8") from error


def _parse(file: Path, text: str) -> object:
    try:
        return YAML().load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        raise _unusable(place, _in_words(error.problem or error.context or "")) from error
    except ReaderError as error:
        raise _unusable(Place(file), "not a text file: it contains control characters") from error
    except RecursionError as error:
        raise _unusable(Place(file), "too deeply nested") from error
    except (YAMLError, ValueError) as error:
        raise _unusable(Place(file), f"not YAML: {error}") from error


def _in_words(problem: str) -> str:
    """Return the parser's message, with advice on the most frequent errors."""
    if repeated := _DUPLICATE.match(problem):
        return f"the key {repeated[1]!r} is written twice: write it once"
    hint = next((hint for found, hint in _HINTS.items() if found in problem), "")
    return f"not YAML: {problem}{hint}"


def _unusable(place: Place, message: str) -> ExperimentError:
    return ExperimentError([Problem(place, "", message)])
