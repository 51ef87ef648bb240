"""Messages of the peer wire are built and dissected alike, and as our own peer encodes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.packet import Packet, Raw

from peer.bittorrent.wire import extensions
from peer.bittorrent.wire.handshake import Handshake as OurHandshake
from peer.bittorrent.wire.messages import Message as OurMessage
from peer.bittorrent.wire.messages import encode
from peer.net.address import Address
from testbed.wiretap.layers import (
    Bitfield,
    Extended,
    ExtensionHandshake,
    Handshake,
    Have,
    HaveAll,
    Interested,
    KeepAlive,
    MetadataData,
    MetadataReject,
    MetadataRequest,
    OtherMessage,
    PeerExchange,
    PeerWire,
    PeerWireMessage,
    Piece,
    Request,
)
from tests.peer.bittorrent.wire import values as ours
from tests.wiretap.layers.values import HANDSHAKES, MESSAGES, held

OUR_NAMES = {
    "HaveBitfield": "bitfield",
    "PieceHeader": "piece",
    "KeepAlive": "keep-alive",
    "Unknown": "other message",
}


def our_name(message: OurMessage) -> str:
    name = type(message).__name__
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    return OUR_NAMES.get(name, words)


@given(MESSAGES)
def test_a_message_is_read_as_it_was_written(message: Packet) -> None:
    assert held(PeerWireMessage(bytes(message))) == held(message)


@given(HANDSHAKES)
def test_a_handshake_is_read_as_it_was_written(handshake: Packet) -> None:
    assert held(PeerWireMessage(bytes(handshake))) == held(handshake)


@given(st.lists(MESSAGES.filter(lambda message: not isinstance(message, KeepAlive)), min_size=1, max_size=6))
def test_several_messages_in_one_segment_are_read_as_they_were_written(messages: list[Packet]) -> None:
    wire = PeerWire(messages=[Handshake(), *messages])
    read = PeerWire(bytes(wire))
    assert [held(message) for message in read.messages] == [held(message) for message in wire.messages]
    assert bytes(read) == bytes(wire)


@given(ours.BLOCKLESS)
def test_messages_of_our_peer_have_the_same_name_fields_and_bytes(message: OurMessage) -> None:
    data = encode(message)
    read = PeerWireMessage(data)
    assert read.name == our_name(message)
    for field in ("index", "begin", "length", "port", "extension", "bits", "id"):
        if hasattr(message, field):
            assert getattr(read, field) == getattr(message, field)
    assert bytes(rebuilt(read)) == data


@given(ours.PIECES, st.data())
def test_a_piece_of_our_peer_has_its_block(header: OurMessage, data: st.DataObject) -> None:
    block = data.draw(st.binary(min_size=header.length, max_size=header.length))
    read = PeerWireMessage(encode(header) + block)
    assert (read.index, read.begin, read.length, read.block) == (header.index, header.begin, header.length, block)
    assert bytes(Piece(index=header.index, begin=header.begin, block=block)) == encode(header) + block


@given(ours.HANDSHAKES)
def test_a_handshake_of_our_peer_has_its_fields(handshake: OurHandshake) -> None:
    read = Handshake(handshake.encode())
    found = (read.info_hash, read.peer_id, int(read.reserved))
    assert found == (handshake.info_hash, handshake.peer_id, int(handshake.reserved))
    assert bytes(rebuilt(read)) == handshake.encode()


def test_a_handshake_names_the_extensions() -> None:
    assert str(Handshake(reserved=0x100005).reserved) == "DHT+fast+extensions"


@pytest.mark.parametrize(
    ("message", "kind", "fields"),
    [
        (extensions.MetadataRequest(3), MetadataRequest, {"piece": 3}),
        (extensions.MetadataData(0, 4, b"info"), MetadataData, {"piece": 0, "total_size": 4}),
        (extensions.MetadataReject(3), MetadataReject, {"piece": 3}),
        (
            extensions.PeerExchange(
                (
                    extensions.PexPeer(Address("198.18.0.9", 6881), extensions.PexFlags.UPLOAD_ONLY),
                    extensions.PexPeer(Address("2001:db8::9", 6882)),
                ),
                (Address("198.18.0.8", 6883),),
            ),
            PeerExchange,
            {
                "added": [("198.18.0.9", 6881)],
                "added_flags": [2],
                "dropped": [("198.18.0.8", 6883)],
                "added6": [("2001:db8::9", 6882)],
                "added6_flags": [0],
            },
        ),
    ],
    ids=["request", "data", "reject", "pex"],
)
def test_extension_messages_of_our_peer_have_their_fields(message: object, kind: type, fields: dict) -> None:
    read = PeerWireMessage(bytes(Extended(extension=7) / Raw(message.encode())))
    assert isinstance(read.payload, kind)
    assert {name: getattr(read.payload, name) for name in fields} == fields
    assert bytes(read.payload) == message.encode()


def test_the_data_of_a_metadata_piece_are_its_payload() -> None:
    read = PeerWireMessage(bytes(Extended(extension=2) / MetadataData(piece=0, total_size=4) / Raw(b"info")))
    assert read[Raw].load == b"info"


def test_our_extension_handshake_has_its_fields() -> None:
    sent = extensions.ExtensionHandshake(m={"ut_pex": 1}, v="testbed", reqq=250, metadata_size=99)
    read = PeerWireMessage(bytes(Extended() / Raw(sent.encode())))[ExtensionHandshake]
    assert (read.m, read.v, read.reqq, read.metadata_size, read.p) == ({"ut_pex": 1}, b"testbed", 250, 99, None)


def test_what_an_extension_handshake_has_besides_is_kept() -> None:
    read = ExtensionHandshake(b"d1:mi5e1:pi1e2:zz3:abce")
    assert (read.m, read.p, read.others) == (None, 1, {b"m": 5, b"zz": b"abc"})


def test_a_message_can_be_changed_and_built_again() -> None:
    wire = PeerWire(bytes(PeerWire(messages=[Have(index=1), Extended() / ExtensionHandshake(m={"ut_pex": 1})])))
    wire[Have].index = 2
    wire[ExtensionHandshake].m["ut_pex"] = 3
    again = PeerWire(bytes(wire))
    assert (again[Have].index, again[ExtensionHandshake].m) == (2, {"ut_pex": 3})


def test_bits_are_pieces() -> None:
    assert Bitfield(bits=b"\x80\x03").pieces == [0, 14, 15]


@pytest.mark.parametrize(
    ("data", "identifier"),
    [("00000002 04 07", 4), ("00000001 06", 6), ("00000009 15 0000000000000000", 21), ("0000000d 06 0000", 6)],
    ids=["wrong length", "too short", "unknown id", "cut"],
)
def test_a_message_that_is_not_as_specified_is_kept_as_another(data: str, identifier: int) -> None:
    read = PeerWireMessage(bytes.fromhex(data))
    assert isinstance(read, OtherMessage)
    assert read.id == identifier
    assert bytes(rebuilt(read)) == bytes.fromhex(data)


def test_the_last_message_of_a_segment_may_be_cut() -> None:
    wire = PeerWire(bytes(PeerWire(messages=[HaveAll(), Piece(index=5, begin=0, block=bytes(1000))]))[:200])
    piece = wire[Piece]
    assert (piece.index, piece.length, len(piece.block), piece.is_cut) == (5, 1000, 200 - 5 - 13, True)
    assert not wire[HaveAll].is_cut


@pytest.mark.parametrize(
    "data",
    [b"", b"\0\0\0", bytes(1448), b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\x02\x04\0\0\0", b"\xff" * 99],
    ids=["nothing", "three bytes", "zeros", "http", "have of two bytes", "ones"],
)
def test_a_segment_that_holds_something_else_is_raw(data: bytes) -> None:
    assert isinstance(PeerWire(data), Raw)


def test_a_summary_names_the_messages() -> None:
    wire = PeerWire(messages=[Handshake(), Interested(), Request()])
    assert wire.summary() == "BitTorrent handshake, interested, request"


def rebuilt(packet: Packet) -> Packet:
    """Return a packet that must be built from its fields, since it no longer knows the bytes it was read from."""
    for layer in packet.layers():
        packet[layer].raw_packet_cache = None
    return packet
