"""What stands in the messages of the peer wire: BEP 3, port (BEP 5), fast extension (BEP 6), extensions (BEP 9 to 11).

Each function gets the bytes behind the id, as many as were captured, and returns the fields that are in them.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

from testbed.wiretap.protocols.bencoding import Value, read_dictionary

Fields = Mapping[str, Any]

PROTOCOL: Final = b"\x13BitTorrent protocol"
HANDSHAKE_BYTES: Final = 68
NO_FIELDS: Final[Fields] = {}
_SMALL_BITFIELD: Final = 32
"""Bytes; a bitfield that is no longer is kept as hex, a longer one only counted."""
_INDEX: Final = struct.Struct(">I").unpack_from
_BLOCK: Final = struct.Struct(">III").unpack_from
_HALF_BLOCK: Final = struct.Struct(">II").unpack_from


def handshake(data: bytes) -> Fields:
    """Read a handshake behind its 20 bytes of protocol name."""
    parts = {"reserved": data[:8], "info_hash": data[8:28], "peer_id": data[28:48]}
    sizes = {"reserved": 8, "info_hash": 20, "peer_id": 20}
    return {name: part.hex() for name, part in parts.items() if len(part) == sizes[name]}


def nothing(_body: bytes, _size: int) -> Fields:
    """Read a message that has no fields."""
    return NO_FIELDS


def index(body: bytes, _size: int) -> Fields:
    """Read a piece's index."""
    return {"index": _INDEX(body)[0]} if len(body) >= 4 else NO_FIELDS


def block(body: bytes, _size: int) -> Fields:
    """Read which block is asked for, withdrawn or refused."""
    if len(body) >= 12:
        number, begin, length = _BLOCK(body)
        return {"index": number, "begin": begin, "length": length}
    return dict(zip(("index", "begin"), struct.unpack_from(f">{len(body) // 4}I", body), strict=False))


def piece(body: bytes, size: int) -> Fields:
    """Read which block follows; its length follows from the message's."""
    if len(body) >= 8:
        number, begin = _HALF_BLOCK(body)
        return {"index": number, "begin": begin, "length": size - 8}
    return {**index(body, size), "length": size - 8}


def bitfield(body: bytes, size: int) -> Fields:
    """Count the pieces."""
    if len(body) < size:
        return {"bytes": size}
    fields: dict[str, Any] = {"bytes": size, "count": int.from_bytes(body, "big").bit_count()}
    if size <= _SMALL_BITFIELD:
        fields["bits"] = body.hex()
    return fields


def port(body: bytes, _size: int) -> Fields:
    """Read the port of a DHT node."""
    return {"port": int.from_bytes(body[:2], "big")} if len(body) >= 2 else NO_FIELDS


def extended(body: bytes, names: Mapping[int, str]) -> tuple[Fields, bool]:
    """Read an extension's message, and whether it was all there; `names` are those that its receiver gave to ids."""
    if not body:
        return NO_FIELDS, False
    name = "handshake" if body[0] == 0 else names.get(body[0], "")
    said, is_whole = read_dictionary(body[1:])
    fields: dict[str, Any] = {"id": body[0]}
    if name:
        fields["name"] = name
    for key, read in _EXTENSION_FIELDS.items():
        if (value := said.get(key)) is not None and (shown := read(value)) is not None:
            fields[key.decode()] = shown
    return fields, is_whole or not said


def extension_names(fields: Fields) -> dict[int, str]:
    """Return how the sender of an extension handshake wants its neighbour to number extensions."""
    names: Mapping[str, int] = fields.get("m", {})
    return {number: name for name, number in names.items() if number}


def _number(value: Value) -> int | None:
    return value if isinstance(value, int) else None


def _text(value: Value) -> str | None:
    return value.decode(errors="replace")[:100] if isinstance(value, bytes) else None


def _ids(value: Value) -> dict[str, int] | None:
    if not isinstance(value, dict):
        return None
    return {
        name.decode(errors="replace")[:100]: number
        for name, number in list(value.items())[:50]
        if isinstance(number, int) and 0 <= number <= 255
    }


def _hosts(size: int) -> Callable[[Value], int | None]:
    return lambda value: len(value) // size if isinstance(value, bytes) else None


_EXTENSION_FIELDS: Final[Mapping[bytes, Callable[[Value], object]]] = {
    b"m": _ids,
    b"v": _text,
    b"p": _number,
    b"reqq": _number,
    b"metadata_size": _number,
    b"upload_only": _number,
    b"msg_type": _number,
    b"piece": _number,
    b"total_size": _number,
    b"added": _hosts(6),
    b"dropped": _hosts(6),
    b"added6": _hosts(18),
    b"dropped6": _hosts(18),
}
