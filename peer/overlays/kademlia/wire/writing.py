"""Messages of krpc to bytes, and how many these are."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from peer.bencode.codec import Encodable
from peer.bencode.codec import encode as bencoded
from peer.net.address import Address, pack_host
from peer.overlays.kademlia.ids import LENGTH, to_bytes
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


def encode(message: Message) -> bytes:
    """Write a message."""
    return bencoded(_WRITERS[type(message)](message))


def _query(message: Query, method: bytes, arguments: dict[bytes, Encodable]) -> dict[bytes, Encodable]:
    entries = _envelope(message, b"q") | {b"q": method, b"a": {b"id": to_bytes(message.id)} | arguments}
    return entries | {b"ro": 1} if message.is_read_only else entries


def _envelope(message: Query | Answer | Refusal, kind: bytes) -> dict[bytes, Encodable]:
    entries: dict[bytes, Encodable] = {b"t": message.transaction, b"y": kind}
    return entries if message.version is None else entries | {b"v": message.version}


def _announcement(message: AnnouncePeer) -> dict[bytes, Encodable]:
    arguments: dict[bytes, Encodable] = {
        b"info_hash": to_bytes(message.info_hash),
        b"port": message.port,
        b"token": message.token,
    }
    return _query(message, b"announce_peer", arguments | ({b"implied_port": 1} if message.has_implied_port else {}))


def _answer(message: Answer) -> dict[bytes, Encodable]:
    returned: dict[bytes, Encodable] = {b"id": to_bytes(message.id)}
    if message.nodes is not None:
        returned[b"nodes"] = pack_nodes(message.nodes)
    if message.token is not None:
        returned[b"token"] = message.token
    if message.values is not None:
        returned[b"values"] = [*map(pack_peer, message.values)]
    entries = _envelope(message, b"r") | {b"r": returned}
    return entries if message.ip is None else entries | {b"ip": pack_peer(message.ip)}


def _refusal(message: Refusal) -> dict[bytes, Encodable]:
    return _envelope(message, b"e") | {b"e": [message.code, message.text.encode()]}


def _unknown(message: UnknownQuery) -> dict[bytes, Encodable]:
    return {b"t": message.transaction, b"y": b"q", b"q": message.method, b"a": {}}


def pack_peer(address: Address) -> bytes:
    """Write an IPv4 address and its port: 6 bytes."""
    return pack_host(address.host) + address.port.to_bytes(2, "big")


def pack_nodes(nodes: Iterable[NodeInfo]) -> bytes:
    """Write nodes, 26 bytes each."""
    return b"".join(to_bytes(each.id) + pack_peer(each.address) for each in nodes)


_WRITERS: Final[dict[type, Callable[[Any], dict[bytes, Encodable]]]] = {
    Ping: lambda message: _query(message, b"ping", {}),
    FindNode: lambda message: _query(message, b"find_node", {b"target": to_bytes(message.target)}),
    GetPeers: lambda message: _query(message, b"get_peers", {b"info_hash": to_bytes(message.info_hash)}),
    AnnouncePeer: _announcement,
    UnknownQuery: _unknown,
    Answer: _answer,
    Refusal: _refusal,
}

# Lengths: what `encode` would write, without writing it. Virtual time asks this for every message.

_ENVELOPE: Final = len(b"d1:y1:qe")
_QUERY: Final = len(b"1:ad2:id20:e") + LENGTH + len(b"1:q")


def size(message: Message) -> int:
    """Return the length of a message in bytes."""
    return _SIZES[type(message)](message)


def _query_size(message: Query, method: int, arguments: int) -> int:
    read_only = len(b"2:roi1e") if message.is_read_only else 0
    return _around(message) + _QUERY + _string(method) + arguments + read_only


def _around(message: Query | Answer | Refusal) -> int:
    version = 0 if message.version is None else len(b"1:v") + _string(len(message.version))
    return _ENVELOPE + len(b"1:t") + _string(len(message.transaction)) + version


def _string(length: int) -> int:
    return len(str(length)) + 1 + length


def _announcement_size(message: AnnouncePeer) -> int:
    implied = len(b"12:implied_porti1e") if message.has_implied_port else 0
    port = len(b"4:portie") + len(str(message.port))
    token = len(b"5:token") + _string(len(message.token))
    return _query_size(message, len(b"announce_peer"), len(b"9:info_hash20:") + LENGTH + port + token + implied)


def _answer_size(message: Answer) -> int:
    length = _around(message) + len(b"1:rd2:id20:e") + LENGTH
    if message.nodes is not None:
        length += len(b"5:nodes") + _string(NODE * len(message.nodes))
    if message.token is not None:
        length += len(b"5:token") + _string(len(message.token))
    if message.values is not None:
        length += len(b"6:valuesle") + _string(PEER) * len(message.values)
    return length if message.ip is None else length + len(b"2:ip") + _string(PEER)


_SIZES: Final[dict[type, Callable[[Any], int]]] = {
    Ping: lambda message: _query_size(message, len(b"ping"), 0),
    FindNode: lambda message: _query_size(message, len(b"find_node"), len(b"6:target20:") + LENGTH),
    GetPeers: lambda message: _query_size(message, len(b"get_peers"), len(b"9:info_hash20:") + LENGTH),
    AnnouncePeer: _announcement_size,
    UnknownQuery: lambda message: len(encode(message)),
    Answer: _answer_size,
    Refusal: lambda message: len(encode(message)),
}
