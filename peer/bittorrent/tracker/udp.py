"""The tracker over UDP (BEP 15): one datagram asks, one answers, and no state is kept between them.

A connection id proves that its sender receives at the host it claims. It is a keyed hash of that host and the current
minute, so issuing one costs no memory; it is valid for at least two minutes and at most three. A sender without a valid
id gets no more bytes than it sent, so a forged source address cannot make us flood anyone.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from socket import inet_aton, socket
from typing import Final

from peer.bittorrent.tracker.registry import Registry
from peer.bittorrent.wire.tracker.messages import Failure, ScrapeEntry
from peer.bittorrent.wire.tracker.udp import (
    ConnectRequest,
    ConnectResponse,
    ErrorResponse,
    UdpAnnounceRequest,
    UdpAnnounceResponse,
    UdpRequest,
    UdpResponse,
    UdpScrapeRequest,
    UdpScrapeResponse,
    decode_request,
)
from peer.errors import WireError

SLOT: Final = 60.0
SLOTS_GOOD: Final = 3
MOST_PEERS: Final = 200
"""Peers in one answer, which still fits an Ethernet frame."""

_HEAD: Final = 16
_LONGEST: Final = 2_048
_DATAGRAMS_A_TURN: Final = 64
"""Datagrams answered before other callbacks of the event loop run."""


class ConnectionIds:
    """Issues connection ids and recognises them without keeping a list."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def issue(self, host: bytes, now: float) -> int:
        """Return the id for a host at this time."""
        return self._id(host, int(now // SLOT))

    def accepts(self, connection: int, host: bytes, now: float) -> bool:
        """Return whether an id was issued to this host recently."""
        slot = int(now // SLOT)
        return any(connection == self._id(host, slot - age) for age in range(SLOTS_GOOD))

    def _id(self, host: bytes, slot: int) -> int:
        content = host + slot.to_bytes(8, "big", signed=True)
        return int.from_bytes(hashlib.blake2b(content, digest_size=8, key=self._secret).digest(), "big")


class UdpServer:
    """Answers datagrams."""

    def __init__(self, registry: Registry, ids: ConnectionIds, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._ids = ids
        self._clock = clock

    def answer_waiting(self, listener: socket) -> None:
        """Answer datagrams that wait at a non-blocking socket, a limited number of them."""
        # An answer that cannot be sent is lost, as datagrams may be; the client asks again.
        with suppress(BlockingIOError, InterruptedError):
            for _ in range(_DATAGRAMS_A_TURN):
                data, sender = listener.recvfrom(_LONGEST)
                answer = self.answer(data, inet_aton(sender[0]))
                if answer is not None:
                    with suppress(OSError):
                        listener.sendto(answer, sender)

    def answer(self, data: bytes, host: bytes) -> bytes | None:
        """Answer a datagram; None is no answer."""
        if len(data) < _HEAD:
            return None
        now = self._clock()
        is_proven = self._ids.accepts(int.from_bytes(data[:8], "big"), host, now)
        try:
            response = self._response(decode_request(data), host, now, is_proven=is_proven)
        except WireError as error:
            response = _error(data, str(error))
        answer = response.encode()
        return answer if is_proven or len(answer) <= len(data) else None

    def _response(self, request: UdpRequest, host: bytes, now: float, *, is_proven: bool) -> UdpResponse:
        match request:
            case ConnectRequest():
                return ConnectResponse(request.transaction, self._ids.issue(host, now))
            case _ if not is_proven:
                return ErrorResponse(request.transaction, "connection id expired")
            case UdpAnnounceRequest():
                return self._announce(request, host, now)
            case UdpScrapeRequest():
                return self._scrape(request, now)

    def _announce(self, request: UdpAnnounceRequest, host: bytes, now: float) -> UdpResponse:
        answer = self._registry.announce(request.announce, host, now)
        if isinstance(answer, Failure):
            return ErrorResponse(request.transaction, answer.reason)
        assert isinstance(answer.peers, bytes), "over UDP all announcements ask for compact addresses"  # noqa: S101
        leechers, seeders = answer.incomplete or 0, answer.complete or 0
        return UdpAnnounceResponse(request.transaction, answer.interval, leechers, seeders, answer.peers)

    def _scrape(self, request: UdpScrapeRequest, now: float) -> UdpResponse:
        answer = self._registry.scrape(request.info_hashes, now)
        if isinstance(answer, Failure):
            return ErrorResponse(request.transaction, answer.reason)
        unknown = ScrapeEntry(0, 0, 0)
        entries = tuple(answer.files.get(info_hash, unknown) for info_hash in request.info_hashes)
        return UdpScrapeResponse(request.transaction, entries)


def _error(data: bytes, message: str) -> ErrorResponse:
    return ErrorResponse(int.from_bytes(data[12:_HEAD], "big"), message)
