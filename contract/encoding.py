"""A fact and its time to one line of JSON, and back. docs/trace.md describes the lines.

    {"t":12.345678,"event":"unchoked","neighbour":3,"by_us":true,"reason":"reciprocal"}

Fields come in the order in which `events` has them, without spaces, in ASCII; None is left out. So equal facts make
equal bytes. A line is put together by an encoder made once for each kind of fact from its dataclass.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields
from json.encoder import encode_basestring_ascii
from math import isfinite
from types import NoneType
from typing import Any, Final, TypeAlias, get_args, get_type_hints

from contract import events
from contract.events import TraceEvent

VERSION: Final = 1
HEADER: Final = "trace"
"""The event of the line that comes first."""

_Write: TypeAlias = Callable[[Any], str]
_Encode: TypeAlias = Callable[[TraceEvent, float], bytes]

EVENTS: Final[dict[str, type[TraceEvent]]] = {
    kind.event: kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, TraceEvent) and kind is not TraceEvent
}
"""Every kind of fact by its event."""


def encode(fact: TraceEvent, now: float) -> bytes:
    """Write a line; `now` in seconds is rounded to microseconds."""
    return _ENCODERS[type(fact)](fact, now)


def decode(line: bytes) -> tuple[float, TraceEvent]:
    """Read a line that is not a header; raises ValueError for one that is not a fact of this version."""
    entries = _entries(line)
    event, t = entries.pop("event", None), entries.pop("t", None)
    kind = EVENTS.get(event) if isinstance(event, str) else None
    if kind is None or not isinstance(t, (int, float)):
        raise ValueError(f"trace: expected 't' and the 'event' of a fact, found {line[:80]!r}")
    known = {each.name: _from_json(entries.pop(each.name, _absent(each))) for each in fields(kind)}
    if entries or MISSING in known.values():
        wrong = [*entries, *(name for name, value in known.items() if value is MISSING)]
        raise ValueError(f"trace, {event}: unknown or missing {', '.join(wrong)}")
    return float(t), kind(**known)


def encode_header(now: float, unix: float, entries: Mapping[str, object]) -> bytes:
    """Write the first line: what made this trace, and the wall clock `unix` at the time `now`."""
    head = {"t": round(now, 6), "event": HEADER, "version": VERSION, "unix": round(unix, 6)}
    return json.dumps(head | dict(entries), separators=(",", ":"), allow_nan=False).encode() + b"\n"


def decode_header(line: bytes) -> dict[str, Any]:
    """Read the first line; raises ValueError for one of another version."""
    entries = _entries(line)
    if entries.get("event") != HEADER or entries.get("version") != VERSION:
        raise ValueError(f"trace: expected the header of version {VERSION}, found {line[:80]!r}")
    return entries


def _entries(line: bytes) -> dict[str, Any]:
    value = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError(f"trace: expected an object, found {line[:80]!r}")
    return value


def _absent(field: Field[Any]) -> object:
    """What a field is that a line leaves out: None if it can be, else it is missing."""
    return None if field.default is None or _is_optional(field.type) else MISSING


def _is_optional(hint: object) -> bool:
    return NoneType in get_args(hint)


def _from_json(value: object) -> object:
    return tuple(_from_json(item) for item in value) if isinstance(value, list) else value


def _make_encoder(kind: type[TraceEvent]) -> _Encode:
    columns = tuple(_columns(kind))
    head = f',"event":"{kind.event}"'

    def encode_kind(fact: TraceEvent, now: float) -> bytes:
        line = f'{{"t":{now:.6f}{head}'
        for name, key, write in columns:
            value = getattr(fact, name)
            if value is not None:
                line += key + write(value)
        return (line + "}\n").encode("ascii")

    return encode_kind


def _columns(kind: type[TraceEvent]) -> Iterator[tuple[str, str, _Write]]:
    hints = get_type_hints(kind)
    for each in fields(kind):
        hint = hints[each.name]
        plain = next(arg for arg in get_args(hint) if arg is not NoneType) if _is_optional(hint) else hint
        yield each.name, f',"{each.name}":', _WRITERS[plain]


def _number(value: float) -> str:
    """JSON knows no infinity: a time that never comes is null."""
    return repr(value) if isfinite(value) else "null"


def _truth(value: object) -> str:
    return "true" if value else "false"


def _row(values: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, values))}]"


def _words(words: tuple[str, ...]) -> str:
    return f"[{','.join(map(encode_basestring_ascii, words))}]"


def _rows(rows: tuple[tuple[int, ...], ...]) -> str:
    return f"[{','.join(map(_row, rows))}]"


_WRITERS: Final[dict[object, _Write]] = {
    int: int.__repr__,
    float: _number,
    bool: _truth,
    str: encode_basestring_ascii,
    tuple[int, ...]: _row,
    tuple[str, ...]: _words,
    tuple[tuple[int, int, int], ...]: _rows,
}
_ENCODERS: Final[dict[type[TraceEvent], _Encode]] = {kind: _make_encoder(kind) for kind in EVENTS.values()}
