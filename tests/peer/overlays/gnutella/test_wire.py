"""Gnutella's bytes: what is written is read, and nothing else is accepted."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.errors import WireError
from peer.net.address import Address
from peer.overlays.gnutella.wire import MOST_PAYLOAD, encode, read_payload, size
from peer.overlays.gnutella.wire import messages as said
from peer.overlays.gnutella.wire.decoder import Decoder
from peer.overlays.gnutella.wire.handshake import code_of
from peer.overlays.gnutella.wire.messages import Kind

guids = st.binary(min_size=16, max_size=16)
small = st.integers(0, 255)
short = st.integers(0, 0xFFFF)
long = st.integers(0, 0xFFFFFFFF)
texts = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=40)
addresses = st.builds(Address, st.ip_addresses(v=4).map(str), short)
no_zero = st.binary(max_size=8).map(lambda data: data.replace(b"\0", b"\1"))
head = (guids, small, small)
founds = st.builds(said.Found, long, long, texts, no_zero)
binary = st.one_of(
    st.builds(said.Ping, *head),
    st.builds(said.Pong, *head, addresses, long, long),
    st.builds(said.Bye, *head, short, texts),
    st.builds(said.Push, *head, guids, long, addresses),
    st.builds(said.Query, *head, texts, short, st.binary(max_size=20)),
    st.builds(
        said.QueryHit, *head, addresses, long, st.lists(founds, min_size=1, max_size=5).map(tuple), guids,
        st.binary(max_size=20),
    ),
    st.builds(said.Reset, *head, st.integers(3, 21).map(lambda bits: 1 << bits), st.integers(2, 255)),
    st.tuples(*head, st.integers(1, 255), st.integers(1, 255), st.sampled_from([0, 1]), st.sampled_from([4, 8]),
              st.binary(max_size=40)).map(lambda v: said.Patch(*v[:3], min(v[3:5]), max(v[3:5]), *v[5:])),
    st.builds(said.Walk, *head, addresses, short, short, texts),
)  # fmt: skip
tokens = st.text("abcXYZ-019", min_size=1, max_size=10)
handshakes = st.builds(
    said.Handshake,
    st.sampled_from(["GNUTELLA CONNECT/0.6", "GNUTELLA/0.6 200 OK", "GNUTELLA/0.6 503 No places left"]),
    st.lists(st.tuples(tokens, tokens), max_size=5).map(tuple),
)


def cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(stream), *(min(each, len(stream)) for each in cuts)})
    return [stream[begin:end] for begin, end in pairwise(places)]


@given(st.booleans(), st.lists(handshakes, min_size=2, max_size=2), st.lists(binary, max_size=4), st.data())
def test_what_is_written_is_read_however_the_stream_is_cut(
    is_outgoing: bool, hands: list[said.Handshake], sent: list[Any], data: st.DataObject
) -> None:
    sent = [*(hands[:1] if is_outgoing else hands), *sent]
    stream = b"".join(map(encode, sent))
    decoder = Decoder(is_outgoing=is_outgoing)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))
    assert [message for part in cut(stream, cuts) for message in decoder.feed(part)] == sent


@given(st.one_of(binary, handshakes))
def test_the_size_is_that_of_the_bytes(message: Any) -> None:
    assert size(message) == len(encode(message))


GUID = bytes(range(16))
WHERE = Address("198.18.0.1", 6346)
PUBLISHED = [
    (said.Ping(GUID, 7, 0), "00 07 00 00000000"),
    (said.Pong(GUID, 1, 2, WHERE, 5, 1000), "01 01 02 0e000000 ca18 c6120001 05000000 e8030000"),
    (said.Bye(GUID, 1, 0, 200, "Hi"), "02 01 00 05000000 c800 486900"),
    (said.Push(GUID, 3, 0, GUID, 258, WHERE), f"40 03 00 1a000000 {GUID.hex()} 02010000 c6120001 ca18"),
    (said.Query(GUID, 7, 0, "a b", 0), "80 07 00 06000000 0000 61206200"),
    (
        said.QueryHit(GUID, 2, 1, WHERE, 28, (said.Found(1, 512, "a"),), GUID, b"TBED\2\1\1"),
        f"81 02 01 2d000000 01 ca18 c6120001 1c000000 01000000 00020000 6100 00 54424544020101 {GUID.hex()}",
    ),
    (said.Reset(GUID, 1, 0, 8, 7), "30 01 00 06000000 00 08000000 07"),
    (said.Patch(GUID, 1, 0, 1, 1, 0, 4, bytes.fromhex("00a00000")), "30 01 00 09000000 01 01 01 00 04 00a00000"),
    (
        said.Walk(GUID, 1, 0, WHERE, 4, 1020, "a"),
        "31 01 00 14000000 54424544 0100 0100 ca18 c6120001 0400 fc03 6100",
    ),
]


@pytest.mark.parametrize(("message", "expected"), PUBLISHED)
def test_messages_have_the_published_layout(message: Any, expected: str) -> None:
    """16 bytes of a GUID, type, TTL, hops and length, little-endian; hosts in the network's order."""
    assert encode(message) == GUID + bytes.fromhex(expected)


def test_the_published_route_table_messages_are_read() -> None:
    stream = bytes.fromhex(
        "85d9764dbf021d9aff72e721c340dd003001000600000000" + "0800000007"
        "a9ab9b14c11e52aaffb4b441756d290030010" + "00d0000000101010008" + "0000fa0000000000"
    )
    decoder = Decoder(is_outgoing=True)
    _, reset, patch = decoder.feed(b"GNUTELLA/0.6 200 OK\r\n\r\n" + stream)
    assert isinstance(reset, said.Reset)
    assert isinstance(patch, said.Patch)
    assert (reset.entries, reset.infinity, reset.ttl, reset.hops) == (8, 7, 1, 0)
    assert (patch.number, patch.count, patch.entry_bits, patch.data.hex()) == (1, 1, 8, "0000fa0000000000")


def test_handshakes_are_lines_with_headers() -> None:
    handshake = said.Handshake("GNUTELLA CONNECT/0.6", (("X-Ultrapeer", "False"), ("X-Query-Routing", "0.1")))
    assert encode(handshake) == b"GNUTELLA CONNECT/0.6\r\nX-Ultrapeer: False\r\nX-Query-Routing: 0.1\r\n\r\n"
    assert handshake.get("x-ULTRAPEER") == "False"
    assert handshake.get("absent") == ""
    assert [code_of(said.Handshake(line)) for line in ("GNUTELLA/0.6 503 Busy", "GNUTELLA CONNECT/0.6")] == [503, 0]


MALFORMED = [
    (Kind.PONG, bytes(13)),
    (Kind.BYE, b"\0"),
    (Kind.PUSH, bytes(25)),
    (Kind.QUERY, b"\0\0"),
    (Kind.QUERY, b"\0\0no end"),
    (Kind.QUERY_HIT, bytes(26)),
    (Kind.QUERY_HIT, bytes(27)),
    (Kind.QUERY_HIT, b"\1" + bytes(10) + b"\1\0\0\0\1\0\0\0no end" + b"\1" * 16),
    (Kind.QUERY_HIT, b"\2" + bytes(10) + b"\1\0\0\0\1\0\0\0one\0\0" + bytes(16)),
    (Kind.ROUTE_TABLE, b""),
    (Kind.ROUTE_TABLE, b"\2"),
    (Kind.ROUTE_TABLE, b"\0\7\0\0\0\7"),
    (Kind.ROUTE_TABLE, b"\0\0\0\0\x10\7"),
    (Kind.ROUTE_TABLE, b"\0\x08\0\0\0\1"),
    (Kind.ROUTE_TABLE, b"\0\x08\0\0\0"),
    (Kind.ROUTE_TABLE, b"\1\2\1\0\4"),
    (Kind.ROUTE_TABLE, b"\1\0\1\0\4"),
    (Kind.ROUTE_TABLE, b"\1\1\1\2\4"),
    (Kind.ROUTE_TABLE, b"\1\1\1\0\5"),
    (Kind.ROUTE_TABLE, b"\1\1\1\0"),
    (Kind.VENDOR, b"TBED\1\0\1"),
    (Kind.VENDOR, b"TBED\1\0\1\0" + bytes(10)),
    (Kind.VENDOR, b"TBED\1\0\1\0" + bytes(10) + b"no end"),
]


@pytest.mark.parametrize(("kind", "payload"), MALFORMED)
def test_a_wrong_payload_is_malformed_and_the_stream_goes_on(kind: Kind, payload: bytes) -> None:
    data = GUID + bytes([kind, 7, 0]) + len(payload).to_bytes(4, "little") + payload + encode(said.Ping(GUID, 1, 0))
    first, second = list(Decoder(is_outgoing=True).feed(b"GNUTELLA/0.6 200 OK\r\n\r\n" + data))[1:]
    assert isinstance(first, said.Malformed)
    assert first.kind == kind
    assert second == said.Ping(GUID, 1, 0)


def test_messages_that_are_not_ours_are_unknown() -> None:
    assert read_payload(0x32, (GUID, 1, 0), b"") == said.Unknown(0x32)
    assert read_payload(Kind.VENDOR, (GUID, 1, 0), b"BEAR\4\0\1\0\5") == said.Unknown(Kind.VENDOR)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "expected GNUTELLA"),
        (b"G" * 3, "expected GNUTELLA"),
        (b"GNUTELLA CONNECT/0.6\r\n" + b"X: y\r\n" * 2000, "its end within"),
        (b"GNUTELLA CONNECT/0.6\r\nno header\r\n\r\n", "expected a header"),
        (b"GNUTELLA/0.6 200 OK\r\n\r\n" + GUID + b"\x80\7\0\1\0\1\0", "at most 65536"),
    ],
)
def test_a_stream_that_makes_no_sense_ends(data: bytes, problem: str) -> None:
    decoder = Decoder(is_outgoing=True)
    with pytest.raises(WireError, match=problem):
        list(decoder.feed(data))
    with pytest.raises(WireError, match="no sense before"):
        list(decoder.feed(b""))


@given(st.sampled_from(sorted(Kind)), st.binary(max_size=200))
def test_no_payload_raises(kind: Kind, payload: bytes) -> None:
    assert read_payload(kind, (GUID, 1, 0), payload) is not None


@given(st.sampled_from(sorted(Kind)), st.binary(max_size=200))
def test_what_is_read_can_be_written(kind: Kind, payload: bytes) -> None:
    """So it can be passed on, whatever its texts are."""
    message = read_payload(kind, (GUID, 1, 0), payload)
    if not isinstance(message, said.Malformed | said.Unknown):
        again = encode(message)
        assert read_payload(kind, (GUID, 1, 0), again[23:]) == message


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(WireError, match="with a zero"):
        encode(said.Query(GUID, 7, 0, "a\0b"))
    with pytest.raises(WireError, match="1 to 255"):
        encode(said.QueryHit(GUID, 7, 0, WHERE, 0, (), GUID))
    with pytest.raises(WireError, match="at most"):
        encode(said.Query(GUID, 7, 0, "a" * MOST_PAYLOAD))
