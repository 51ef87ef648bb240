"""Trace events with their times, as lines of JSON and back. docs/trace.md describes the lines.

    {"t":12.345678,"event":"unchoked","neighbour":3,"by_us":true,"reason":"reciprocates"}

Fields are written in the order of `events`, without spaces, in ASCII; None is left out. So equal events make equal
bytes. Each class of event has one encoder, made from its dataclass. Readers accept any JSON with the same fields, in
any order; a field or an event that the contract does not have is an error.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields
from json.encoder import encode_basestring_ascii
from math import isfinite
from types import NoneType
from typing import Any, Final, TypeAlias, get_args, get_type_hints

from contract import events, overlay_events
from contract.events import TraceEvent

VERSION: Final = 1
HEADER: Final = "trace"
"""The event of the first line."""

_Write: TypeAlias = Callable[[Any], str]
Entries: TypeAlias = dict[str, Any]
"""A line as parsed JSON."""
_Encode: TypeAlias = Callable[[TraceEvent, float], bytes]

EVENTS: Final[dict[str, type[TraceEvent]]] = {
    kind.event: kind
    for module in (events, overlay_events)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, TraceEvent) and kind is not TraceEvent
}
"""Every class of event by the name that a line has."""


def encode(event: TraceEvent, now: float) -> bytes:
    """Write a line; `now` in seconds is rounded to microseconds."""
    return _ENCODERS[type(event)](event, now)


def decode(line: bytes) -> tuple[float, TraceEvent]:
    """Read a line that is not a header; raises ValueError for one that is not an event of this version."""
    entries = parse(line)
    t, kind = time_and_kind(entries)
    return t, make_event(kind, entries)


def parse(line: bytes) -> Entries:
    """Read a line as JSON; raises ValueError if it is not an object."""
    value = json.loads(line.decode())
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, found {line[:80]!r}")
    return value


def time_and_kind(entries: Entries) -> tuple[float, type[TraceEvent]]:
    """Return the time of a line and the class of its event, whose fields are not checked."""
    event, t = entries.get("event"), entries.get("t")
    kind = EVENTS.get(event) if isinstance(event, str) else None
    if kind is None:
        raise ValueError(f"version {VERSION} has no event {event!r}")
    if not isinstance(t, (int, float)):
        raise ValueError(f"{event}: expected the time 't', found {t!r}")
    return float(t), kind


def make_event(kind: type[TraceEvent], entries: Entries) -> TraceEvent:
    """Make an event from its line; raises ValueError for fields that it does not have, or that are missing."""
    values = {**_OPTIONAL[kind], **entries}
    del values["t"], values["event"]
    for name in _LISTS[kind]:
        if name in values:
            values[name] = _tuples(values[name])
    try:
        return kind(**values)
    except TypeError as error:
        known = {each.name for each in fields(kind)}
        required = {each.name for each in fields(kind) if each.default is MISSING}
        wrong = sorted((values.keys() - known) | (required - values.keys()))
        raise ValueError(f"{kind.event}: unknown or missing {', '.join(wrong)}") from error


def encode_header(now: float, unix: float, entries: Mapping[str, object]) -> bytes:
    """Write the first line: what made this trace, and the wall clock `unix` at the time `now`."""
    head = {"t": round(now, 6), "event": HEADER, "version": VERSION, "unix": round(unix, 6)}
    return json.dumps(head | dict(entries), separators=(",", ":"), allow_nan=False).encode() + b"\n"


def decode_header(line: bytes) -> Entries:
    """Read the first line; raises ValueError for one of another version."""
    return check_header(parse(line))


def check_header(entries: Entries) -> Entries:
    """Return the entries of a header of this version; raises ValueError for any other line."""
    if entries.get("event") != HEADER:
        raise ValueError(f"expected the header, found {entries.get('event')!r}")
    if entries.get("version") != VERSION or not isinstance(entries.get("t"), (int, float)):
        raise ValueError(f"expected the header of version {VERSION}, found version {entries.get('version')}")
    return entries


def _is_optional(hint: object) -> bool:
    return NoneType in get_args(hint)


def _tuples(value: object) -> object:
    """Return a value as an event has it: JSON has lists for tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _make_encoder(kind: type[TraceEvent]) -> _Encode:
    columns = tuple(_columns(kind))
    head = f',"event":"{kind.event}"'

    def encode_kind(event: TraceEvent, now: float) -> bytes:
        line = f'{{"t":{now:.6f}{head}'
        for name, key, write in columns:
            value = getattr(event, name)
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
    """JSON has no infinity: a time that never comes is null."""
    return repr(value) if isfinite(value) else "null"


def _truth(value: object) -> str:
    return "true" if value else "false"


def _row(values: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, values))}]"


def _words(words: tuple[str, ...]) -> str:
    return f"[{','.join(map(encode_basestring_ascii, words))}]"


def _rows(rows: tuple[tuple[int, ...], ...]) -> str:
    return f"[{','.join(map(_row, rows))}]"


def _cost(cost: tuple[str, int, int]) -> str:
    return f"[{encode_basestring_ascii(cost[0])},{cost[1]},{cost[2]}]"


def _costs(costs: tuple[tuple[str, int, int], ...]) -> str:
    return f"[{','.join(map(_cost, costs))}]"


_WRITERS: Final[dict[object, _Write]] = {
    int: int.__repr__,
    float: _number,
    bool: _truth,
    str: encode_basestring_ascii,
    tuple[int, ...]: _row,
    tuple[str, ...]: _words,
    tuple[tuple[int, int, int], ...]: _rows,
    tuple[tuple[str, int, int], ...]: _costs,
}
_ENCODERS: Final[dict[type[TraceEvent], _Encode]] = {kind: _make_encoder(kind) for kind in EVENTS.values()}
_OPTIONAL: Final[dict[type[TraceEvent], dict[str, None]]] = {
    kind: {each.name: None for each in fields(kind) if _is_optional(each.type)} for kind in EVENTS.values()
}
"""The fields that a line leaves out where they are None."""
_LISTS: Final[dict[type[TraceEvent], tuple[str, ...]]] = {
    kind: tuple(each.name for each in fields(kind) if "tuple" in str(each.type)) for kind in EVENTS.values()
}
"""The fields that are lists in JSON."""
