"""The tracker protocol over UDP (BEP 15): a datagram to ask, a datagram to answer, integers big-endian.

    connect   0 magic 0x41727101980    8 action 0    12 transaction
              -> 0 action 0    4 transaction    8 connection id
    announce  0 connection id    8 action 1    12 transaction    16 info-hash    36 peer id
              56 downloaded    64 left    72 uploaded    80 event    84 IP    88 key    92 number wanted    96 port
              -> 0 action 1    4 transaction    8 interval    12 leechers    16 seeders    20 addresses
    scrape    0 connection id    8 action 2    12 transaction    16 info-hashes
              -> 0 action 2    4 transaction    8 seeders, completed, leechers of each
    error     -> 0 action 3    4 transaction    8 text

A datagram may be longer than its fields (later specifications append some), but not shorter. The connection id proves
that the sender receives at its address: the tracker assigns and checks it, possibly without state. Addresses in an
answer are IPv4, as the datagrams are. Our client never scrapes, so only the tracker's half of a scrape is here.
"""

import re
import struct
from dataclasses import dataclass
from typing import Final, TypeAlias

from peer.bittorrent.wire.compact import IPV4_STRIDE
from peer.bittorrent.wire.errors import TrackerError
from peer.bittorrent.wire.handshake import INFO_HASH_LENGTH
from peer.bittorrent.wire.tracker.messages import (
    AnnounceRequest,
    AnnounceResponse,
    Event,
    ScrapeEntry,
)
from peer.net.address import pack_host, unpack_host

PROTOCOL_ID: Final = 0x41727101980
MOST_SCRAPED: Final = 74
"""The most info-hashes in one scrape."""

_CONNECT: Final = 0
_ANNOUNCE: Final = 1
_SCRAPE: Final = 2
_ERROR: Final = 3

_REQUEST_HEAD: Final = struct.Struct(">QII")
_ANNOUNCE_REQUEST: Final = struct.Struct(">QII20s20sQQQI4sIiH")
_RESPONSE_HEAD: Final = struct.Struct(">II")
_CONNECT_RESPONSE: Final = struct.Struct(">IIQ")
_ANNOUNCE_RESPONSE: Final = struct.Struct(">IIIII")
_SCRAPE_ENTRY: Final = struct.Struct(">III")
_EVENTS: Final = (Event.REGULAR, Event.COMPLETED, Event.STARTED, Event.STOPPED)
_NO_ADDRESS: Final = bytes(4)
_KEY: Final = re.compile(r"[0-9A-Fa-f]{1,8}")


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """A request for a connection id."""

    transaction: int

    def encode(self) -> bytes:
        return _REQUEST_HEAD.pack(PROTOCOL_ID, _CONNECT, self.transaction)


@dataclass(frozen=True, slots=True)
class UdpAnnounceRequest:
    """An announcement under a connection id."""

    connection: int
    transaction: int
    announce: AnnounceRequest

    def encode(self) -> bytes:
        announce = self.announce
        return _ANNOUNCE_REQUEST.pack(
            self.connection,
            _ANNOUNCE,
            self.transaction,
            announce.info_hash,
            announce.peer_id,
            announce.downloaded,
            announce.left,
            announce.uploaded,
            _EVENTS.index(announce.event),
            _NO_ADDRESS if announce.ip is None else pack_host(announce.ip),
            _key_number(announce.key),
            -1 if announce.numwant is None else announce.numwant,
            announce.port,
        )


@dataclass(frozen=True, slots=True)
class UdpScrapeRequest:
    """A scrape under a connection id."""

    connection: int
    transaction: int
    info_hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ConnectResponse:
    """The connection id."""

    transaction: int
    connection: int

    def encode(self) -> bytes:
        return _CONNECT_RESPONSE.pack(_CONNECT, self.transaction, self.connection)


@dataclass(frozen=True, slots=True)
class UdpAnnounceResponse:
    """The answer to an announcement."""

    transaction: int
    interval: int
    leechers: int
    seeders: int
    peers: bytes
    """Compact addresses."""

    def encode(self) -> bytes:
        front = (self.transaction, self.interval, self.leechers, self.seeders)
        return _ANNOUNCE_RESPONSE.pack(_ANNOUNCE, *front) + self.peers

    def as_response(self) -> AnnounceResponse:
        """Return the answer independent of the transport."""
        return AnnounceResponse(self.interval, self.peers, complete=self.seeders, incomplete=self.leechers)


@dataclass(frozen=True, slots=True)
class UdpScrapeResponse:
    """The answer to a scrape, in the order of its info-hashes."""

    transaction: int
    entries: tuple[ScrapeEntry, ...]

    def encode(self) -> bytes:
        packed = [_SCRAPE_ENTRY.pack(*entry) for entry in self.entries]
        return _RESPONSE_HEAD.pack(_SCRAPE, self.transaction) + b"".join(packed)


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """The tracker refused; the message is for people."""

    transaction: int
    message: str

    def encode(self) -> bytes:
        return _RESPONSE_HEAD.pack(_ERROR, self.transaction) + self.message.encode()


UdpRequest: TypeAlias = ConnectRequest | UdpAnnounceRequest | UdpScrapeRequest
UdpResponse: TypeAlias = ConnectResponse | UdpAnnounceResponse | UdpScrapeResponse | ErrorResponse


def decode_request(data: bytes) -> UdpRequest:
    """Read a client's datagram, at the tracker; the caller checks its connection id."""
    _check_size(data, _REQUEST_HEAD.size, "a request")
    connection, action, transaction = _REQUEST_HEAD.unpack_from(data)
    match action:
        case 0:
            if connection != PROTOCOL_ID:
                raise TrackerError(f"connect request: expected {PROTOCOL_ID:#x} in front, found {connection:#x}")
            return ConnectRequest(transaction)
        case 1:
            return _announce_request(data)
        case 2:
            return UdpScrapeRequest(connection, transaction, _info_hashes(data))
        case _:
            raise TrackerError(f"tracker request: expected action 0, 1 or 2, found {action}")


def decode_response(data: bytes) -> ConnectResponse | UdpAnnounceResponse | ErrorResponse:
    """Read a tracker's datagram, at the client; the caller checks its transaction."""
    _check_size(data, _RESPONSE_HEAD.size, "an answer")
    action, transaction = _RESPONSE_HEAD.unpack_from(data)
    match action:
        case 0:
            _check_size(data, _CONNECT_RESPONSE.size, "a connect answer")
            return ConnectResponse(*_CONNECT_RESPONSE.unpack_from(data)[1:])
        case 1:
            return _announce_response(data)
        case 3:
            return ErrorResponse(transaction, data[_RESPONSE_HEAD.size :].decode(errors="replace"))
        case _:
            raise TrackerError(f"tracker answer: expected action 0, 1 or 3, found {action}")


def _announce_request(data: bytes) -> UdpAnnounceRequest:
    _check_size(data, _ANNOUNCE_REQUEST.size, "an announce request")
    fields = _ANNOUNCE_REQUEST.unpack_from(data)
    connection, _, transaction, info_hash, peer_id, downloaded, left, uploaded = fields[:8]
    event, ip, key, wanted, port = fields[8:]
    if event >= len(_EVENTS):
        raise TrackerError(f"announce request, event: expected 0 to 3, found {event}")
    announce = AnnounceRequest(
        info_hash=info_hash,
        peer_id=peer_id,
        port=port,
        uploaded=uploaded,
        downloaded=downloaded,
        left=left,
        event=_EVENTS[event],
        numwant=None if wanted < 0 else wanted,
        key=f"{key:08x}",
        ip=None if ip == _NO_ADDRESS else unpack_host(ip),
    )
    return UdpAnnounceRequest(connection, transaction, announce)


def _info_hashes(data: bytes) -> tuple[bytes, ...]:
    start = _REQUEST_HEAD.size
    end = _last_whole(data, start, INFO_HASH_LENGTH)
    if end == start or end - start > MOST_SCRAPED * INFO_HASH_LENGTH:
        found = (end - start) // INFO_HASH_LENGTH
        raise TrackerError(f"scrape request: expected 1 to {MOST_SCRAPED} info-hashes, found {found}")
    return tuple(data[at : at + INFO_HASH_LENGTH] for at in range(start, end, INFO_HASH_LENGTH))


def _announce_response(data: bytes) -> UdpAnnounceResponse:
    start = _ANNOUNCE_RESPONSE.size
    _check_size(data, start, "an announce answer")
    _, transaction, interval, leechers, seeders = _ANNOUNCE_RESPONSE.unpack_from(data)
    peers = data[start : _last_whole(data, start, IPV4_STRIDE)]
    return UdpAnnounceResponse(transaction, interval, leechers, seeders, peers)


def _last_whole(data: bytes, start: int, stride: int) -> int:
    """Return where the last whole entry ends; further bytes belong to a later specification."""
    return len(data) - (len(data) - start) % stride


def _check_size(data: bytes, least: int, what: str) -> None:
    if len(data) < least:
        raise TrackerError(f"UDP tracker, {what}: expected {least} bytes or more, found {len(data)}")


def _key_number(key: str | None) -> int:
    if key is None:
        return 0
    if not _KEY.fullmatch(key):
        raise TrackerError(f"key: over UDP, expected at most 8 hex digits, found {key[:32]!r}")
    return int(key, 16)
