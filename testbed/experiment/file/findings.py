"""Turn validation errors of the models into messages that say what to write instead."""

import re
import reprlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from testbed.experiment.file.advice import (
    as_list,
    instead_of_key,
    instead_of_missing,
    instead_of_nested,
    instead_of_values,
    written_keys,
)
from testbed.experiment.file.source import existing_path, lookup
from testbed.experiment.schema.experiment import Experiment
from testbed.experiment.schema.figures import EXPRESSION
from testbed.experiment.schema.keys import OWN_KEYS, follow, is_open, keys_of, outline_of
from testbed.values.findings import Finding, Key, KeyPath, did_you_mean
from testbed.values.parts import Named
from testbed.values.quantities import MESSAGE, NEEDED

_TEXT: Final = "text (in quotes if it looks like a number)"
_NEEDED: Final[Mapping[str, str]] = {
    "string_type": _TEXT,
    "string_too_short": _TEXT,
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "finite_number": "a finite number",
    "list_type": "a list",
    "literal_error": "{expected}",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than_equal": "{le:g} or less",
    "too_short": "at least one value",
}


def findings_of(
    error: ValidationError, document: Mapping[str, object], model: type[Experiment], swept: Collection[str] = ()
) -> Iterator[Finding]:
    """Yield a finding for each validation error of a document, in which some keys have values of a sweep."""
    for details in error.errors(include_url=False):
        path = _written_path(details, document)
        offset = details["ctx"]["offset"] if details["type"] == EXPRESSION else None
        value = _value(document, path)
        text = _message(details, path, value, model)
        is_swept = ".".join(map(str, path)) in swept
        if not (is_swept or details["type"] == MESSAGE or _is_free(model, details["loc"])):
            text += instead_of_nested(path, value) or instead_of_values(path, value, document, model)
        yield Finding(path, text, offset)


def shown(value: object) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, Mapping):
        return f"a mapping with {', '.join(map(str, value))}" if value else "an empty mapping"
    if isinstance(value, list):
        return f"the list {reprlib.repr(list(value))}"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, str) else str(value)


def _written_path(details: ErrorDetails, document: object) -> KeyPath:
    """Return the path without tags, as far as the document has it, or should have it."""
    keys = written_keys(details["loc"])
    known = existing_path(document, keys)
    return tuple(keys[: len(known) + (details["type"] == "missing")])


def _value(document: object, path: Sequence[Key]) -> object:
    """Return the value at `path`; for a missing key, the mapping around it."""
    try:
        return lookup(document, path)
    except LookupError:
        return lookup(document, path[:-1])


def _message(details: ErrorDetails, path: KeyPath, value: object, model: type[Experiment]) -> str:
    match details["type"]:
        case "missing":
            return f"is required{instead_of_missing(str(path[-1]), value)}"
        case "extra_forbidden":
            keys = keys_of(follow(model, details["loc"][:-1]))
            hint = instead_of_key(path, keys, value, model)
            own = f", and those of your own that begin with {OWN_KEYS}" if len(path) == 1 else ""
            return f"unknown key{hint}: the keys here are {', '.join(keys)}{own}"
        case "invalid_key":
            return "this key is not text: put it in quotes"
        case kind if kind in {MESSAGE, EXPRESSION}:
            return details["msg"]
    found = path[-1] if details["loc"][-1] == "[key]" else value
    possible = _possible(details, model)
    hint = as_list(found) if details["type"] == "list_type" else _hint(found, possible)
    return f"expected {possible}, found {shown(found)}{hint}"


def _hint(found: object, possible: str) -> str:
    """Return the nearest of the possible words, or how to write what was meant."""
    if isinstance(found, list):
        return ""
    if isinstance(found, Mapping) and possible == _TEXT:
        return " (a text with `: ` in it needs quotes)"
    first, _, rest = str(found).partition(" ")
    if isinstance(found, str) and first in possible.partition("a mapping with ")[2].replace(",", "").split():
        return f" (write {{{first}: {rest or '...'}}})"
    word = next(iter(found), "") if isinstance(found, Mapping) else found
    return did_you_mean(word, [choice for choice in _choices(possible) if choice not in str(word).split()])


def _possible(details: ErrorDetails, model: type[Experiment]) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind in {"model_type", "dict_type"}:
        return _mapping(_type_at(model, details["loc"]))
    if kind != NEEDED and _is_free(model, details["loc"]):
        return "a number, text, or a list of these"
    return _NEEDED[kind].format_map(context) if kind in _NEEDED else details["msg"]


def _mapping(annotation: object) -> str:
    if outline := outline_of(annotation):
        return outline
    keys = keys_of(annotation)
    return f"a mapping with {', '.join(keys)}" if keys else "a mapping whose keys are names of your choice"


def _type_at(model: type[Experiment], path: Sequence[Key]) -> object:
    try:
        return follow(model, path)
    except LookupError:
        return None


def _is_free(model: type[Experiment], path: Sequence[Key]) -> bool:
    """Whether the path leads into a parameter of a topology or a strategy, whose types are unknown here."""
    for depth, key in enumerate(path):
        here = _type_at(model, path[:depth])
        if isinstance(here, type) and issubclass(here, BaseModel) and is_open(here) and key not in keys_of(here):
            return issubclass(here, Named)
    return False


def _choices(possible: str) -> list[str]:
    """Return the words that may have been meant: those in quotes, or the forms in which a value is written."""
    quoted = re.findall("'([^']*)'", possible)
    plain, _, keys = possible.partition("a mapping with ")
    return quoted or ([*re.findall(r"[a-z-]+(?=,)", plain), *re.findall("[a-z_]{3,}", keys)] if keys else [])
