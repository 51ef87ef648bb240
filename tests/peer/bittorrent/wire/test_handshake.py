"""The handshake: 68 bytes, with extension bits that are kept whatever they mean; and who is behind a peer id."""

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
from peer.bittorrent.wire.peer_id import OUR_PREFIX, describe, make_peer_id
from tests.peer.bittorrent.wire.values import HANDSHAKES


@given(HANDSHAKES)
def test_a_handshake_survives_the_round_trip(handshake: Handshake) -> None:
    encoded = handshake.encode()
    assert len(encoded) == 68
    assert decode_handshake(encoded) == handshake


def test_the_bits_stand_where_the_specifications_put_them() -> None:
    encoded = Handshake(b"h" * 20, b"p" * 20, Reserved.FAST | Reserved.EXTENSIONS | Reserved.DHT).encode()
    assert encoded == b"\x13BitTorrent protocol" + b"\0\0\0\0\0\x10\0\x05" + b"h" * 20 + b"p" * 20
    assert Reserved.FAST in decode_handshake(encoded).reserved


@pytest.mark.parametrize(
    "front", [b"\x14", b"GET / HTTP/1.1\r\n", b"\x13bittorrent protocol", b"\x13BitTorrent Protocol"]
)
def test_another_protocol_is_refused_by_its_first_bytes(front: bytes) -> None:
    with pytest.raises(HandshakeError, match=r"expected .*BitTorrent protocol.*found"):
        check_front(front)


def test_any_front_of_a_handshake_may_become_one() -> None:
    encoded = Handshake(bytes(20), bytes(20)).encode()
    for length in range(68):
        check_front(encoded[:length])


@pytest.mark.parametrize("length", [0, 67, 69])
def test_a_handshake_has_68_bytes(length: int) -> None:
    encoded = Handshake(bytes(20), bytes(20)).encode() + b"x"
    with pytest.raises(HandshakeError, match=f"expected 68 bytes, found {length}"):
        decode_handshake(encoded[:length])


def test_hash_and_id_of_a_wrong_length_are_not_written() -> None:
    with pytest.raises(HandshakeError):
        Handshake(bytes(19), bytes(20)).encode()
    with pytest.raises(HandshakeError):
        Handshake(bytes(20), bytes(21)).encode()


def test_our_peer_ids_differ_by_chance_alone() -> None:
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
        (b"-ZZ1234-abcdefghijkl", "ZZ 1.2.3.4"),
        (b"M4-20-8-abcdefghijkl", "Mainline 4.20.8"),
        (b"M4-3-6--abcdefghijkl", "Mainline 4.3.6"),
        (b"Q1-10-0-abcdefghijkl", "Queen Bee 1.10.0"),
        (b"A2-1-36-0-abcdefghij", "aria2"),
        (b"AZ2500BTabcdefghijkl", "BitTyrant"),
        (b"\x00\x01\xff345678........", r"unknown (\x00\x01\xff34567)"),
    ],
)
def test_a_client_is_named_as_far_as_its_id_tells(peer_id: bytes, client: str) -> None:
    assert describe(peer_id) == client
