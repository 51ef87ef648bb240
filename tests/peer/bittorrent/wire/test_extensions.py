"""Extension messages: examples of the specifications are read, and senseless optional entries do no harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.wire.errors import MessageError
from peer.bittorrent.wire.extensions import (
    ExtensionHandshake,
    MetadataData,
    MetadataMessage,
    MetadataReject,
    MetadataRequest,
    PeerExchange,
    PexFlags,
    PexPeer,
    decode_extension_handshake,
    decode_metadata,
    decode_pex,
    metadata_piece_size,
)
from peer.errors import WireError
from peer.net.address import Address
from tests.peer.bittorrent.wire.values import IPV4_ADDRESSES, IPV6_ADDRESSES, TEXTS


def optional(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


HOSTS4, HOSTS6 = IPV4_ADDRESSES.map(lambda a: a.host), IPV6_ADDRESSES.map(lambda a: a.host)
HANDSHAKES = st.builds(
    ExtensionHandshake,
    m=st.dictionaries(TEXTS, st.integers(0, 255), max_size=4),
    v=optional(TEXTS),
    p=optional(st.integers(1, 65535)),
    reqq=optional(st.integers(1, 5000)),
    yourip=optional(HOSTS4 | HOSTS6),
    ipv4=optional(HOSTS4),
    ipv6=optional(HOSTS6),
    metadata_size=optional(st.integers(1, 1 << 24)),
    upload_only=st.booleans(),
)
FLAGS = st.integers(0, 255).map(PexFlags)


@given(HANDSHAKES)
def test_handshake_survives_round_trip(handshake: ExtensionHandshake) -> None:
    assert decode_extension_handshake(handshake.encode()) == handshake


def test_handshake_of_specification_is_read() -> None:
    payload = b"d1:md11:LT_metadatai1e7:\xc2\xb5T_PEXi2ee1:pi6881e1:v13:\xc2\xb5Torrent 1.2e"
    expected = ExtensionHandshake(m={"LT_metadata": 1, "µT_PEX": 2}, p=6881, v="µTorrent 1.2")
    assert decode_extension_handshake(payload) == expected


@pytest.mark.parametrize(
    "payload",
    [
        b"de",
        b"d1:pi0e4:reqqi-1e1:vi1ee",
        b"d1:p4:68816:yourip3:abc4:ipv43:abc4:ipv64:abcde",
        b"d13:metadata_sizei-1e11:upload_onlyi0ee",
        b"d5:otherle7:unknowni1ee",
        b"d1:vle1:pdee",
        b"d1:mi1ee",
        b"d1:md6:ut_pexi256eee",
        b"d1:md6:ut_pex1:1ee",
    ],
)
def test_senseless_optional_entries_count_as_absent(payload: bytes) -> None:
    assert decode_extension_handshake(payload) == ExtensionHandshake()


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"i1e", "extension handshake: expected a dictionary, found an integer"),
        (b"", "expected a value"),
        (b"l" * 100_000, "more than 32 lists"),
    ],
)
def test_unreadable_handshake_is_described(payload: bytes, problem: str) -> None:
    with pytest.raises(WireError, match=problem):
        decode_extension_handshake(payload)


@st.composite
def metadata_messages(draw: st.DrawFn) -> MetadataMessage:
    total = draw(st.integers(1, 60_000))
    piece = draw(st.integers(0, (total - 1) // (16 << 10)))
    data = MetadataData(piece, total, bytes(metadata_piece_size(piece, total)))
    choices: list[MetadataMessage] = [MetadataRequest(piece), MetadataReject(piece), data]
    return draw(st.sampled_from(choices))


@given(metadata_messages())
def test_metadata_message_survives_round_trip(message: MetadataMessage) -> None:
    assert decode_metadata(message.encode()) == message


def test_metadata_examples_of_specification() -> None:
    assert MetadataRequest(0).encode() == b"d8:msg_typei0e5:piecei0ee"
    assert MetadataReject(0).encode() == b"d8:msg_typei2e5:piecei0ee"
    data = b"d8:msg_typei1e5:piecei0e10:total_sizei3425ee" + b"x" * 3425
    assert decode_metadata(data) == MetadataData(0, 3425, b"x" * 3425)


def test_unknown_metadata_type_is_ignored() -> None:
    assert decode_metadata(b"d8:msg_typei3e5:piecei0ee") is None


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"d8:msg_typei1e5:piecei0e10:total_sizei3425eexxx", "piece 0 of 3425 bytes: expected 3425 bytes, found 3"),
        (b"d8:msg_typei1e5:piecei1e10:total_sizei3425ee", "piece 1 of 3425 bytes: expected 0 bytes, found 0"),
        (b"d8:msg_typei1e5:piecei0ee", "expected an entry 'total_size', found none"),
        (b"d8:msg_typei0e5:piecei-1ee", "'piece': expected 0 to 131072, found -1"),
        (b"d8:msg_type1:05:piecei0ee", "'msg_type': expected an integer, found a string"),
        (b"de", "expected an entry 'piece', found none"),
    ],
)
def test_unreadable_metadata_message_is_described(payload: bytes, problem: str) -> None:
    with pytest.raises(MessageError, match=problem):
        decode_metadata(payload)


@pytest.mark.parametrize(("piece", "size"), [(0, 16384), (1, 16384), (2, 1), (3, 0)])
def test_last_metadata_piece_is_shorter(piece: int, size: int) -> None:
    assert metadata_piece_size(piece, 32769) == size


@given(
    st.lists(st.builds(PexPeer, IPV4_ADDRESSES, FLAGS), max_size=3),
    st.lists(st.builds(PexPeer, IPV6_ADDRESSES, FLAGS), max_size=3),
    st.lists(IPV4_ADDRESSES, max_size=3),
    st.lists(IPV6_ADDRESSES, max_size=3),
)
def test_peer_exchange_survives_round_trip(
    new4: list[PexPeer], new6: list[PexPeer], old4: list[Address], old6: list[Address]
) -> None:
    exchange = PeerExchange((*new4, *new6), (*old4, *old6))
    assert decode_pex(exchange.encode()) == exchange


@pytest.mark.parametrize("flags", [b"", b"7:added.f0:", b"7:added.f2:\x10\x10"])
def test_flags_of_wrong_length_count_as_absent(flags: bytes) -> None:
    payload = b"d5:added6:\xc6\x12\x00\x05\x1a\xe1" + flags + b"7:dropped0:e"
    assert decode_pex(payload) == PeerExchange((PexPeer(Address("198.18.0.5", 6881)),))


def test_truncated_addresses_are_refused() -> None:
    with pytest.raises(WireError, match="expected a multiple of 6 bytes, found 5"):
        decode_pex(b"d5:added5:abcdee")


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    for decode in (decode_extension_handshake, decode_metadata, decode_pex):
        try:
            decode(payload)
        except WireError:
            continue
