"""Bytes to messages of krpc."""

from collections.abc import Callable, Iterator
from typing import Final

from peer.bencode.codec import BencodeError, Limits, Value, decode_prefix
from peer.bencode.fields import Fields
from peer.errors import WireError
from peer.net.address import Address, unpack_host
from peer.overlays.kademlia.ids import LENGTH
from peer.overlays.kademlia.wire.messages import (
    NODE,
    PEER,
    AnnouncePeer,
    Answer,
    FindNode,
    GetPeers,
    Message,
    NodeInfo,
    Ping,
    Query,
    Refusal,
    UnknownQuery,
)

_LIMITS: Final = Limits(size=65_535, values=2_000, depth=8)
_LONGEST_ERROR: Final = 120
_LONGEST_TRANSACTION: Final = 64


class KrpcError(WireError):
    """A datagram that is no message of krpc."""


def decode(data: bytes) -> Message:
    """Read a datagram; raises WireError."""
    top = Fields(_dictionary(data), "krpc", KrpcError)
    transaction, kind = _short(top, b"t", _LONGEST_TRANSACTION), top.string(b"y")
    reader = _READERS.get(kind)
    if reader is None:
        raise KrpcError(f"krpc, 'y': expected q, r or e, found {kind[:16]!r}")
    return reader(top, transaction)


def transaction_of(data: bytes) -> bytes | None:
    """Return the transaction of bytes that `decode` refused, if they are a question, so that they can be answered."""
    try:
        top = Fields(_dictionary(data), "krpc", KrpcError)
        return _short(top, b"t", _LONGEST_TRANSACTION) if top.string(b"y") == b"q" else None
    except WireError:
        return None


def _dictionary(data: bytes) -> Value:
    value, end, _ = decode_prefix(data, _LIMITS, any_order=True)
    if end != len(data):
        raise BencodeError(end, f"expected the end of the datagram, found {data[end : end + 16]!r}")
    return value


def _read_query(top: Fields, transaction: bytes) -> Query | UnknownQuery:
    method = top.string(b"q")
    reader = _QUERIES.get(method)
    if reader is None:
        return UnknownQuery(transaction, method[:32])
    arguments = Fields(top.value(b"a"), f"krpc, {method.decode()}", KrpcError)
    is_read_only = top.optional_integer(b"ro", low=-(1 << 63)) == 1
    return reader(arguments, transaction, _id(arguments, b"id"), is_read_only, _version(top))


def _read_announcement(arguments: Fields, t: bytes, node: int, ro: bool, version: bytes | None) -> AnnouncePeer:
    implied = bool(arguments.optional_integer(b"implied_port", low=-(1 << 63)))
    low, high = (0, 1 << 63) if implied else (1, 0xFFFF)
    port = arguments.integer(b"port", low, high) if not implied or b"port" in arguments else 0
    token = arguments.string(b"token")
    return AnnouncePeer(t, node, _id(arguments, b"info_hash"), port & 0xFFFF, token, implied, ro, version)


def _read_answer(top: Fields, transaction: bytes) -> Answer:
    returned = Fields(top.value(b"r"), "krpc, answer", KrpcError)
    return Answer(
        transaction,
        _id(returned, b"id"),
        tuple(_nodes(returned)) if b"nodes" in returned else None,
        tuple(_values(returned)) if b"values" in returned else None,
        returned.optional_string(b"token"),
        _ip(top),
        _version(top),
    )


def _nodes(returned: Fields) -> Iterator[NodeInfo]:
    data = returned.string(b"nodes")
    if len(data) % NODE:
        raise returned.wrong(b"nodes", f"expected a multiple of {NODE} bytes, found {len(data)}")
    for at in range(0, len(data), NODE):
        address = unpack_peer(data[at + LENGTH : at + NODE])
        if address.port:
            yield NodeInfo(int.from_bytes(data[at : at + LENGTH], "big"), address)


def _values(returned: Fields) -> Iterator[Address]:
    for value in returned.items(b"values"):
        if not isinstance(value, bytes):
            raise returned.wrong(b"values", "expected strings only")
        if len(value) == PEER and (address := unpack_peer(value)).port:
            yield address


def unpack_peer(data: bytes) -> Address:
    """Read an IPv4 address and its port."""
    return Address(unpack_host(data[:4]), int.from_bytes(data[4:], "big"))


def _ip(top: Fields) -> Address | None:
    data = top.optional_string(b"ip")
    return unpack_peer(data) if data is not None and len(data) == PEER else None


def _read_refusal(top: Fields, transaction: bytes) -> Refusal:
    match top.items(b"e"):
        case [int(code), bytes(text), *_]:
            return Refusal(transaction, code, text[:_LONGEST_ERROR].decode(errors="replace"), _version(top))
        case _:
            raise KrpcError("krpc, 'e': expected a number and a text")


def _id(fields: Fields, key: bytes) -> int:
    data = fields.string(key)
    if len(data) != LENGTH:
        raise fields.wrong(key, f"expected {LENGTH} bytes, found {len(data)}")
    return int.from_bytes(data, "big")


def _short(fields: Fields, key: bytes, longest: int) -> bytes:
    data = fields.string(key)
    if len(data) > longest:
        raise fields.wrong(key, f"expected at most {longest} bytes, found {len(data)}")
    return data


def _version(top: Fields) -> bytes | None:
    return top.optional_string(b"v")


_READERS: Final[dict[bytes, Callable[[Fields, bytes], Message]]] = {
    b"q": _read_query,
    b"r": _read_answer,
    b"e": _read_refusal,
}
_QUERIES: Final[dict[bytes, Callable[[Fields, bytes, int, bool, bytes | None], Query]]] = {
    b"ping": lambda _, t, node, ro, v: Ping(t, node, ro, v),
    b"find_node": lambda args, t, node, ro, v: FindNode(t, node, _id(args, b"target"), ro, v),
    b"get_peers": lambda args, t, node, ro, v: GetPeers(t, node, _id(args, b"info_hash"), ro, v),
    b"announce_peer": _read_announcement,
}
