"""Payloads of pings, pongs, byes, pushes, queries and hits, to bytes and back."""

import struct
from typing import Final

from peer.errors import WireError
from peer.net.address import Address, pack_host, unpack_host
from peer.overlays.gnutella.wire.fields import (
    as_bytes,
    as_text,
    expect,
    pack_port_host,
    pack_text,
    text_size,
    unpack_port_host,
    until_zero,
)
from peer.overlays.gnutella.wire.messages import GUID_BYTES, Bye, Found, Ping, Pong, Push, Query, QueryHit

_PONG: Final = struct.Struct("<II")
_PONG_BYTES: Final = 14
_CODE: Final = struct.Struct("<H")
_PUSH: Final = struct.Struct("<16sI4sH")
_SPEED: Final = struct.Struct("<H")
_HIT_HEAD_BYTES: Final = 11
_HIT_SPEED: Final = struct.Struct("<I")
_FOUND: Final = struct.Struct("<II")
MOST_RESULTS: Final = 255
"""In one hit: their number is a byte."""
MOST_NAME: Final = 255
"""Bytes of a name of ours, as file systems have it."""
Head = tuple[bytes, int, int]


def write_ping(ping: Ping) -> bytes:  # noqa: ARG001
    return b""


def read_ping(head: Head, data: bytes) -> Ping:  # noqa: ARG001
    """Read a ping; later servents put extensions into it, which say nothing to us."""
    return Ping(*head)


def ping_size(ping: Ping) -> int:  # noqa: ARG001
    return 0


def write_pong(pong: Pong) -> bytes:
    return pack_port_host(pong.address) + _PONG.pack(pong.files, pong.kilobytes)


def read_pong(head: Head, data: bytes) -> Pong:
    expect(data, _PONG_BYTES, "a pong")
    return Pong(*head, unpack_port_host(data, 0), *_PONG.unpack_from(data, 6))


def pong_size(pong: Pong) -> int:  # noqa: ARG001
    return _PONG_BYTES


def write_bye(bye: Bye) -> bytes:
    return _CODE.pack(bye.code) + pack_text(bye.reason)


def read_bye(head: Head, data: bytes) -> Bye:
    expect(data, _CODE.size, "a bye")
    (code,) = _CODE.unpack_from(data)
    return Bye(*head, code, as_text(data[_CODE.size :].partition(b"\0")[0]))


def bye_size(bye: Bye) -> int:
    return _CODE.size + text_size(bye.reason) + 1


def write_push(push: Push) -> bytes:
    return _PUSH.pack(push.servent, push.index, pack_host(push.address.host), push.address.port)


def read_push(head: Head, data: bytes) -> Push:
    expect(data, _PUSH.size, "a push")
    servent, index, host, port = _PUSH.unpack_from(data)
    return Push(*head, servent, index, Address(unpack_host(host), port))


def push_size(push: Push) -> int:  # noqa: ARG001
    return _PUSH.size


def write_query(query: Query) -> bytes:
    return _SPEED.pack(query.speed) + pack_text(query.text) + query.extension


def read_query(head: Head, data: bytes) -> Query:
    expect(data, _SPEED.size + 1, "a query")
    (speed,) = _SPEED.unpack_from(data)
    text, rest = until_zero(data, _SPEED.size, "a query's text")
    return Query(*head, as_text(text), speed, data[rest:])


def query_size(query: Query) -> int:
    return _SPEED.size + text_size(query.text) + 1 + len(query.extension)


def write_hit(hit: QueryHit) -> bytes:
    if not 0 < len(hit.results) <= MOST_RESULTS:
        raise WireError(f"a hit of {len(hit.results)} results: expected 1 to {MOST_RESULTS}")
    head = bytes([len(hit.results)]) + pack_port_host(hit.address) + _HIT_SPEED.pack(hit.speed)
    return b"".join([head, *map(_write_found, hit.results), hit.descriptor, hit.servent])


def _write_found(found: Found) -> bytes:
    return _FOUND.pack(found.index, found.size) + pack_text(found.name) + found.extension + b"\0"


def read_hit(head: Head, data: bytes) -> QueryHit:
    expect(data, _HIT_HEAD_BYTES + GUID_BYTES, "a hit")
    results, end = _read_results(data[:-GUID_BYTES])
    (speed,) = _HIT_SPEED.unpack_from(data, 7)
    descriptor = data[end:-GUID_BYTES]
    return QueryHit(*head, unpack_port_host(data, 1), speed, results, data[-GUID_BYTES:], descriptor)


def _read_results(data: bytes) -> tuple[tuple[Found, ...], int]:
    results, begin = [], _HIT_HEAD_BYTES
    for _ in range(data[0]):
        found, begin = _read_found(data, begin)
        results.append(found)
    if not results:
        raise WireError("a hit: expected at least one result")
    return tuple(results), begin


def _read_found(data: bytes, begin: int) -> tuple[Found, int]:
    if begin + _FOUND.size > len(data):
        raise WireError("a hit: fewer results than it says")
    index, size = _FOUND.unpack_from(data, begin)
    name, begin = until_zero(data, begin + _FOUND.size, "a result's name")
    extension, begin = until_zero(data, begin, "a result")
    return Found(index, size, as_text(name), extension), begin


def hit_size(hit: QueryHit) -> int:
    results = sum(_FOUND.size + text_size(each.name) + 2 + len(each.extension) for each in hit.results)
    return _HIT_HEAD_BYTES + results + len(hit.descriptor) + len(hit.servent)


def is_sayable(name: str) -> bool:
    """Whether a name can be sent: it has an end, and fits with others into a hit."""
    data = as_bytes(name)
    return 0 not in data and len(data) <= MOST_NAME
