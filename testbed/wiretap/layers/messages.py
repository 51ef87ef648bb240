"""The peer wire as scapy packets: the handshake, and one class for each message (BEP 3, 5, 6, 10).

    Have(index=7)                                    build: bytes(...), and dissect: PeerWireMessage(bytes)
    Request(index=0, begin=16384, length=16384)      fields have the specification's names
    Piece(index=0, begin=0, block=b"...")
    Extended(extension=0) / ExtensionHandshake(m={"ut_pex": 1})

`length_prefix` is computed unless it is given. A message of which only the first bytes were captured keeps its
`length_prefix`; see `is_cut`.
"""

from struct import pack, unpack_from
from typing import Any, Final

from scapy.fields import (
    ByteField,
    Field,
    FlagsField,
    IntField,
    ShortField,
    StrField,
    StrFixedLenField,
)
from scapy.packet import Packet

HANDSHAKE_FRONT: Final = b"\x13BitTorrent protocol"
HANDSHAKE_LENGTH: Final = 68
LONGEST: Final = (1 << 20) + 13
"""The longest message, without its length prefix, that is taken for one: a block of 1 MiB."""

AnyField = Field[Any, Any]


class Handshake(Packet):
    """The first 68 bytes each way."""

    name = "handshake"
    fields_desc = [
        ByteField("protocol_length", 19),
        StrFixedLenField("protocol", b"BitTorrent protocol", 19),
        FlagsField("reserved", 0x100004, 64, {1: "DHT", 4: "fast", 0x100000: "extensions"}),
        StrFixedLenField("info_hash", bytes(20), 20),
        StrFixedLenField("peer_id", bytes(20), 20),
    ]

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        return b"", s


class PeerWireMessage(Packet):
    """Any message: `PeerWireMessage(data)` gives one of the class that its id and length say."""

    name = "message"
    fields_desc = [IntField("length_prefix", None), ByteField("id", 0)]

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_: Any, **__: Any) -> type[Packet]:
        return cls if _pkt is None else class_of(_pkt)

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        if self.length_prefix is None:
            pkt = pack(">I", len(pkt) - 4 + len(pay)) + pkt[4:]
        return pkt + pay

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        return b"", s

    @property
    def is_cut(self) -> bool:
        """Whether only the first bytes of the message are here."""
        return self.length_prefix is not None and len(self) < 4 + self.length_prefix


def _head(identifier: int) -> list[AnyField]:
    return [IntField("length_prefix", None), ByteField("id", identifier)]


class KeepAlive(PeerWireMessage):
    """Keeps an idle connection open."""

    name = "keep-alive"
    fields_desc = [IntField("length_prefix", None)]


class Choke(PeerWireMessage):
    """Requests will not be answered from now on."""

    name = "choke"
    fields_desc = [*_head(0)]


class Unchoke(PeerWireMessage):
    """Requests will be answered from now on."""

    name = "unchoke"
    fields_desc = [*_head(1)]


class Interested(PeerWireMessage):
    """The receiver has a piece that the sender lacks."""

    name = "interested"
    fields_desc = [*_head(2)]


class NotInterested(PeerWireMessage):
    """The receiver has nothing that the sender lacks."""

    name = "not interested"
    fields_desc = [*_head(3)]


class Have(PeerWireMessage):
    """The sender completed a piece."""

    name = "have"
    fields_desc = [*_head(4), IntField("index", 0)]


class Bitfield(PeerWireMessage):
    """What the sender has, one bit a piece."""

    name = "bitfield"
    fields_desc = [*_head(5), StrField("bits", b"")]

    @property
    def pieces(self) -> list[int]:
        """The indices of the bits that are set."""
        return [8 * at + bit for at, byte in enumerate(self.bits) for bit in range(8) if byte & 0x80 >> bit]


class Request(PeerWireMessage):
    """A request for one block."""

    name = "request"
    fields_desc = [*_head(6), IntField("index", 0), IntField("begin", 0), IntField("length", 1 << 14)]


class Piece(PeerWireMessage):
    """A block."""

    name = "piece"
    fields_desc = [*_head(7), IntField("index", 0), IntField("begin", 0), StrField("block", b"")]

    @property
    def length(self) -> int:
        """The bytes of the block, captured or not."""
        return len(self.block) if self.length_prefix is None else int(self.length_prefix) - 9


class Cancel(PeerWireMessage):
    """A request is withdrawn."""

    name = "cancel"
    fields_desc = [*_head(8), IntField("index", 0), IntField("begin", 0), IntField("length", 1 << 14)]


class Port(PeerWireMessage):
    """The UDP port of the sender's DHT node (BEP 5)."""

    name = "port"
    fields_desc = [*_head(9), ShortField("port", 6881)]


class SuggestPiece(PeerWireMessage):
    """A piece to ask for (BEP 6)."""

    name = "suggest piece"
    fields_desc = [*_head(13), IntField("index", 0)]


class HaveAll(PeerWireMessage):
    """Instead of a bitfield of ones (BEP 6)."""

    name = "have all"
    fields_desc = [*_head(14)]


class HaveNone(PeerWireMessage):
    """Instead of a bitfield of zeros (BEP 6)."""

    name = "have none"
    fields_desc = [*_head(15)]


class RejectRequest(PeerWireMessage):
    """A request is refused (BEP 6)."""

    name = "reject request"
    fields_desc = [*_head(16), IntField("index", 0), IntField("begin", 0), IntField("length", 1 << 14)]


class AllowedFast(PeerWireMessage):
    """Requests for this piece are answered even while choked (BEP 6)."""

    name = "allowed fast"
    fields_desc = [*_head(17), IntField("index", 0)]


class Extended(PeerWireMessage):
    """A message of an extension (BEP 10), under the id that the receiver chose; 0 is the extension handshake."""

    name = "extended"
    fields_desc = [*_head(20), ByteField("extension", 0)]

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        return s, None


class OtherMessage(PeerWireMessage):
    """A message whose id is unknown, whose length is not that of its id, or of which too little was captured."""

    name = "other message"
    fields_desc = [*_head(255), StrField("body", b"")]


FIXED: Final[dict[int, tuple[type[PeerWireMessage], int]]] = {
    **{made.id.default: (made, 1) for made in (Choke, Unchoke, Interested, NotInterested, HaveAll, HaveNone)},
    **{made.id.default: (made, 5) for made in (Have, SuggestPiece, AllowedFast)},
    **{made.id.default: (made, 13) for made in (Request, Cancel, RejectRequest)},
    9: (Port, 3),
}
"""Messages of one length, by id, with what their length prefix is."""
VARIABLE: Final[dict[int, tuple[type[PeerWireMessage], int]]] = {5: (Bitfield, 1), 7: (Piece, 9), 20: (Extended, 2)}
"""Messages of any length, by id, with the least length prefix."""


def class_of(data: bytes) -> type[Packet]:
    """Return the class for the bytes of one message, which may be cut."""
    if data.startswith(HANDSHAKE_FRONT) and len(data) >= HANDSHAKE_LENGTH:
        return Handshake
    if len(data) < 5:
        return KeepAlive
    length, identifier = unpack_from(">IB", data)
    if identifier in VARIABLE:
        made, least = VARIABLE[identifier]
        return made if length >= least and len(data) >= 4 + least else OtherMessage
    made, exactly = FIXED.get(identifier, (OtherMessage, length))
    return made if length == exactly and len(data) == 4 + exactly else OtherMessage
