"""Datagrams to and from a UDP tracker survive the round trip; short ones are refused, longer ones accepted."""

from contextlib import suppress
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.wire.compact import pack
from peer.bittorrent.wire.errors import TrackerError
from peer.bittorrent.wire.tracker.messages import (
    AnnounceRequest,
    AnnounceResponse,
    Event,
    ScrapeEntry,
)
from peer.bittorrent.wire.tracker.udp import (
    ConnectRequest,
    ConnectResponse,
    ErrorResponse,
    UdpAnnounceRequest,
    UdpAnnounceResponse,
    UdpScrapeRequest,
    UdpScrapeResponse,
    decode_request,
    decode_response,
)
from tests.peer.bittorrent.wire.values import (
    HASHES,
    IPV4_ADDRESSES,
    NUMBERS,
    PORTS,
    TEXTS,
    scrape_request,
)

LONGS = st.integers(0, 2**64 - 1)
ANNOUNCEMENTS = st.builds(
    AnnounceRequest,
    info_hash=HASHES,
    peer_id=HASHES,
    port=PORTS,
    uploaded=LONGS,
    downloaded=LONGS,
    left=LONGS,
    event=st.sampled_from(Event),
    numwant=st.none() | st.integers(0, 1000),
    key=NUMBERS.map(lambda number: f"{number:08x}"),
    ip=st.none() | IPV4_ADDRESSES.map(lambda a: a.host).filter(lambda host: host != "0.0.0.0"),  # noqa: S104
)
Request: TypeAlias = ConnectRequest | UdpAnnounceRequest
Response: TypeAlias = ConnectResponse | UdpAnnounceResponse | ErrorResponse
REQUESTS: st.SearchStrategy[Request] = st.one_of(
    st.builds(ConnectRequest, NUMBERS),
    st.builds(UdpAnnounceRequest, LONGS, NUMBERS, ANNOUNCEMENTS),
)
RESPONSES: st.SearchStrategy[Response] = st.one_of(
    st.builds(ConnectResponse, NUMBERS, LONGS),
    st.builds(UdpAnnounceResponse, NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.lists(IPV4_ADDRESSES, max_size=4).map(pack)),
    st.builds(ErrorResponse, NUMBERS, TEXTS),
)
ANNOUNCEMENT = AnnounceRequest(b"h" * 20, b"p" * 20, 6881, 3, 1, 2, Event.STARTED, key="0000000b")


@given(REQUESTS)
def test_request_survives_round_trip(request: Request) -> None:
    assert decode_request(request.encode()) == request


@given(RESPONSES)
def test_answer_survives_round_trip(response: Response) -> None:
    assert decode_response(response.encode()) == response


@pytest.mark.parametrize(
    ("datagram", "written"),
    [
        (ConnectRequest(7), "0000041727101980 00000000 00000007"),
        (ConnectResponse(7, 9), "00000000 00000007 0000000000000009"),
        (
            UdpAnnounceRequest(9, 7, ANNOUNCEMENT),
            "0000000000000009 00000001 00000007"
            + "68" * 20
            + "70" * 20
            + "0000000000000001 0000000000000002 0000000000000003 00000002 00000000 0000000b ffffffff 1ae1",
        ),
        (
            UdpAnnounceResponse(7, 1800, 2, 3, b"\xc6\x12\x00\x05\x1a\xe1"),
            "00000001 00000007 00000708 00000002 00000003 c6120005 1ae1",
        ),
        (UdpScrapeResponse(7, (ScrapeEntry(1, 2, 3),)), "00000002 00000007 00000001 00000002 00000003"),
        (ErrorResponse(7, "no"), "00000003 00000007 6e6f"),
    ],
)
def test_datagram_is_encoded_as_specified(datagram: Request | Response | UdpScrapeResponse, written: str) -> None:
    assert datagram.encode() == bytes.fromhex(written)


def test_udp_answer_equals_http_answer() -> None:
    answer = UdpAnnounceResponse(7, 1800, 2, 3, b"\xc6\x12\x00\x05\x1a\xe1").as_response()
    assert answer == AnnounceResponse(1800, b"\xc6\x12\x00\x05\x1a\xe1", complete=3, incomplete=2)


@given(LONGS, NUMBERS, st.lists(HASHES, min_size=1, max_size=4), st.binary(max_size=19))
def test_scrape_is_read_to_its_last_whole_hash(
    connection: int, transaction: int, info_hashes: list[bytes], more: bytes
) -> None:
    read = decode_request(scrape_request(connection, transaction, *info_hashes) + more)
    assert read == UdpScrapeRequest(connection, transaction, tuple(info_hashes))


@given(REQUESTS, st.binary(max_size=19))
def test_bytes_after_request_are_ignored(request: Request, more: bytes) -> None:
    assert decode_request(request.encode() + more) == request


def test_incomplete_last_entry_is_ignored() -> None:
    announce = UdpAnnounceResponse(7, 1800, 2, 3, bytes(6))
    assert decode_response(announce.encode() + bytes(5)) == announce
    assert decode_response(ConnectResponse(1, 2).encode() + bytes(5)) == ConnectResponse(1, 2)


@pytest.mark.parametrize(
    ("datagram", "problem"),
    [
        (b"", "a request: expected 16 bytes or more, found 0"),
        (bytes(15), "a request: expected 16 bytes or more, found 15"),
        (bytes(16), "connect request: expected 0x41727101980 in front, found 0x0"),
        (
            UdpAnnounceRequest(9, 7, ANNOUNCEMENT).encode()[:97],
            "an announce request: expected 98 bytes or more, found 97",
        ),
        (bytes(8) + b"\0\0\0\x04" + bytes(4), "expected action 0, 1 or 2, found 4"),
        (scrape_request(9, 7), "expected 1 to 74 info-hashes, found 0"),
        (scrape_request(9, 7, bytes(20 * 75)), "expected 1 to 74 info-hashes, found 75"),
    ],
)
def test_unreadable_request_is_described(datagram: bytes, problem: str) -> None:
    with pytest.raises(TrackerError, match=problem):
        decode_request(datagram)


def test_unknown_event_is_refused() -> None:
    datagram = bytearray(UdpAnnounceRequest(9, 7, ANNOUNCEMENT).encode())
    datagram[83] = 4
    with pytest.raises(TrackerError, match="event: expected 0 to 3, found 4"):
        decode_request(bytes(datagram))


@pytest.mark.parametrize(
    ("datagram", "problem"),
    [
        (bytes(7), "an answer: expected 8 bytes or more, found 7"),
        (bytes(15), "a connect answer: expected 16 bytes or more, found 15"),
        (b"\0\0\0\x01" + bytes(15), "an announce answer: expected 20 bytes or more, found 19"),
        (UdpScrapeResponse(7, (ScrapeEntry(1, 2, 3),)).encode(), "expected action 0, 1 or 3, found 2"),
        (b"\0\0\0\x04" + bytes(15), "expected action 0, 1 or 3, found 4"),
    ],
)
def test_unreadable_answer_is_described(datagram: bytes, problem: str) -> None:
    with pytest.raises(TrackerError, match=problem):
        decode_response(datagram)


def test_missing_key_is_written_as_0() -> None:
    request = AnnounceRequest(bytes(20), bytes(20), 1, 0, 0, 0)
    read = decode_request(UdpAnnounceRequest(1, 2, request).encode())
    assert isinstance(read, UdpAnnounceRequest)
    assert read.announce.key == "00000000"


def test_key_beyond_32_bits_is_refused() -> None:
    request = AnnounceRequest(bytes(20), bytes(20), 1, 0, 0, 0, key="secret")
    with pytest.raises(TrackerError, match="at most 8 hex digits, found 'secret'"):
        UdpAnnounceRequest(1, 2, request).encode()


@given(st.binary(max_size=120))
def test_any_datagram_is_read_or_refused(datagram: bytes) -> None:
    for start in (b"", bytes(11)):
        with suppress(TrackerError):
            decode_request(start + datagram)
        with suppress(TrackerError):
            decode_response(start[:3] + datagram)
