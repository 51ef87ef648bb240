"""The payloads of `extended` messages: the extension handshake (BEP 10), ut_metadata (BEP 9), ut_pex (BEP 11).

    length  20  id  bencoded dictionary ...       id 0: the handshake
                                                  id n: the extension that the receiver's handshake mapped to n

    handshake    d 1:m d 11:ut_metadata i2e 6:ut_pex i1e e 13:metadata_size i31235e 1:p i6881e ... e
    ut_metadata  d 8:msg_type i0e 5:piece i0e e              request 16 KiB number 0 of the info dictionary
                 d 8:msg_type i1e 5:piece i0e 10:total_size i31235e e ...the bytes, after the dictionary
                 d 8:msg_type i2e 5:piece i0e e              reject
    ut_pex       d 5:added 6n: compact addresses 7:added.f n: flags 7:dropped 6n: compact addresses e

These dictionaries are never hashed, so keys are accepted in any order. An entry of the handshake that makes no sense
counts as absent: it is not worth closing a connection.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Final, NamedTuple, TypeAlias

from peer.bencode.codec import (
    Encodable,
    Value,
    decode_prefix,
    encode,
)
from peer.bencode.fields import Fields, kind_of
from peer.bittorrent.wire.compact import pack, pack6, unpack, unpack6
from peer.bittorrent.wire.errors import MessageError
from peer.net.address import Address, pack_host, pack_host6, unpack_host

HANDSHAKE_ID: Final = 0
UT_METADATA: Final = "ut_metadata"
UT_PEX: Final = "ut_pex"
METADATA_PIECE: Final = 16 << 10


@dataclass(frozen=True, slots=True)
class ExtensionHandshake:
    """What the sender supports and says of itself; field names are the specification's."""

    m: Mapping[str, int] = field(default_factory=dict)
    """Message id of each extension, as the sender expects it; 0 disables the extension."""
    v: str | None = None
    """Client and version."""
    p: int | None = None
    """The TCP port the sender listens on."""
    reqq: int | None = None
    """How many requests the sender queues."""
    yourip: str | None = None
    """The receiver's address as the sender sees it."""
    ipv4: str | None = None
    ipv6: str | None = None
    metadata_size: int | None = None
    """Bytes of the info dictionary (BEP 9)."""
    upload_only: bool = False
    """Whether the sender downloads nothing more (BEP 21)."""

    def encode(self) -> bytes:
        """Write the payload of the extended message with id 0."""
        entries: dict[bytes, Encodable | None] = {
            b"m": {name.encode(): number for name, number in self.m.items()},
            b"v": None if self.v is None else self.v.encode(),
            b"p": self.p,
            b"reqq": self.reqq,
            b"yourip": None if self.yourip is None else _packed_host(self.yourip),
            b"ipv4": None if self.ipv4 is None else pack_host(self.ipv4),
            b"ipv6": None if self.ipv6 is None else pack_host6(self.ipv6),
            b"metadata_size": self.metadata_size,
            b"upload_only": 1 if self.upload_only else None,
        }
        return encode({key: value for key, value in entries.items() if value is not None})


def decode_extension_handshake(payload: bytes) -> ExtensionHandshake:
    """Read the payload of the extended message with id 0."""
    entries = decode_prefix(payload, any_order=True).value
    if not isinstance(entries, dict):
        raise MessageError(f"extension handshake: expected a dictionary, found {kind_of(entries)}")
    return ExtensionHandshake(
        m=_extension_ids(entries.get(b"m", {})),
        v=_text_or_none(entries.get(b"v")),
        p=_number_or_none(entries.get(b"p"), 1, 0xFFFF),
        reqq=_number_or_none(entries.get(b"reqq"), 1, 1 << 31),
        yourip=_host_or_none(entries.get(b"yourip"), 4, 16),
        ipv4=_host_or_none(entries.get(b"ipv4"), 4),
        ipv6=_host_or_none(entries.get(b"ipv6"), 16),
        metadata_size=_number_or_none(entries.get(b"metadata_size"), 1, 1 << 31),
        upload_only=entries.get(b"upload_only") == 1,
    )


@dataclass(frozen=True, slots=True)
class MetadataRequest:
    """A request for one piece of the info dictionary."""

    piece: int

    def encode(self) -> bytes:
        return encode({b"msg_type": 0, b"piece": self.piece})


@dataclass(frozen=True, slots=True)
class MetadataData:
    """One piece of the info dictionary, which has `total_size` bytes."""

    piece: int
    total_size: int
    data: bytes

    def encode(self) -> bytes:
        return encode({b"msg_type": 1, b"piece": self.piece, b"total_size": self.total_size}) + self.data


@dataclass(frozen=True, slots=True)
class MetadataReject:
    """The requested piece will not be sent."""

    piece: int

    def encode(self) -> bytes:
        return encode({b"msg_type": 2, b"piece": self.piece})


MetadataMessage: TypeAlias = MetadataRequest | MetadataData | MetadataReject


def decode_metadata(payload: bytes) -> MetadataMessage | None:
    """Read a ut_metadata message; None for an unknown type, which is to be ignored."""
    value, end, _ = decode_prefix(payload, any_order=True)
    fields = Fields(value, UT_METADATA, MessageError)
    piece = fields.integer(b"piece", high=1 << 17)
    match fields.integer(b"msg_type", low=-(1 << 31)):
        case 0:
            return MetadataRequest(piece)
        case 1:
            return _metadata_data(piece, fields.integer(b"total_size", high=1 << 31), payload[end:])
        case 2:
            return MetadataReject(piece)
        case _:
            return None


def metadata_piece_size(piece: int, total_size: int) -> int:
    """Return the size of a piece of the info dictionary: 16 KiB, less for the last one, 0 beyond it."""
    return max(0, min(METADATA_PIECE, total_size - piece * METADATA_PIECE))


class PexFlags(IntFlag):
    """Properties of a peer; unknown bits are kept."""

    PREFERS_ENCRYPTION = 0x01
    UPLOAD_ONLY = 0x02
    UTP = 0x04
    HOLEPUNCH = 0x08
    REACHABLE = 0x10


class PexPeer(NamedTuple):
    """A peer that the sender is connected to."""

    address: Address
    flags: PexFlags = PexFlags(0)


@dataclass(frozen=True, slots=True)
class PeerExchange:
    """The peers that connected to the sender or left since its last such message: IPv4 first, then IPv6."""

    added: tuple[PexPeer, ...] = ()
    dropped: tuple[Address, ...] = ()

    def encode(self) -> bytes:
        """Write the payload; the IPv4 entries are always there, since some clients need them."""
        entries: dict[bytes, Encodable] = {}
        for suffix, packed, is_here in ((b"", pack, _is_v4), (b"6", pack6, _is_v6)):
            added = [peer for peer in self.added if is_here(peer.address)]
            dropped = [address for address in self.dropped if is_here(address)]
            if added or dropped or not suffix:
                entries[b"added" + suffix] = packed(peer.address for peer in added)
                entries[b"added" + suffix + b".f"] = bytes(peer.flags for peer in added)
                entries[b"dropped" + suffix] = packed(dropped)
        return encode(entries)


def decode_pex(payload: bytes) -> PeerExchange:
    """Read a ut_pex message; flags that do not match the number of addresses count as absent."""
    fields = Fields(decode_prefix(payload, any_order=True).value, UT_PEX, MessageError)
    added = _added(fields, b"added", unpack) + _added(fields, b"added6", unpack6)
    dropped = _addresses(fields, b"dropped", unpack) + _addresses(fields, b"dropped6", unpack6)
    return PeerExchange(tuple(added), tuple(dropped))


_Unpack: TypeAlias = Callable[[bytes], list[Address]]


def _added(fields: Fields, key: bytes, unpack_all: _Unpack) -> list[PexPeer]:
    addresses = _addresses(fields, key, unpack_all)
    flags = fields.optional_string(key + b".f")
    if flags is None or len(flags) != len(addresses):
        flags = bytes(len(addresses))
    return [PexPeer(address, PexFlags(flag)) for address, flag in zip(addresses, flags, strict=True)]


def _addresses(fields: Fields, key: bytes, unpack_all: _Unpack) -> list[Address]:
    return unpack_all(fields.optional_string(key) or b"")


def _metadata_data(piece: int, total_size: int, data: bytes) -> MetadataData:
    expected = metadata_piece_size(piece, total_size)
    if len(data) != expected or not data:
        of = f"piece {piece} of {total_size} bytes"
        raise MessageError(f"ut_metadata, {of}: expected {expected} bytes, found {len(data)}")
    return MetadataData(piece, total_size, data)


def _extension_ids(value: Value) -> dict[str, int]:
    named = value.items() if isinstance(value, dict) else ()
    ids = ((name.decode(errors="replace"), _number_or_none(number, 0, 0xFF)) for name, number in named)
    return {name: number for name, number in ids if number is not None}


def _text_or_none(value: Value | None) -> str | None:
    return value.decode(errors="replace") if isinstance(value, bytes) else None


def _number_or_none(value: Value | None, low: int, high: int) -> int | None:
    return value if isinstance(value, int) and low <= value <= high else None


def _host_or_none(value: Value | None, *lengths: int) -> str | None:
    return unpack_host(value) if isinstance(value, bytes) and len(value) in lengths else None


def _packed_host(host: str) -> bytes:
    return pack_host6(host) if ":" in host else pack_host(host)


def _is_v6(address: Address) -> bool:
    return ":" in address.host


def _is_v4(address: Address) -> bool:
    return not _is_v6(address)
