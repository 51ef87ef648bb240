"""The first 68 bytes each way (BEP 3), and the bits that announce extensions.

offset  0    1                     20         28          48        68
        19   BitTorrent protocol   reserved   info-hash   peer id

reserved, from the right:  bit 0   DHT (BEP 5)                    reserved[7] & 0x01
                           bit 2   fast extension (BEP 6)         reserved[7] & 0x04
                           bit 20  extension protocol (BEP 10)    reserved[5] & 0x10
"""

from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from peer.bittorrent.wire.errors import HandshakeError

HANDSHAKE_LENGTH: Final = 68
INFO_HASH_LENGTH: Final = 20
PEER_ID_LENGTH: Final = 20

HEADER: Final = b"\x13BitTorrent protocol"


class Reserved(IntFlag):
    """The extensions that the sender supports; unknown bits are kept."""

    DHT = 1 << 0
    FAST = 1 << 2
    EXTENSIONS = 1 << 20


@dataclass(frozen=True, slots=True)
class Handshake:
    """Torrent, peer id and extensions."""

    info_hash: bytes
    peer_id: bytes
    reserved: Reserved = Reserved.FAST | Reserved.EXTENSIONS

    def encode(self) -> bytes:
        if len(self.info_hash) != INFO_HASH_LENGTH or len(self.peer_id) != PEER_ID_LENGTH:
            raise HandshakeError("handshake: expected an info-hash and a peer id of 20 bytes each")
        return HEADER + self.reserved.to_bytes(8, "big") + self.info_hash + self.peer_id


def decode_handshake(data: bytes) -> Handshake:
    check_front(data)
    if len(data) != HANDSHAKE_LENGTH:
        raise HandshakeError(f"handshake: expected {HANDSHAKE_LENGTH} bytes, found {len(data)}")
    return Handshake(data[28:48], data[48:], Reserved(int.from_bytes(data[20:28], "big")))


def check_front(data: bytes) -> None:
    """Refuse a connection as soon as its first bytes cannot become a handshake."""
    front = data[: len(HEADER)]
    if not HEADER.startswith(front):
        guess = "" if is_text(front) else "; perhaps an encrypted handshake (MSE)"
        raise HandshakeError(f"handshake: expected {HEADER!r}, found {front!r}{guess}")


def is_text(front: bytes) -> bool:
    """Whether first bytes are of a protocol in text: those of an encrypted handshake are hardly ever all printable."""
    return all(0x20 <= byte < 0x7F or byte in b"\r\n" for byte in front)
