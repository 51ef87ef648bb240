"""Messages of Chord as datagrams. The papers have no wire format, so this one is our own: docs/find/chord.md.

    'C'  kind  token (4)  [search (16), if the highest bit of kind is set]  body

Numbers are big-endian. Addresses are IPv4 and a port; an identifier is the hash of an address, so none is sent.
"""

from typing import Final

from peer.net.address import Address
from peer.overlays.chord.messages import (
    AskNeighbours,
    Done,
    FindNext,
    Leave,
    Message,
    Neighbours,
    Next,
    Notify,
    Pair,
    Ping,
    Retrieve,
    Route,
    Routed,
    Store,
    Values,
)
from peer.overlays.chord.ring import KEY_SIZE
from peer.overlays.parts.datagrams import Codec, Form
from peer.overlays.parts.packing import (
    ADDRESS_SIZE,
    Reader,
    pack_address,
    pack_addresses,
    pack_short,
)

MAGIC: Final = ord("C")
MOST_VALUE: Final = 1_000
_PAIR_HEAD: Final = KEY_SIZE + 4


def pair_size(value: bytes) -> int:
    """Return what a pair adds to a `Store`."""
    return _PAIR_HEAD + len(value)


def value_size(value: bytes) -> int:
    """Return what a value adds to `Values`."""
    return 2 + len(value)


def _place(target: int) -> bytes:
    return target.to_bytes(KEY_SIZE, "big")


def _pack_optional(address: Address | None) -> bytes:
    return b"\0" if address is None else b"\1" + pack_address(address)


def _read_optional(reader: Reader) -> Address | None:
    return reader.address() if reader.flag() else None


def _pack_pair(pair: Pair) -> bytes:
    return pair.key + pair.lifetime.to_bytes(2, "big") + pack_short(pair.value)


def _read_pair(reader: Reader) -> Pair:
    key, lifetime = reader.take(KEY_SIZE), reader.number(2)
    return Pair(key, reader.short(MOST_VALUE), lifetime)


def _read_pairs(reader: Reader) -> tuple[Pair, ...]:
    return tuple(_read_pair(reader) for _ in range(reader.number(1)))


def _read_store(token: int, search: str, reader: Reader) -> Store:
    is_copy, moves = reader.flag(), reader.number(1)
    return Store(token, is_copy, _read_pairs(reader), moves, search)


def _read_values(reader: Reader) -> tuple[bytes, ...]:
    return tuple(reader.short(MOST_VALUE) for _ in range(reader.number(1)))


def _read_route(token: int, search: str, reader: Reader) -> Route:
    target, origin = reader.number(KEY_SIZE), reader.address()
    return Route(token, target, origin, reader.number(4), reader.number(1), search)


def _read_retrieve(token: int, search: str, reader: Reader) -> Retrieve:
    return Retrieve(token, reader.take(KEY_SIZE), reader.number(2), reader.number(2), search)


def _optional_size(address: Address | None) -> int:
    return 1 if address is None else 1 + ADDRESS_SIZE


def _list_size(addresses: tuple[Address, ...]) -> int:
    return 1 + ADDRESS_SIZE * len(addresses)


_FORMS: Final[dict[type, Form]] = {
    FindNext: Form(
        1,
        lambda m: _place(m.target) + pack_addresses(m.dead),
        lambda token, search, r: FindNext(token, r.number(KEY_SIZE), r.addresses(), search),
        lambda m: KEY_SIZE + _list_size(m.dead),
    ),
    Next: Form(
        2,
        lambda m: bytes([m.is_final]) + pack_addresses(m.nodes),
        lambda token, search, r: Next(token, r.flag(), r.addresses(), search),
        lambda m: 1 + _list_size(m.nodes),
    ),
    Route: Form(
        3,
        lambda m: _place(m.target) + pack_address(m.origin) + m.question.to_bytes(4, "big") + bytes([m.hops]),
        _read_route,
        lambda _: KEY_SIZE + ADDRESS_SIZE + 5,
    ),
    Routed: Form(
        4,
        lambda m: bytes([m.hops]) + pack_addresses(m.nodes),
        lambda token, search, r: Routed(token, r.number(1), r.addresses(), search),
        lambda m: 1 + _list_size(m.nodes),
    ),
    AskNeighbours: Form(5, lambda _: b"", lambda token, search, _: AskNeighbours(token, search), lambda _: 0),
    Neighbours: Form(
        6,
        lambda m: _pack_optional(m.predecessor) + pack_addresses(m.successors),
        lambda token, search, r: Neighbours(token, _read_optional(r), r.addresses(), search),
        lambda m: _optional_size(m.predecessor) + _list_size(m.successors),
    ),
    Notify: Form(7, lambda _: b"", lambda token, search, _: Notify(token, search), lambda _: 0),
    Leave: Form(
        8,
        lambda m: _pack_optional(m.predecessor) + pack_addresses(m.successors),
        lambda token, search, r: Leave(token, _read_optional(r), r.addresses(), search),
        lambda m: _optional_size(m.predecessor) + _list_size(m.successors),
    ),
    Ping: Form(9, lambda _: b"", lambda token, search, _: Ping(token, search), lambda _: 0),
    Done: Form(10, lambda _: b"", lambda token, search, _: Done(token, search), lambda _: 0),
    Store: Form(
        11,
        lambda m: bytes([m.is_copy, m.moves, len(m.pairs)]) + b"".join(map(_pack_pair, m.pairs)),
        _read_store,
        lambda m: 3 + sum(pair_size(pair.value) for pair in m.pairs),
    ),
    Retrieve: Form(
        12,
        lambda m: m.key + m.first.to_bytes(2, "big") + m.most.to_bytes(2, "big"),
        _read_retrieve,
        lambda _: KEY_SIZE + 4,
    ),
    Values: Form(
        13,
        lambda m: m.total.to_bytes(2, "big") + bytes([len(m.values)]) + b"".join(map(pack_short, m.values)),
        lambda token, search, r: Values(token, r.number(2), _read_values(r), search),
        lambda m: 3 + sum(map(value_size, m.values)),
    ),
}
_CODEC: Final = Codec[Message](MAGIC, _FORMS)
encode: Final = _CODEC.encode
decode: Final = _CODEC.decode
size: Final = _CODEC.size
