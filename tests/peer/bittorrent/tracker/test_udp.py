"""The UDP server: the exchange of BEP 15, and anything else that may arrive at the port."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.tracker.registry import Policy, Registry
from peer.bittorrent.tracker.udp import (
    SLOT,
    SLOTS_GOOD,
    ConnectionIds,
    UdpServer,
)
from peer.bittorrent.wire.compact import unpack
from peer.bittorrent.wire.tracker.messages import AnnounceRequest, Event
from peer.bittorrent.wire.tracker.udp import (
    ConnectRequest,
    ConnectResponse,
    ErrorResponse,
    UdpAnnounceRequest,
    UdpAnnounceResponse,
    decode_response,
)
from peer.net.address import Address
from tests.peer.bittorrent.wire.values import scrape_request

HOST, OTHER = bytes((198, 18, 0, 1)), bytes((198, 18, 0, 2))
ASK = AnnounceRequest(b"A" * 20, b"p" * 20, 6881, 0, 0, left=1)


class Tracker:
    """A UDP server with a clock to set by hand."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.now = 1000.0
        registry = Registry(policy or Policy(), random.Random(1))
        self.server = UdpServer(registry, ConnectionIds(b"secret"), lambda: self.now)

    def ask(self, datagram: bytes, host: bytes = HOST) -> ConnectResponse | UdpAnnounceResponse | ErrorResponse | None:
        answer = self.server.answer(datagram, host)
        return None if answer is None else decode_response(answer)

    def connection(self, host: bytes = HOST) -> int:
        answer = self.ask(ConnectRequest(7).encode(), host)
        assert isinstance(answer, ConnectResponse)
        assert answer.transaction == 7
        return answer.connection


def test_peers_find_each_other_and_are_counted() -> None:
    tracker = Tracker()
    seed = AnnounceRequest(b"A" * 20, b"q" * 20, 7, 0, 0, left=0, event=Event.COMPLETED)
    tracker.ask(UdpAnnounceRequest(tracker.connection(OTHER), 1, seed).encode(), OTHER)
    connection = tracker.connection()
    answer = tracker.ask(UdpAnnounceRequest(connection, 2, ASK).encode())
    assert isinstance(answer, UdpAnnounceResponse)
    assert (answer.transaction, answer.seeders, answer.leechers) == (2, 1, 1)
    assert unpack(answer.peers) == [Address("198.18.0.2", 7)]
    scraped = tracker.server.answer(scrape_request(connection, 3, b"B" * 20, b"A" * 20), HOST)
    assert scraped == bytes.fromhex("00000002 00000003" + "00000000" * 3 + "00000001" * 3)


def test_connection_id_is_valid_for_host_and_time() -> None:
    tracker = Tracker()
    asked = UdpAnnounceRequest(tracker.connection(), 2, ASK).encode()
    tracker.now += 2 * SLOT
    assert isinstance(tracker.ask(asked), UdpAnnounceResponse)
    assert tracker.ask(asked, OTHER) == ErrorResponse(2, "connection id expired")
    tracker.now += (SLOTS_GOOD - 2) * SLOT
    assert tracker.ask(asked) == ErrorResponse(2, "connection id expired")


def test_other_trackers_ids_are_invalid() -> None:
    ids, others = ConnectionIds(b"one"), ConnectionIds(b"two")
    assert not ids.accepts(others.issue(HOST, 0), HOST, 0)


def test_refusal_is_an_error_datagram() -> None:
    tracker = Tracker(Policy(allowed=frozenset()))
    answer = tracker.ask(UdpAnnounceRequest(tracker.connection(), 2, ASK).encode())
    assert answer == ErrorResponse(2, "this tracker does not serve this torrent")


def test_proven_client_gets_error_message() -> None:
    tracker = Tracker()
    datagram = UdpAnnounceRequest(tracker.connection(), 9, ASK).encode()
    answer = tracker.ask(datagram[:97])
    assert answer == ErrorResponse(9, "UDP tracker, an announce request: expected 98 bytes or more, found 97")


@pytest.mark.parametrize("length", range(16))
def test_short_datagram_gets_no_answer(length: int) -> None:
    assert Tracker().ask(ConnectRequest(7).encode()[:length]) is None


@given(
    st.binary(max_size=200)
    | st.builds(lambda front, rest: front + rest, st.sampled_from([ConnectRequest(1).encode()[:12]]), st.binary())
)
def test_unproven_client_gets_no_amplification(datagram: bytes) -> None:
    answer = Tracker().server.answer(datagram, HOST)
    assert answer is None or len(answer) <= len(datagram)


@given(st.binary(max_size=200), st.integers(0, 3))
def test_proven_client_is_always_answered(rest: bytes, action: int) -> None:
    tracker = Tracker()
    datagram = tracker.connection().to_bytes(8, "big") + action.to_bytes(4, "big") + b"txid" + rest
    answer = tracker.server.answer(datagram, HOST)
    assert answer is not None
    assert answer[:4] in {b"\0\0\0\1", b"\0\0\0\2", b"\0\0\0\3"}
    assert answer[4:8] == b"txid"
