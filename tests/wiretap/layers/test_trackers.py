"""Requests to trackers and their answers, over HTTP and UDP, are built and dissected alike, and as our peer does."""

from dataclasses import fields
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet, Raw

from peer.bittorrent.wire.tracker import http as our_http
from peer.bittorrent.wire.tracker import udp as our_udp
from peer.bittorrent.wire.tracker.messages import (
    AnnounceRequest,
    AnnounceResponse,
    Event,
    Failure,
    Peer,
    ScrapeEntry,
    ScrapeResponse,
)
from peer.net.address import Address
from testbed.wiretap.layers import (
    AnnounceAnswer,
    FailureAnswer,
    HttpAnnounce,
    HttpAnswer,
    HttpScrape,
    ScrapeAnswer,
    TrackerHTTP,
    UdpAnnounce,
    UdpAnnounceAnswer,
    UdpConnect,
    UdpConnectAnswer,
    UdpError,
    UdpScrape,
    UdpScrapeAnswer,
    bind_tracker_port,
)
from tests.peer.bittorrent.wire.test_tracker_http import REQUESTS
from tests.peer.bittorrent.wire.values import HASHES, NUMBERS, PORTS
from tests.wiretap.layers.values import (
    ADDRESSES,
    ADDRESSES6,
    INTEGERS,
    OTHERS,
    STRINGS,
    held,
    optional,
    packets,
)

TOKENS = st.text("abcdefXYZ-09", min_size=1, max_size=9).map(str.encode)
HEADERS = st.lists(st.tuples(TOKENS, TOKENS), max_size=3)
PARAMETERS = st.none() | st.lists(st.tuples(STRINGS.map(lambda name: b"x" + name), STRINGS), min_size=1, max_size=3)
AMOUNTS = st.integers(0, 2**63)

ANNOUNCES = packets(
    HttpAnnounce,
    path=st.sampled_from([b"/announce", b"/secret/announce.php"]),
    info_hash=HASHES,
    others=PARAMETERS,
    headers=HEADERS,
    **optional(
        peer_id=HASHES,
        port=INTEGERS,
        uploaded=INTEGERS,
        downloaded=INTEGERS,
        left=INTEGERS,
        event=STRINGS,
        compact=INTEGERS,
        numwant=INTEGERS,
        key=STRINGS,
        ip=STRINGS,
        no_peer_id=INTEGERS,
        trackerid=STRINGS,
    ),
)
SCRAPES = packets(HttpScrape, info_hashes=st.lists(HASHES, max_size=3), others=PARAMETERS, headers=HEADERS)
PEERS = st.lists(st.fixed_dictionaries({b"ip": STRINGS, b"port": INTEGERS, b"peer id": HASHES}), max_size=3)
BODIES = st.one_of(
    packets(
        AnnounceAnswer,
        peers=ADDRESSES | PEERS,
        others=OTHERS,
        **optional(
            interval=INTEGERS,
            min_interval=INTEGERS,
            complete=INTEGERS,
            incomplete=INTEGERS,
            tracker_id=STRINGS,
            warning_message=STRINGS,
            peers6=ADDRESSES6,
        ),
    ),
    packets(FailureAnswer, failure_reason=STRINGS, retry_in=st.none() | STRINGS | INTEGERS, others=OTHERS),
    packets(ScrapeAnswer, files=st.dictionaries(HASHES, st.just({b"complete": 1}), max_size=3), others=OTHERS),
)
DATAGRAMS_TO = st.one_of(
    packets(UdpConnect, transaction_id=NUMBERS),
    packets(
        UdpAnnounce,
        connection_id=AMOUNTS,
        transaction_id=NUMBERS,
        info_hash=HASHES,
        peer_id=HASHES,
        downloaded=AMOUNTS,
        left=AMOUNTS,
        uploaded=AMOUNTS,
        event=st.integers(0, 9),
        ip=ADDRESSES.filter(len).map(lambda addresses: addresses[0][0]),
        key=NUMBERS,
        numwant=st.integers(-(2**31), 2**31 - 1),
        port=PORTS,
        options=STRINGS,
    ),
    packets(UdpScrape, connection_id=AMOUNTS, transaction_id=NUMBERS, info_hashes=st.lists(HASHES, max_size=4)),
)
COUNTS = st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=4)
_NUMBERS = {"transaction_id": NUMBERS, "interval": NUMBERS, "leechers": NUMBERS, "seeders": NUMBERS}
DATAGRAMS_FROM = st.one_of(
    packets(UdpConnectAnswer, transaction_id=NUMBERS, connection_id=AMOUNTS),
    packets(UdpAnnounceAnswer, **_NUMBERS, peers=ADDRESSES),
    packets(UdpScrapeAnswer, transaction_id=NUMBERS, swarms=COUNTS),
    packets(UdpError, transaction_id=NUMBERS, message=STRINGS),
)
DATAGRAMS_FROM6 = packets(UdpAnnounceAnswer, **_NUMBERS, peers=ADDRESSES6)

HERE, TRACKER = ("198.18.0.2", "198.18.0.3")
HASH, PEER_ID = bytes(range(20)), b"-TB0100-%&=+ ?/#\xff\x00..."[:20]


@given(ANNOUNCES | SCRAPES)
def test_a_request_over_http_is_read_as_it_was_written(request: Packet) -> None:
    assert [held(read) for read in TrackerHTTP(bytes(request)).messages] == [held(request)]


@given(BODIES)
def test_an_answer_over_http_is_read_as_it_was_written(body: Packet) -> None:
    answer = HttpAnswer(headers=[(b"Content-Length", b"%d" % len(body))]) / body
    assert [held(read) for read in TrackerHTTP(bytes(answer)).messages] == [held(answer)]


@given(REQUESTS)
def test_an_announcement_of_our_peer_has_its_fields(request: AnnounceRequest) -> None:
    url = urlsplit(our_http.announce_url("http://tracker/announce", request))
    (read,) = TrackerHTTP(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: tracker\r\n\r\n".encode()).messages
    for field in fields(request):
        sent, found = getattr(request, field.name), getattr(read, field.name)
        if isinstance(sent, Event):
            sent = sent or None
        if isinstance(sent, bool):
            found = bool(found)
        assert (found.decode() if isinstance(sent, str) else found) == sent
    read.raw_packet_cache = None
    query = bytes(read).split(b" ")[1].partition(b"?")[2]
    assert our_http.decode_announce_query(query) == request


@pytest.mark.parametrize(
    ("body", "kind", "found"),
    [
        (
            our_http.encode_announce_response(AnnounceResponse(1800, (Peer(Address("198.18.0.9", 6881), HASH),))),
            AnnounceAnswer,
            {"interval": 1800, "addresses": [("198.18.0.9", 6881)]},
        ),
        (
            our_http.encode_announce_response(
                AnnounceResponse(1800, bytes([198, 18, 0, 9, 26, 225]), bytes(16) + b"\0\x09", warning="slow")
            ),
            AnnounceAnswer,
            {"peers": [("198.18.0.9", 6881)], "peers6": [("::", 9)], "warning_message": b"slow"},
        ),
        (our_http.encode_failure(Failure("no such torrent")), FailureAnswer, {"failure_reason": b"no such torrent"}),
        (
            our_http.encode_scrape_response(ScrapeResponse({HASH: ScrapeEntry(1, 2, 3)})),
            ScrapeAnswer,
            {"files": {HASH: {b"complete": 1, b"downloaded": 2, b"incomplete": 3}}},
        ),
        (b"d5:peers5:abcdee", AnnounceAnswer, {"peers": None, "others": {b"peers": b"abcde"}, "addresses": []}),
    ],
    ids=["dictionaries", "compact", "failure", "scrape", "broken peers"],
)
def test_answers_of_our_tracker_have_their_fields(body: bytes, kind: type[Packet], found: dict[str, object]) -> None:
    (read,) = TrackerHTTP(bytes(HttpAnswer() / Raw(body))).messages
    assert isinstance(read.payload, kind)
    assert {name: getattr(read.payload, name) for name in found} == found


def test_several_requests_in_one_segment_are_read() -> None:
    wire = TrackerHTTP(messages=[HttpAnnounce(info_hash=HASH), HttpScrape(info_hashes=[HASH])])
    assert [type(read) for read in TrackerHTTP(bytes(wire)).messages] == [HttpAnnounce, HttpScrape]


def test_a_number_that_is_none_is_kept_as_it_is() -> None:
    (read,) = TrackerHTTP(b"GET /announce?info_hash=%00&port=six&left=007 HTTP/1.1\r\n\r\n").messages
    assert (read.port, read.left, read.others) == (None, None, [(b"port", b"six"), (b"left", b"007")])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET /index.html HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /announce?info_hash=%00 HTTP/1.1\r\nHost: x\r\n",
        b"POST /announce?info_hash=%00 HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nd8:intervali1ee",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4294967296\r\n\r\nd8:intervali1ee",
        b"HTTP/1.1 twohundred OK\r\n\r\n",
        b"GET /announce?info_hash=" + b"x" * 100_000,
    ],
)
def test_what_is_no_whole_message_of_a_tracker_is_raw(data: bytes) -> None:
    assert isinstance(TrackerHTTP(data), Raw)


@given(DATAGRAMS_TO)
def test_a_datagram_to_a_tracker_is_read_as_it_was_written(request: Packet) -> None:
    sent = IP(src=HERE, dst=TRACKER) / UDP(sport=6881, dport=6969) / request
    assert held(IP(bytes(sent))[UDP].payload) == held(request)


@given(DATAGRAMS_FROM)
def test_a_datagram_from_a_tracker_is_read_as_it_was_written(answer: Packet) -> None:
    sent = IP(src=TRACKER, dst=HERE) / UDP(sport=6969, dport=6881) / answer
    assert held(IP(bytes(sent))[UDP].payload) == held(answer)


@given(DATAGRAMS_FROM6)
def test_peers_in_a_datagram_over_ipv6_are_ipv6(answer: Packet) -> None:
    sent = IPv6(src="2001:db8::1", dst="2001:db8::2") / UDP(sport=6969, dport=6881) / answer
    assert held(IPv6(bytes(sent))[UDP].payload) == held(answer)


def test_datagrams_of_our_peer_have_their_fields() -> None:
    announce = AnnounceRequest(HASH, PEER_ID, 6881, 1, 2, 3, Event.STARTED, numwant=50, key="0000ff00", ip="198.18.0.7")
    connect = udp(our_udp.ConnectRequest(7).encode())
    assert (type(connect), connect.transaction_id) == (UdpConnect, 7)
    read = udp(our_udp.UdpAnnounceRequest(5, 8, announce).encode())
    assert (read.connection_id, read.transaction_id, read.info_hash, read.peer_id) == (5, 8, HASH, PEER_ID)
    assert (read.uploaded, read.downloaded, read.left, read.port, read.numwant) == (1, 2, 3, 6881, 50)
    assert (read.event, read.key, read.ip) == (2, 0xFF00, "198.18.0.7")


@pytest.mark.parametrize("data", [b"", b"\0" * 16, b"\0\0\0\1" * 4, b"\0\0\0\7" * 9])
def test_other_datagrams_are_raw(data: bytes) -> None:
    read = IP(bytes(IP(src=HERE, dst=TRACKER) / UDP(sport=1, dport=6969) / Raw(data)))
    assert not any(isinstance(layer, UdpAnnounce | UdpConnect | UdpScrape) for layer in read.iterpayloads())


def test_a_user_adds_a_port_of_a_tracker() -> None:
    sent = bytes(IP(src=HERE, dst=TRACKER) / UDP(sport=1, dport=4711) / UdpConnect())
    assert UdpConnect not in IP(sent)
    bind_tracker_port(4711)
    assert UdpConnect in IP(sent)


def udp(data: bytes) -> Packet:
    return IP(bytes(IP(src=HERE, dst=TRACKER) / UDP(sport=6881, dport=6969) / Raw(data)))[UDP].payload
