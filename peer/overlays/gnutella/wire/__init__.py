"""Gnutella's bytes: the handshake of 0.6, and after it messages with the header of 0.4.

A header has 23 bytes: a GUID of 16, the type, the TTL, the hops, and the payload's length, little-endian. The texts are
the draft of 0.6 and those in gtk-gnutella's doc/gnutella; of what is in neither, a walker's message, see `extensions`.
"""

import struct
from collections.abc import Callable
from typing import Any, Final

from peer.errors import WireError
from peer.overlays.gnutella.wire import extensions, payloads
from peer.overlays.gnutella.wire.handshake import handshake_size, write_handshake
from peer.overlays.gnutella.wire.messages import (
    Bye,
    Handshake,
    Kind,
    Malformed,
    Message,
    Patch,
    Ping,
    Pong,
    Push,
    Query,
    QueryHit,
    Received,
    Reset,
    Unknown,
    Walk,
)

HEADER: Final = struct.Struct("<16sBBBI")
MOST_PAYLOAD: Final = 64 << 10
"""Bytes; a longer message ends the connection."""

_Codec = tuple[Kind, Callable[[Any], bytes], Callable[[Any], int]]
_WRITERS: Final[dict[type, _Codec]] = {
    Ping: (Kind.PING, payloads.write_ping, payloads.ping_size),
    Pong: (Kind.PONG, payloads.write_pong, payloads.pong_size),
    Bye: (Kind.BYE, payloads.write_bye, payloads.bye_size),
    Push: (Kind.PUSH, payloads.write_push, payloads.push_size),
    Query: (Kind.QUERY, payloads.write_query, payloads.query_size),
    QueryHit: (Kind.QUERY_HIT, payloads.write_hit, payloads.hit_size),
    Reset: (Kind.ROUTE_TABLE, extensions.write_table, extensions.table_size),
    Patch: (Kind.ROUTE_TABLE, extensions.write_table, extensions.table_size),
    Walk: (Kind.VENDOR, extensions.write_walk, extensions.walk_size),
}
_READERS: Final[dict[int, Callable[[tuple[bytes, int, int], bytes], Received]]] = {
    Kind.PING: payloads.read_ping,
    Kind.PONG: payloads.read_pong,
    Kind.BYE: payloads.read_bye,
    Kind.PUSH: payloads.read_push,
    Kind.QUERY: payloads.read_query,
    Kind.QUERY_HIT: payloads.read_hit,
    Kind.ROUTE_TABLE: extensions.read_table,
    Kind.VENDOR: extensions.read_vendor,
}


def encode(message: Message) -> bytes:
    if isinstance(message, Handshake):
        return write_handshake(message)
    kind, write, _ = _WRITERS[type(message)]
    payload = write(message)
    if len(payload) > MOST_PAYLOAD:
        raise WireError(f"a payload of {len(payload)} bytes: expected at most {MOST_PAYLOAD}")
    return HEADER.pack(message.guid, kind, message.ttl, message.hops, len(payload)) + payload


def size(message: Message) -> int:
    """Return how many bytes a message has, without writing it."""
    if isinstance(message, Handshake):
        return handshake_size(message)
    return HEADER.size + _WRITERS[type(message)][2](message)


def read_payload(kind: int, head: tuple[bytes, int, int], data: bytes) -> Received:
    """Read a payload of a type; one that is wrong is `Malformed`."""
    if kind not in _READERS:
        return Unknown(kind)
    try:
        return _READERS[kind](head, data)
    except WireError as error:
        return Malformed(kind, str(error))
