"""One message as a row: of a table on the terminal, of CSV and Parquet, and of JSON."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from testbed.cli.pcap.source import Source
from testbed.runfolder.captures import Sighting
from testbed.wiretap.messages import Message

Row: TypeAlias = dict[str, Any]

COLUMNS: Final[Mapping[str, type]] = {
    "t": float,
    "place": str,
    "packet": int,
    "connection": int,
    "from": str,
    "from_group": str,
    "from_address": str,
    "from_port": int,
    "to": str,
    "to_group": str,
    "to_address": str,
    "to_port": int,
    "message": str,
    "index": int,
    "begin": int,
    "length": int,
    "offset": int,
    "bytes": int,
    "fields": str,
}
"""The columns of CSV and Parquet; docs/captures.md explains them."""
_OWN_COLUMNS: Final = ("index", "begin", "length")


def row_of(sighting: Sighting, source: Source) -> Row:
    """Return the cells of a message; what few messages have is JSON in the last one."""
    message = sighting.message
    rest = {name: value for name, value in message.fields.items() if name not in _OWN_COLUMNS}
    return {
        **_common(sighting, source),
        **{name: message.fields.get(name) for name in _OWN_COLUMNS},
        "offset": message.offset,
        "bytes": message.length,
        "fields": json.dumps(_plain(rest), separators=(",", ":")) if rest else None,
    }


def object_of(sighting: Sighting, source: Source) -> Row:
    """Return a message as JSON has it."""
    message = sighting.message
    return {
        **_common(sighting, source),
        "offset": message.offset,
        "bytes": message.length,
        "fields": _plain(message.fields),
    }


def _common(sighting: Sighting, source: Source) -> Row:
    message = sighting.message
    sender, receiver = source.name(message.source), source.name(message.destination)
    return {
        "t": round(source.seconds(message.time), 9),
        "place": sighting.place,
        "packet": message.packet,
        "connection": message.connection,
        "from": sender,
        "from_group": source.groups.get(sender, ""),
        "from_address": message.source.address,
        "from_port": message.source.port,
        "to": receiver,
        "to_group": source.groups.get(receiver, ""),
        "to_address": message.destination.address,
        "to_port": message.destination.port,
        "message": message.kind,
    }


def _plain(value: Any) -> Any:
    """Return a value as JSON can have it: bytes as hex digits."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def in_words(message: Message) -> str:
    """Describe a message: `request 4:16384+16384`, which is piece, first byte and length."""
    fields = dict(message.fields)
    words = [message.kind]
    if "index" in fields:
        index, begin, length = (fields.pop(name, None) for name in _OWN_COLUMNS)
        words.append(f"{index}" if begin is None else f"{index}:{begin}" + (f"+{length}" if length else ""))
    words += _in_short(fields)
    return " ".join(words)


def _in_short(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        shown = _plain(value)
        yield f"{name}={shown if isinstance(shown, str | int) else json.dumps(shown, separators=(',', ':'))}"
