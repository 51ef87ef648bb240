"""Everything that reads bytes from outside, and valid input to mutate: bits, lengths, parts removed or doubled."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from peer.bencode import codec as bencode
from peer.bittorrent.client.connections.encryption import rc4
from peer.bittorrent.tracker.registry import Policy, Registry
from peer.bittorrent.tracker.udp import ConnectionIds, UdpServer
from peer.bittorrent.wire import extensions, messages
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.compact import unpack, unpack6
from peer.bittorrent.wire.decoder import Decoder
from peer.bittorrent.wire.encryption import Called, Caller, Method
from peer.bittorrent.wire.handshake import Handshake
from peer.bittorrent.wire.metainfo.magnet import decode_magnet
from peer.bittorrent.wire.metainfo.metainfo import (
    Metainfo,
    decode_info,
    decode_metainfo,
    make_info,
)
from peer.bittorrent.wire.tracker import http as tracker_http
from peer.bittorrent.wire.tracker import udp as tracker_udp
from peer.bittorrent.wire.tracker.messages import (
    AnnounceRequest,
    AnnounceResponse,
)
from peer.errors import WireError
from peer.net.address import Address, parse_address
from peer.net.http import parse_request, parse_response
from peer.overlays.chord import messages as chord_said
from peer.overlays.chord import wire as chord
from peer.overlays.cubit import messages as cubit_said
from peer.overlays.cubit import wire as cubit
from peer.overlays.gnutella import wire as gnutella
from peer.overlays.gnutella.wire import messages as gnutella_said
from peer.overlays.gnutella.wire.decoder import Decoder as GnutellaDecoder
from peer.overlays.kademlia import wire as krpc
from peer.overlays.kademlia.wire.messages import AnnouncePeer, Answer, NodeInfo
from peer.overlays.napster import messages as napster_said
from peer.overlays.napster.wire import Decoder as NapsterDecoder
from peer.overlays.napster.wire import encode as napster_encode
from peer.overlays.parts.entry import Entry

Rounds: TypeAlias = Callable[[], Iterator[Random]]
"""Yields a random source for each round of a test: the fixture `rounds`."""

HASH = bytes(range(20))
INFO = make_info("folder", 100_000, 16_384, [HASH] * 7)
ASKED = AnnounceRequest(HASH, b"-TB0100-abcdefghijkl", 6881, uploaded=1, downloaded=2, left=3, numwant=50, key="5f")
UDP_ASKED = (
    bytes.fromhex("00000417271019800000000000000001"),
    bytes.fromhex("00112233445566770000000100000002") + HASH + HASH + bytes(42),
    bytes.fromhex("00112233445566770000000200000003") + HASH,
)
ADDRESSES = bytes([198, 18, 0, 1, 26, 225]) * 3


@dataclass(frozen=True)
class Target:
    """A reader of bytes, and input that it accepts."""

    read: Callable[[bytes], object]
    good: tuple[bytes, ...]

    def run(self, data: bytes) -> None:
        """Read; WireError is the only exception allowed."""
        with contextlib.suppress(WireError):
            self.read(data)


def _stream(data: bytes) -> None:
    """Feed a decoder in two chunks, split where the data says, and place every second block."""
    decoder, cut = Decoder(piece_count=7), data[0] % (len(data) or 1) if data else 0
    for chunk in (data[:cut], data[cut:]):
        for number, event in enumerate(decoder.feed(chunk)):
            if isinstance(event, messages.PieceHeader) and number % 2:
                decoder.place_block(memoryview(bytearray(event.length)))


def _stream_sample() -> bytes:
    sent = [
        messages.HaveBitfield(b"\xfe"),
        messages.Unchoke(),
        messages.Interested(),
        messages.Have(3),
        messages.Request(1, 0, 16_384),
        messages.Extended(0, extensions.ExtensionHandshake(m={"ut_pex": 1}, v="x", p=1, reqq=5).encode()),
    ]
    block = messages.encode(messages.PieceHeader(1, 0, 100)) + bytes(100)
    return Handshake(HASH, HASH).encode() + b"".join(map(messages.encode, sent)) + block


def _called() -> Called:
    return Called(HASH, (Method.RC4, Method.PLAINTEXT), Random(2).randbytes, rc4)


def _caller() -> Caller:
    return Caller(HASH, (Method.RC4, Method.PLAINTEXT), Random(1).randbytes, rc4)


def _encrypted_handshake() -> tuple[bytes, bytes]:
    """All that a caller sends to the end of `_called`, and that to it."""
    caller, called = _caller(), _called()
    asked = [caller.take()]
    told = [called.receive(asked[-1])]
    asked.append(caller.receive(told[-1]))
    told.append(called.receive(asked[-1]))
    return b"".join(asked), b"".join(told)


ASKED_IN_SECRET, TOLD_IN_SECRET = _encrypted_handshake()


def _udp_tracker(data: bytes) -> None:
    """Let a tracker answer a datagram."""
    UdpServer(Registry(Policy(), Random(1)), ConnectionIds(bytes(32)), lambda: 0.0).answer(data, bytes([198, 18, 0, 1]))


def _in_two(feed: Callable[[bytes], Iterator[object]], data: bytes) -> None:
    """Feed a decoder in two chunks, split where the data says."""
    cut = data[0] % len(data) if data else 0
    for chunk in (data[:cut], data[cut:]):
        for _ in feed(chunk):
            pass


GNUTELLA_HELLO = b"GNUTELLA CONNECT/0.6\r\nX-Ultrapeer: True\r\n\r\nGNUTELLA/0.6 200 OK\r\n\r\n"
GNUTELLA_HEAD = (bytes(16), 7, 0)
GNUTELLA_SAID = (
    gnutella_said.Pong(*GNUTELLA_HEAD, Address("1.2.3.4", 5), 6, 7),
    gnutella_said.Query(*GNUTELLA_HEAD, "a song", 0, b"\x1cx"),
    gnutella_said.QueryHit(*GNUTELLA_HEAD, Address("1.2.3.4", 5), 6, (gnutella_said.Found(1, 2, "a song"),), HASH[:16]),
    gnutella_said.Reset(*GNUTELLA_HEAD, 1 << 10, 7),
    gnutella_said.Patch(*GNUTELLA_HEAD, 1, 1, 1, 4, b"data"),
    gnutella_said.Walk(*GNUTELLA_HEAD, Address("1.2.3.4", 5), 6, 7, "a song"),
    gnutella_said.Bye(*GNUTELLA_HEAD, 200, "enough"),
)
NAPSTER_SAID = (
    napster_said.Login("user", "-", 6699, "fuzz", 3),
    napster_said.Share("a song.mp3", 1, 2, 3, 4),
    napster_said.Search("a song", 5),
    napster_said.Result("a song.mp3", 1, "user", "1.2.3.4", 5, 6, 7, 8),
    napster_said.DownloadRequest("user", "a song.mp3"),
)
PEER = Address("1.2.3.4", 5)

TARGETS: dict[str, Target] = {
    "bencode": Target(bencode.decode, (b"d1:ai1e1:bl2:xyi-5eee", b"l" * 20 + b"e" * 20)),
    "bencode-lenient": Target(bencode.decode_leniently, (b"d1:bi1e1:ai2ee",)),
    "metainfo": Target(decode_metainfo, (Metainfo(INFO, "http://t/announce", (("udp://a",),)).encode(),)),
    "info": Target(decode_info, (INFO.raw,)),
    "magnet": Target(
        lambda data: decode_magnet(data.decode("latin-1")),
        (b"magnet:?xt=urn:btih:" + HASH.hex().encode() + b"&dn=n&tr=http%3A%2F%2Ft%2F&x.pe=1.2.3.4:5",),
    ),
    "address": Target(lambda data: parse_address(data.decode("latin-1")), (b"198.18.0.1:6881", b"[::1]:80")),
    "compact": Target(lambda data: (unpack(data), unpack6(data)), (ADDRESSES,)),
    "bitfield": Target(lambda data: Bitfield.from_wire(data, 13), (b"\xff\xf8",)),
    "message": Target(messages.decode, (messages.encode(messages.Request(1, 2, 3))[4:], b"\x14\x00de")),
    "stream": Target(_stream, (_stream_sample(),)),
    "encrypted-caller": Target(lambda data: _called().receive(data), (ASKED_IN_SECRET, Handshake(HASH, HASH).encode())),
    "encrypted-called": Target(lambda data: _caller().receive(data), (TOLD_IN_SECRET,)),
    "extension-handshake": Target(
        extensions.decode_extension_handshake,
        (extensions.ExtensionHandshake(m={"ut_pex": 1}, v="x", p=1, yourip="1.2.3.4", metadata_size=9).encode(),),
    ),
    "ut_metadata": Target(extensions.decode_metadata, (extensions.MetadataData(0, 5, b"12345").encode(),)),
    "ut_pex": Target(
        extensions.decode_pex,
        (extensions.PeerExchange((extensions.PexPeer(Address("198.18.0.1", 1)),)).encode(),),
    ),
    "announce-query": Target(
        tracker_http.decode_announce_query, (tracker_http.announce_url("x", ASKED).partition("?")[2].encode(),)
    ),
    "scrape-query": Target(tracker_http.decode_scrape_query, (b"info_hash=" + b"%41" * 20,)),
    "announce-answer": Target(
        tracker_http.decode_announce_response,
        (tracker_http.encode_announce_response(AnnounceResponse(1800, ADDRESSES, complete=1, incomplete=2)),),
    ),
    "http-request": Target(
        lambda data: parse_request(data.decode("latin-1")), (b"GET /a?b HTTP/1.1\r\nHost: h\r\nConnection: close",)
    ),
    "http-answer": Target(
        lambda data: parse_response(data.decode("latin-1")), (b"HTTP/1.1 200 OK\r\nContent-Length: 5\nA: b",)
    ),
    "udp-request": Target(tracker_udp.decode_request, UDP_ASKED),
    "udp-tracker": Target(_udp_tracker, UDP_ASKED),
    "udp-answer": Target(tracker_udp.decode_response, (bytes(16), b"\0\0\0\1" + bytes(16) + ADDRESSES)),
    "krpc": Target(
        krpc.decode,
        (
            krpc.encode(AnnouncePeer(b"aa", 1, 2, 6881, b"token", has_implied_port=True)),
            krpc.encode(Answer(b"aa", 1, (NodeInfo(2, Address("1.2.3.4", 1)),), (Address("1.2.3.4", 1),), b"token")),
        ),
    ),
    "chord": Target(
        chord.decode,
        (
            chord.encode(chord_said.FindNext(1, 2, (PEER,), HASH.hex()[:32])),
            chord.encode(chord_said.Store(1, True, (chord_said.Pair(HASH, b"value", 3),), 4)),
            chord.encode(chord_said.Values(1, 2, (b"value",))),
        ),
    ),
    "cubit": Target(
        cubit.decode,
        (
            cubit.encode(cubit_said.Gossip(1, "word", (cubit_said.Contact("other", PEER),))),
            cubit.encode(cubit_said.Keep(1, (cubit_said.Kept("word", Entry(PEER, "a song"), 3),))),
        ),
    ),
    "gnutella": Target(
        lambda data: _in_two(GnutellaDecoder(is_outgoing=False).feed, data),
        (GNUTELLA_HELLO + b"".join(map(gnutella.encode, GNUTELLA_SAID)),),
    ),
    "napster": Target(
        lambda data: _in_two(NapsterDecoder().feed, data), (b"".join(map(napster_encode, NAPSTER_SAID)),)
    ),
}


def mutate(good: bytes, rng: Random) -> bytes:
    data = bytearray(good)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(data) + 1)
        span = rng.randrange(1, 9)
        match rng.randrange(6):
            case 0:
                data[at:at] = rng.randbytes(span)
            case 1:
                del data[at : at + span]
            case 2:
                data[at : at + 4] = rng.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\0\0\0\x01"))
            case 3:
                data[at:at] = data[at : at + span * 8]
            case 4:
                data[at:at] = rng.choice((b"d", b"l", b"e", b"i", b"0", b"9" * 30, b"-", b":", b"%", b"l" * 2_000))
            case _ if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
    return bytes(data)
