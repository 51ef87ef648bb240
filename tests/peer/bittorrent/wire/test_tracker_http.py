"""Announcements over HTTP survive the round trip, scrapes are answered as specified; impossible ones are refused."""

from contextlib import suppress
from urllib.parse import quote_from_bytes, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.wire.compact import pack, pack6
from peer.bittorrent.wire.errors import TrackerError
from peer.bittorrent.wire.tracker.http import (
    announce_url,
    decode_announce_query,
    decode_announce_response,
    decode_scrape_query,
    encode_announce_response,
    encode_failure,
    encode_scrape_response,
)
from peer.bittorrent.wire.tracker.messages import (
    AnnounceRequest,
    AnnounceResponse,
    Event,
    Failure,
    Peer,
    ScrapeEntry,
    ScrapeResponse,
)
from peer.errors import WireError
from peer.net.address import Address
from tests.peer.bittorrent.wire.values import (
    HASHES,
    IPV4_ADDRESSES,
    IPV6_ADDRESSES,
    PORTS,
    TEXTS,
)

AMOUNTS = st.integers(0, 2**64 - 1)
REQUESTS = st.builds(
    AnnounceRequest,
    info_hash=HASHES,
    peer_id=HASHES,
    port=PORTS,
    uploaded=AMOUNTS,
    downloaded=AMOUNTS,
    left=AMOUNTS,
    event=st.sampled_from(Event),
    numwant=st.none() | st.integers(0, 1000),
    key=st.none() | TEXTS,
    ip=st.none() | TEXTS,
    compact=st.booleans(),
    no_peer_id=st.booleans(),
    trackerid=st.none() | st.binary(max_size=9),
)

MAYBE = st.none() | st.integers(0, 2**31)
PEERS = st.builds(Peer, IPV4_ADDRESSES | IPV6_ADDRESSES, st.none() | HASHES)
RESPONSES = st.builds(
    AnnounceResponse,
    interval=st.integers(0, 2**31),
    peers=st.lists(IPV4_ADDRESSES, max_size=3).map(pack) | st.lists(PEERS, max_size=3).map(tuple),
    peers6=st.lists(IPV6_ADDRESSES, max_size=2).map(pack6),
    complete=MAYBE,
    incomplete=MAYBE,
    min_interval=MAYBE,
    tracker_id=st.none() | st.binary(max_size=9),
    warning=st.none() | TEXTS,
)

MINIMAL = f"info_hash={'h' * 20}&peer_id={'p' * 20}&port=6881&uploaded=1&downloaded=2&left=3"
PLAIN = AnnounceRequest(b"h" * 20, b"p" * 20, 6881, 1, 2, 3)


@given(REQUESTS)
def test_announcement_survives_round_trip(request: AnnounceRequest) -> None:
    assert decode_announce_query(urlsplit(announce_url("http://tracker/announce", request)).query.encode()) == request


@given(RESPONSES)
def test_answer_survives_round_trip(response: AnnounceResponse) -> None:
    assert decode_announce_response(encode_announce_response(response)) == response
    assert response.peer_count == len(response.addresses())


@given(st.lists(HASHES, max_size=4))
def test_scraped_info_hashes_are_read(info_hashes: list[bytes]) -> None:
    query = "&".join(f"info_hash={quote_from_bytes(info_hash)}" for info_hash in info_hashes)
    assert decode_scrape_query(query.encode()) == tuple(info_hashes)


def test_query_of_tracker_url_is_kept() -> None:
    assert announce_url("http://t/announce?pass=1", PLAIN).startswith("http://t/announce?pass=1&info_hash=hhh")


@pytest.mark.parametrize(
    ("query", "request_"),
    [
        (MINIMAL, PLAIN),
        ("&".join(reversed(MINIMAL.split("&"))), PLAIN),
        (MINIMAL.replace("h" * 20, "%68" * 20), PLAIN),
        (MINIMAL + "&supportcrypto=1&ipv6=x&ipv6=y&redundant=0&&", PLAIN),
        (MINIMAL + "&event=empty&numwant=-1&compact=1", PLAIN),
        (MINIMAL + "&event=", PLAIN),
    ],
)
def test_order_case_and_unknown_entries_do_not_matter(query: str, request_: AnnounceRequest) -> None:
    assert decode_announce_query(query.encode()) == request_


def test_percent_encoding_is_read_and_plus_kept() -> None:
    query = MINIMAL.replace("h" * 20, "%12%34Vx%9a%BC%de%f1%23%45%67%89%ab%cd%ef%124Vx+")
    assert decode_announce_query(query.encode()).info_hash == bytes.fromhex("123456789abcdef123456789abcdef123456782b")


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("", "expected an entry info_hash, found none"),
        (MINIMAL.replace("h" * 20, "h"), "info_hash: expected 20 bytes, found 1"),
        (MINIMAL.replace("h" * 20, "%zz"), "character 10: expected two hex digits behind %"),
        (MINIMAL.replace("6881", "65536"), "port: expected 0 to 65535, found b'65536'"),
        (MINIMAL.replace("6881", "-1"), "port: expected 0 to 65535, found b'-1'"),
        (MINIMAL.replace("6881", "%d9%a1"), "port: expected 0 to 65535"),
        (MINIMAL.replace("left=3", f"left={2**64}"), "left: expected 0 to"),
        (MINIMAL.replace("&left=3", ""), "expected an entry left, found none"),
        (MINIMAL.replace("left=3", "left=" + "9" * 100_000), "left: expected 0 to"),
        (MINIMAL + "&port=1", "expected one entry port, found two"),
        (MINIMAL + "&numwant=x", "numwant: expected 0 to"),
        (MINIMAL + "&x=1" * 200, "expected at most 200 entries"),
    ],
)
def test_impossible_announcement_is_described(query: str, problem: str) -> None:
    with pytest.raises(TrackerError, match=problem):
        decode_announce_query(query.encode())


def test_scrape_with_wrong_info_hash_is_refused() -> None:
    with pytest.raises(TrackerError, match="info_hash: expected 20 bytes, found 3"):
        decode_scrape_query(b"info_hash=abc")


@given(st.binary(max_size=60) | st.text("&=%0a1", max_size=60).map(lambda tail: (MINIMAL + tail).encode()))
def test_any_query_is_read_or_refused(query: bytes) -> None:
    for decode in (decode_announce_query, decode_scrape_query):
        try:
            decode(query)
        except TrackerError:
            continue


def test_answers_of_specifications_are_read() -> None:
    compact = b"d8:intervali1800e5:peers6:\xc6\x12\x00\x05\x1a\xe16:peers618:" + bytes(15) + b"\x01\x1a\xe1e"
    answer = decode_announce_response(compact)
    assert isinstance(answer, AnnounceResponse)
    assert answer.addresses() == [Address("198.18.0.5", 6881), Address("::1", 6881)]


def test_scrape_is_answered_as_specified() -> None:
    body = encode_scrape_response(ScrapeResponse({b"x" * 20: ScrapeEntry(11, 13772, 19)}))
    assert body == b"d5:filesd20:" + b"x" * 20 + b"d8:completei11e10:downloadedi13772e10:incompletei19eeee"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"d8:intervali60ee", AnnounceResponse(60)),
        (b"d5:peers0:8:intervali60ee\r\n", AnnounceResponse(60)),
        (b"d8:intervali60e5:peerslee", AnnounceResponse(60, ())),
        (b"d8:intervali60e5:peersld2:ip4:host4:porti1eeee", AnnounceResponse(60, (Peer(Address("host", 1)),))),
        (b"d14:failure reason2:noe", Failure("no")),
        (b"d14:failure_reason2:noe", Failure("no")),
    ],
)
def test_answers_of_real_trackers_are_read(body: bytes, answer: AnnounceResponse | Failure) -> None:
    assert decode_announce_response(body) == answer


def test_failure_survives_round_trip() -> None:
    assert decode_announce_response(encode_failure(Failure("müde"))) == Failure("müde")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"<html>", "bencoding, byte 0: expected a value"),
        (b"le", "tracker's answer: expected a dictionary, found a list"),
        (b"d5:peers0:e", "expected an entry 'interval', found none"),
        (b"d8:intervali-1ee", "'interval': expected 0 to 2147483648, found -1"),
        (b"d8:intervali1e5:peers5:abcdee", "'peers': expected a multiple of 6 bytes, found 5"),
        (b"d8:intervali1e6:peers66:abcdefe", "'peers6': expected a multiple of 18 bytes, found 6"),
        (b"d8:intervali1e5:peersi1ee", "'peers': expected a string, found an integer"),
        (b"d8:intervali1e5:peersli1eee", "peer 0: expected a dictionary, found an integer"),
        (b"d8:intervali1e5:peersld2:ip1:aeee", "peer 0: expected an entry 'port', found none"),
        (b"d8:intervali1e5:peersld2:ip1:a4:porti65536eeee", "peer 0, 'port': expected 0 to 65535, found 65536"),
        (bytes(2 << 20), "2097152 bytes, expected at most 1048576"),
    ],
)
def test_unreadable_answer_is_described(body: bytes, problem: str) -> None:
    with pytest.raises(WireError, match=problem):
        decode_announce_response(body)


@given(st.binary(max_size=60))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    with suppress(WireError):
        decode_announce_response(body)
