"""The handshake: 68 bytes with extension bits, of which unknown ones are kept; and clients named by their peer id."""

import random

import pytest
from hypothesis import given

from peer.bittorrent.wire.errors import HandshakeError
from peer.bittorrent.wire.handshake import (
    Handshake,
    Reserved,
    check_front,
    decode_handshake,
)
from peer.bittorrent.wire.peer_id import OUR_PREFIX, client_name, make_peer_id
from tests.peer.bittorrent.wire.values import HANDSHAKES


@given(HANDSHAKES)
def test_handshake_survives_round_trip(handshake: Handshake) -> None:
    encoded = handshake.encode()
    assert len(encoded) == 68
    assert decode_handshake(encoded) == handshake


def test_reserved_bits_have_specified_positions() -> None:
    encoded = Handshake(b"h" * 20, b"p" * 20, Reserved.FAST | Reserved.EXTENSIONS | Reserved.DHT).encode()
    assert encoded == b"\x13BitTorrent protocol" + b"\0\0\0\0\0\x10\0\x05" + b"h" * 20 + b"p" * 20
    assert Reserved.FAST in decode_handshake(encoded).reserved


@pytest.mark.parametrize(
    "front", [b"\x14", b"GET / HTTP/1.1\r\n", b"\x13bittorrent protocol", b"\x13BitTorrent Protocol"]
)
def test_other_protocol_is_refused_by_first_bytes(front: bytes) -> None:
    with pytest.raises(HandshakeError, match=r"expected .*BitTorrent protocol.*found"):
        check_front(front)


def test_any_prefix_of_handshake_is_accepted() -> None:
    encoded = Handshake(bytes(20), bytes(20)).encode()
    for length in range(68):
        check_front(encoded[:length])


@pytest.mark.parametrize("length", [0, 67, 69])
def test_handshake_has_68_bytes(length: int) -> None:
    encoded = Handshake(bytes(20), bytes(20)).encode() + b"x"
    with pytest.raises(HandshakeError, match=f"expected 68 bytes, found {length}"):
        decode_handshake(encoded[:length])


def test_wrong_hash_or_id_length_is_refused() -> None:
    with pytest.raises(HandshakeError):
        Handshake(bytes(19), bytes(20)).encode()
    with pytest.raises(HandshakeError):
        Handshake(bytes(20), bytes(21)).encode()


def test_peer_ids_depend_only_on_seed() -> None:
    one, again, other = (make_peer_id(random.Random(seed)) for seed in (1, 1, 2))
    assert one == again
    assert one != other
    assert len(one) == 20
    assert one.startswith(OUR_PREFIX)
    assert one[8:].isalnum()


@pytest.mark.parametrize(
    ("peer_id", "client"),
    [
        (b"-TB0100-abcdefghijkl", "Testbed 0.1.0.0"),
        (b"-TR2940-abcdefghijkl", "Transmission 2.9.4.0"),
        (b"-lt0D80-\x00\xff\x01........", "libTorrent (rTorrent) 0.D.8.0"),
        (b"-KT22123-abcdefghijk", "KTorrent 22.12.3"),
        (b"-KT24081x23456789012", "KTorrent 24.08.1"),
        (b"-KT230801-1234567890", "KTorrent 23.08.1"),
        (b"-KT5201-abcdefghijkl", "KTorrent 5.2.0.1"),
        (b"-WW0102-abcdefghijkl", "WebTorrent 1.2"),
        (b"-WW0205-abcdefghijkl", "WebTorrent 2.5"),
        (b"-WD0024-abcdefghijkl", "WebTorrent Desktop 0.24"),
        (b"-ZZ1234-abcdefghijkl", "ZZ 1.2.3.4"),
        (b"M4-20-8-abcdefghijkl", "Mainline 4.20.8"),
        (b"M4-3-6--abcdefghijkl", "Mainline 4.3.6"),
        (b"Q1-10-0-abcdefghijkl", "Queen Bee 1.10.0"),
        (b"A2-1-36-0-abcdefghij", "aria2"),
        (b"AZ2500BTabcdefghijkl", "BitTyrant"),
        (b"\x00\x01\xff345678........", r"unknown (\x00\x01\xff34567)"),
    ],
)
def test_client_is_named_from_peer_id(peer_id: bytes, client: str) -> None:
    assert client_name(peer_id) == client
