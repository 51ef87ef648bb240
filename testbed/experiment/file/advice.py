"""What the author of a file may have meant by a key or a value that cannot be there; each text follows a message."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from typing import Final

from pydantic import BaseModel, ValidationError

from testbed.experiment.file.sweep import NOT_SWEPT, with_value
from testbed.experiment.schema.keys import key_paths
from testbed.values.findings import Key, KeyPath, did_you_mean

SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "up": ("upload", "uplink", "upstream", "bandwidth", "rate", "speed"),
    "down": ("download", "downlink", "downstream"),
    "delay": ("latency", "rtt", "ping"),
    "count": ("number", "n", "N", "amount", "hosts", "peers"),
    "strategy": ("client", "algorithm", "behaviour", "behavior"),
    "servers": ("seeds", "seeders", "source"),
    "peers": ("leeches", "leechers", "clients", "groups", "nodes", "hosts"),
    "class": ("name", "type", "kind"),
    "kind": ("type", "class", "protocol"),
    "size": ("length", "bytes"),
    "time_limit": ("timeout", "limit", "duration", "max_time", "deadline"),
    "repeat": ("repetitions", "repeats", "runs", "trials", "iterations"),
    "sweep": ("vary", "parameters", "grid", "matrix"),
    "expect": ("expectations", "assert", "assertions", "hypotheses"),
    "figures": ("plots", "graphs", "charts"),
    "series": ("hue", "lines", "group"),
    "trace_level": ("log_level", "logging"),
    "departure": ("leave", "leaves", "exit"),
    "arrival": ("join", "joins", "arrive"),
    "question": ("description", "comment", "about"),
}
"""Keys, and what others call them."""
_LONGEST_VALUE: Final = 60
_VALUES_TRIED: Final = 10
_NOT_IN_BRACKETS: Final = frozenset(",[]{}#:'\"")
"""What has a meaning of its own in a list on one line."""
_TAG: Final = re.compile(r"<.*>|\[key\]")
"""A part of a validation error's place that no file has: the form of a value, or that a key itself is meant."""


def instead_of_key(path: KeyPath, keys: Sequence[str], value: object, model: type[BaseModel]) -> str:
    """Return what may have been meant by a key that is unknown at its place, given the keys that are known there."""
    key = str(path[-1])
    if near := did_you_mean(key, keys):
        return near
    if meant := [known for known in keys if key in SYNONYMS.get(known, ())]:
        return f" (did you mean {meant[0]}?)"
    if key[:1].isdigit() and value is None:
        return " (is the comma before it a decimal one? Write a point)"
    if places := _places_of(key, model):
        return f" (it belongs to {' or '.join(places)}: is its indentation right?)"
    return ""


def instead_of_missing(key: str, written: object) -> str:
    """Return which of the written keys may have been meant as the missing one."""
    words = [str(word) for word in written] if isinstance(written, Mapping) else []
    close = get_close_matches(key, words, n=1) or [word for word in words if word in SYNONYMS.get(key, ())]
    return f" (was {close[0]!r} meant to be this key?)" if close else ""


def instead_of_values(path: KeyPath, value: object, document: Mapping[str, object], model: type[BaseModel]) -> str:
    """Return how to sweep a key, if it has several values of which each could be its only one."""
    if not _is_several(value) or not all(isinstance(key, str) for key in path):
        return ""
    if path == ("seed",):
        return ": to have several trials, each with its own draws, write `repeat:`"
    keys = [str(key) for key in path]
    tried = islice(_values(value), _VALUES_TRIED)
    if keys[0] in NOT_SWEPT or not any(_fits(each, keys, document, model) for each in tried):
        return ""
    return f": to vary it, write `{'.'.join(keys)}: {_short(value)}` under `sweep:`"


def instead_of_nested(path: KeyPath, value: object) -> str:
    """Return how to write a swept key that was written below the keys around it."""
    keys = [str(key) for key in path[1:]]
    if path[:1] != ("sweep",) or not keys or not isinstance(value, Mapping) or "from" in value:
        return ""
    while isinstance(value, Mapping) and value and "from" not in value:
        key, value = next(iter(value.items()))
        keys.append(str(key))
    return f": write the path of the key, as in `{'.'.join(keys)}: {_short(value)}`" if _is_several(value) else ""


def as_list(value: object) -> str:
    """Return how to write the only value of a list."""
    if not isinstance(value, str | int | float) or isinstance(value, bool) or len(str(value)) > _LONGEST_VALUE:
        return ""
    return f" (write `- {value}` in the next line)" if set(str(value)) & _NOT_IN_BRACKETS else f" (write [{value}])"


def written_keys(place: Sequence[Key]) -> list[Key]:
    """Return the place of a validation error as keys of the file."""
    return [key for key in place if not _TAG.fullmatch(str(key))]


def _places_of(key: str, model: type[BaseModel]) -> list[str]:
    """Return the mappings outside figures and sweeps that have a key of this name."""
    parents = (path.rpartition(".")[0] for path, _ in key_paths(model) if path.endswith(f".{key}"))
    return [parent for parent in dict.fromkeys(parents) if re.fullmatch(r"[a-z]+(\.NAME)?", parent)][:3]


def _is_several(value: object) -> bool:
    return isinstance(value, list) or (isinstance(value, Mapping) and {"from", "to"} <= value.keys())


def _values(value: object) -> Iterator[object]:
    """Return values of a list or a range."""
    yield from value if isinstance(value, list) else [value["from"]] if isinstance(value, Mapping) else []


def _fits(value: object, keys: Sequence[str], document: Mapping[str, object], model: type[BaseModel]) -> bool:
    """Whether a file with this value has no mistake there."""
    try:
        model.model_validate(with_value(document, keys, value))
    except ValidationError as error:
        places = (written_keys(details["loc"]) for details in error.errors(include_url=False))
        return not any(place[: len(keys)] == keys for place in places)
    return True


def _short(value: object) -> str:
    text = in_file(value)
    return text if len(text) <= _LONGEST_VALUE else "[...]"


def in_file(value: object) -> str:
    """Return a value as a file has it on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {in_file(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(in_file, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
