"""Every message is encoded as specified, survives the round trip, and is refused when its length is wrong."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.wire.allowed_fast import allowed_fast_set
from peer.bittorrent.wire.errors import MessageError
from peer.bittorrent.wire.messages import (
    AllowedFast,
    Cancel,
    Choke,
    Extended,
    Have,
    HaveAll,
    HaveBitfield,
    HaveNone,
    Interested,
    KeepAlive,
    Message,
    NotInterested,
    PieceHeader,
    Port,
    RejectRequest,
    Request,
    SuggestPiece,
    Unchoke,
    Unknown,
    decode,
    encode,
)
from peer.errors import WireError
from tests.peer.bittorrent.wire.values import BLOCKLESS, PIECES

WRITTEN: list[tuple[Message, str]] = [
    (KeepAlive(), "00000000"),
    (Choke(), "00000001 00"),
    (Unchoke(), "00000001 01"),
    (Interested(), "00000001 02"),
    (NotInterested(), "00000001 03"),
    (Have(258), "00000005 04 00000102"),
    (HaveBitfield(b"\x80\x40"), "00000003 05 8040"),
    (Request(1, 16384, 16384), "0000000d 06 00000001 00004000 00004000"),
    (PieceHeader(1, 16384, 16384), "00004009 07 00000001 00004000"),
    (Cancel(1, 16384, 16384), "0000000d 08 00000001 00004000 00004000"),
    (Port(6881), "00000003 09 1ae1"),
    (SuggestPiece(3), "00000005 0d 00000003"),
    (HaveAll(), "00000001 0e"),
    (HaveNone(), "00000001 0f"),
    (RejectRequest(1, 0, 16384), "0000000d 10 00000001 00000000 00004000"),
    (AllowedFast(3), "00000005 11 00000003"),
    (Extended(0, b"de"), "00000004 14 00 6465"),
    (Unknown(99, b"x"), "00000002 63 78"),
]


@pytest.mark.parametrize(("message", "written"), WRITTEN, ids=[type(message).__name__ for message, _ in WRITTEN])
def test_message_is_encoded_as_specified(message: Message, written: str) -> None:
    assert encode(message) == bytes.fromhex(written)


def test_examples_cover_all_messages() -> None:
    assert {type(message) for message, _ in WRITTEN} == set(get_args(Message))


@given(BLOCKLESS)
def test_message_survives_round_trip(message: Message) -> None:
    encoded = encode(message)
    assert int.from_bytes(encoded[:4], "big") == len(encoded) - 4
    assert decode(encoded[4:]) == message


@given(PIECES)
def test_piece_is_header_followed_by_block(piece: PieceHeader) -> None:
    whole = encode(piece) + bytes(piece.length)
    assert int.from_bytes(whole[:4], "big") == len(whole) - 4
    assert decode(whole[4:]) == piece


@given(st.binary(max_size=40))
def test_any_bytes_are_message_or_wire_error(body: bytes) -> None:
    try:
        message = decode(body)
    except WireError:
        return
    if not isinstance(message, PieceHeader):
        assert encode(message)[4:] == body


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("00 00", "choke: expected length 1, found 2"),
        ("04 000000", "have: expected length 5, found 4"),
        ("05", "bitfield: expected length 2 or more, found 1"),
        ("06 00000000 00000000", "request: expected length 13, found 9"),
        ("07 00000000 00000000", "piece: expected length 10 or more, found 9"),
        ("09 00", "port: expected length 3, found 2"),
        ("10 00000000", "reject request: expected length 13, found 5"),
        ("14", "extended: expected length 2 or more, found 1"),
    ],
)
def test_wrong_length_is_described(body: str, problem: str) -> None:
    with pytest.raises(MessageError, match=problem):
        decode(bytes.fromhex(body))


def test_messages_of_different_types_differ() -> None:
    assert len({Have(1), AllowedFast(1), SuggestPiece(1)}) == 3
    assert len({Request(1, 2, 3), Cancel(1, 2, 3), RejectRequest(1, 2, 3), PieceHeader(1, 2, 3)}) == 4
    assert len({Choke(), Unchoke(), KeepAlive()}) == 3


@pytest.mark.parametrize(
    ("count", "indices"),
    [
        (7, [1059, 431, 808, 1217, 287, 376, 1188]),
        (9, [1059, 431, 808, 1217, 287, 376, 1188, 353, 508]),
    ],
)
def test_allowed_fast_set_matches_specification(count: int, indices: list[int]) -> None:
    assert allowed_fast_set("80.4.4.200", b"\xaa" * 20, 1313, count) == indices


def test_same_24_network_shares_allowed_fast_set() -> None:
    assert allowed_fast_set("80.4.4.1", b"\xaa" * 20, 1313) == allowed_fast_set("80.4.4.200", b"\xaa" * 20, 1313)
    assert allowed_fast_set("80.4.5.1", b"\xaa" * 20, 1313) != allowed_fast_set("80.4.4.200", b"\xaa" * 20, 1313)


def test_small_torrent_is_allowed_completely() -> None:
    assert sorted(allowed_fast_set("80.4.4.200", b"\xaa" * 20, 3)) == [0, 1, 2]
