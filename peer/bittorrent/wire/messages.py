"""The messages that follow the handshake: BEP 3, port (BEP 5), the fast extension (BEP 6), extended (BEP 10).

    offset  0 1 2 3   4    5 ...
            length    id   payload        length counts the id and the payload, big-endian; 0 is a keep-alive

     0 choke           4 have            index           13 suggest piece     index
     1 unchoke         5 bitfield        bits            14 have all
     2 interested      6 request         index begin n   15 have none
     3 not interested  7 piece           index begin ..  16 reject request    index begin n
                       8 cancel          index begin n   17 allowed fast      index
                       9 port            16 bits         20 extended          id ..

A piece message is represented without its block: `PieceHeader` is the first 13 bytes, and the block goes from its place
in the file to its place at the other end without becoming a value (see decoder.py). All other messages are small frozen
values, made for `match`.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeAlias

from peer.bittorrent.wire.errors import MessageError


class Id(IntEnum):
    """The message id, the byte after the length."""

    CHOKE = 0
    UNCHOKE = 1
    INTERESTED = 2
    NOT_INTERESTED = 3
    HAVE = 4
    BITFIELD = 5
    REQUEST = 6
    PIECE = 7
    CANCEL = 8
    PORT = 9
    SUGGEST_PIECE = 13
    HAVE_ALL = 14
    HAVE_NONE = 15
    REJECT_REQUEST = 16
    ALLOWED_FAST = 17
    EXTENDED = 20


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """Keeps an idle connection open."""


@dataclass(frozen=True, slots=True)
class Choke:
    """Requests will not be answered from now on."""


@dataclass(frozen=True, slots=True)
class Unchoke:
    """Requests will be answered from now on."""


@dataclass(frozen=True, slots=True)
class Interested:
    """The receiver has a piece that the sender lacks."""


@dataclass(frozen=True, slots=True)
class NotInterested:
    """The receiver has nothing that the sender lacks."""


@dataclass(frozen=True, slots=True)
class Have:
    """The sender completed a piece."""

    index: int


@dataclass(frozen=True, slots=True)
class HaveBitfield:
    """What the sender has, most often as its first message; `bitfield.Bitfield.from_wire` reads it."""

    bits: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """A request for one block."""

    index: int
    begin: int
    length: int


@dataclass(frozen=True, slots=True)
class PieceHeader:
    """The start of a piece message; a block of `length` bytes follows."""

    index: int
    begin: int
    length: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """An earlier request is withdrawn."""

    index: int
    begin: int
    length: int


@dataclass(frozen=True, slots=True)
class Port:
    """The UDP port of the sender's DHT node."""

    port: int


@dataclass(frozen=True, slots=True)
class SuggestPiece:
    """A suggestion which piece to request."""

    index: int


@dataclass(frozen=True, slots=True)
class HaveAll:
    """Instead of a bitfield of ones."""


@dataclass(frozen=True, slots=True)
class HaveNone:
    """Instead of a bitfield of zeros."""


@dataclass(frozen=True, slots=True)
class RejectRequest:
    """A request is refused."""

    index: int
    begin: int
    length: int


@dataclass(frozen=True, slots=True)
class AllowedFast:
    """Requests for this piece are answered even while choked."""

    index: int


@dataclass(frozen=True, slots=True)
class Extended:
    """A message of an extension (see extensions.py), under the id that the receiver chose; 0 is the handshake."""

    extension: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message with an unknown id; to be ignored."""

    id: int
    payload: bytes


Message: TypeAlias = (
    KeepAlive
    | Choke
    | Unchoke
    | Interested
    | NotInterested
    | Have
    | HaveBitfield
    | Request
    | PieceHeader
    | Cancel
    | Port
    | SuggestPiece
    | HaveAll
    | HaveNone
    | RejectRequest
    | AllowedFast
    | Extended
    | Unknown
)

PIECE_HEADER_LENGTH: Final = 13
"""The bytes of a piece message before its block, the length prefix included."""
PIECE_OVERHEAD: Final = 9
"""What the length prefix of a piece message counts besides the block."""

_HEAD: Final = struct.Struct(">IB")
_INDEX: Final = struct.Struct(">IBI")
_BLOCK: Final = struct.Struct(">IBIII")
_PIECE: Final = struct.Struct(">IBII")
_PORT: Final = struct.Struct(">IBH")
_ONE_NUMBER: Final = struct.Struct(">I")
_TWO_NUMBERS: Final = struct.Struct(">II")
_THREE_NUMBERS: Final = struct.Struct(">III")

_KEEP_ALIVE: Final = KeepAlive()
_BARE: Final[dict[Id, Message]] = {
    Id.CHOKE: Choke(),
    Id.UNCHOKE: Unchoke(),
    Id.INTERESTED: Interested(),
    Id.NOT_INTERESTED: NotInterested(),
    Id.HAVE_ALL: HaveAll(),
    Id.HAVE_NONE: HaveNone(),
}
_WITH_INDEX: Final[dict[Id, type[Have | SuggestPiece | AllowedFast]]] = {
    Id.HAVE: Have,
    Id.SUGGEST_PIECE: SuggestPiece,
    Id.ALLOWED_FAST: AllowedFast,
}
_WITH_BLOCK: Final[dict[Id, type[Request | Cancel | RejectRequest]]] = {
    Id.REQUEST: Request,
    Id.CANCEL: Cancel,
    Id.REJECT_REQUEST: RejectRequest,
}

_EXACT_LENGTHS: Final[dict[int, int]] = {
    **dict.fromkeys(_BARE, 1),
    **dict.fromkeys(_WITH_INDEX, 5),
    **dict.fromkeys(_WITH_BLOCK, 13),
    Id.PORT: 3,
}
_LEAST_LENGTHS: Final[dict[int, int]] = {Id.PIECE: PIECE_OVERHEAD + 1, Id.BITFIELD: 2, Id.EXTENDED: 2}


def encode(message: Message) -> bytes:
    """Write a message with its length prefix; of a piece message the 13 bytes before the block."""
    return _ENCODERS[type(message)](message)


def decode(body: bytes | memoryview) -> Message:
    """Read a whole message without its length prefix."""
    if body:
        check_length(body[0], len(body))
    return decode_checked(body)


def decode_checked(body: bytes | memoryview) -> Message:
    """Read a whole message that passed `check_length`."""
    if not body:
        return _KEEP_ALIVE
    read = _READERS.get(body[0])
    return read(body) if read is not None else Unknown(body[0], bytes(body[1:]))


def check_length(kind: int, length: int) -> None:
    """Refuse a length that cannot belong to its message, before the message has arrived."""
    exact = _EXACT_LENGTHS.get(kind)
    if exact is not None:
        if length != exact:
            raise MessageError(f"{name_of(kind)}: expected length {exact}, found {length}")
    elif length < _LEAST_LENGTHS.get(kind, 1):
        raise MessageError(f"{name_of(kind)}: expected length {_LEAST_LENGTHS[kind]} or more, found {length}")


def name_of(kind: int) -> str:
    """Name a message by its id, as the specifications do."""
    try:
        return Id(kind).name.lower().replace("_", " ")
    except ValueError:
        return f"message {kind}"


_Reader: TypeAlias = Callable[[bytes | memoryview], Message]


def _bare_reader(message: Message) -> _Reader:
    return lambda _: message


def _index_reader(kind: type[Have | SuggestPiece | AllowedFast]) -> _Reader:
    return lambda body: kind(*_ONE_NUMBER.unpack_from(body, 1))


def _block_reader(kind: type[Request | Cancel | RejectRequest]) -> _Reader:
    return lambda body: kind(*_THREE_NUMBERS.unpack_from(body, 1))


def _read_piece(body: bytes | memoryview) -> Message:
    index, begin = _TWO_NUMBERS.unpack_from(body, 1)
    return PieceHeader(index, begin, len(body) - PIECE_OVERHEAD)


_READERS: Final[dict[int, _Reader]] = {
    **{kind: _bare_reader(message) for kind, message in _BARE.items()},
    **{kind: _index_reader(made) for kind, made in _WITH_INDEX.items()},
    **{kind: _block_reader(made) for kind, made in _WITH_BLOCK.items()},
    Id.BITFIELD: lambda body: HaveBitfield(bytes(body[1:])),
    Id.PIECE: _read_piece,
    Id.PORT: lambda body: Port(int.from_bytes(body[1:3], "big")),
    Id.EXTENDED: lambda body: Extended(body[1], bytes(body[2:])),
}


_Encoder: TypeAlias = Callable[[Any], bytes]


def _bare_encoder(kind: Id) -> _Encoder:
    encoded = _HEAD.pack(1, kind)
    return lambda _: encoded


def _index_encoder(kind: Id) -> _Encoder:
    return lambda message: _INDEX.pack(5, kind, message.index)


def _block_encoder(kind: Id) -> _Encoder:
    return lambda message: _BLOCK.pack(13, kind, message.index, message.begin, message.length)


def _encode_piece(piece: PieceHeader) -> bytes:
    return _PIECE.pack(PIECE_OVERHEAD + piece.length, Id.PIECE, piece.index, piece.begin)


def _with_payload(kind: int, payload: bytes) -> bytes:
    return _HEAD.pack(1 + len(payload), kind) + payload


_ENCODERS: Final[dict[type, _Encoder]] = {
    KeepAlive: lambda _: bytes(4),
    **{type(message): _bare_encoder(kind) for kind, message in _BARE.items()},
    **{made: _index_encoder(kind) for kind, made in _WITH_INDEX.items()},
    **{made: _block_encoder(kind) for kind, made in _WITH_BLOCK.items()},
    HaveBitfield: lambda message: _with_payload(Id.BITFIELD, message.bits),
    PieceHeader: _encode_piece,
    Port: lambda message: _PORT.pack(3, Id.PORT, message.port),
    Extended: lambda message: _with_payload(Id.EXTENDED, bytes([message.extension]) + message.payload),
    Unknown: lambda message: _with_payload(message.id, message.payload),
}
