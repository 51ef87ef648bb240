"""Announcing over UDP (BEP 15): a connection id, then the announcement, each sent again until it is answered.

    cached id? -- no --> connect --> id, valid a minute ----.
        `------ yes ----------------------------------------+--> announce --> answer
                                                                     |`-- error: once more, if the id was old
                                                                     `-- no answer: start over, and wait longer

Each announcement has a socket of its own, connected to the tracker: the kernel drops what others send to it, and
reports when nothing listens there.
"""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from peer.bittorrent.client.trackers.limits import Timeouts, TrackerFailure
from peer.bittorrent.client.trackers.urls import parts_of, place_of
from peer.bittorrent.wire.errors import TrackerError
from peer.bittorrent.wire.tracker.messages import AnnounceRequest, AnnounceResponse, Failure
from peer.bittorrent.wire.tracker.udp import (
    ConnectRequest,
    ConnectResponse,
    ErrorResponse,
    UdpAnnounceRequest,
    UdpAnnounceResponse,
    UdpResponse,
    decode_response,
)
from peer.net.address import Address

ID_LIFETIME: Final = 60.0
MOST_IDS: Final = 100


@dataclass(frozen=True, slots=True)
class _ConnectionId:
    number: int
    good_until: float


_Expected = TypeVar("_Expected", ConnectResponse, UdpAnnounceResponse)


class UdpTrackers:
    """The UDP trackers of one client, and the connection ids that they issued."""

    def __init__(self, bind: str | None, timeouts: Timeouts) -> None:
        self._bind = bind
        self._timeouts = timeouts
        self._ids: dict[Address, _ConnectionId] = {}

    async def announce(self, url: str, request: AnnounceRequest) -> AnnounceResponse | Failure:
        """Announce; raises TrackerFailure or OSError, which includes TimeoutError."""
        tracker = place_of(parts_of(url))
        async with _channel_to(tracker, self._bind) as channel:
            for wait in self._timeouts.waits():
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        return await self._try(channel, tracker, request)
                self._ids.pop(tracker, None)
        raise TimeoutError

    async def _try(self, channel: "_Channel", tracker: Address, request: AnnounceRequest) -> AnnounceResponse | Failure:
        cached = self._cached(tracker)
        if cached is not None:
            answer = await self._announce(channel, cached, request)
            if not isinstance(answer, Failure):
                return answer
            self._ids.pop(tracker, None)  # The error may be about the id: perhaps the tracker was restarted.
        return await self._announce(channel, await self._connect(channel, tracker), request)

    async def _connect(self, channel: "_Channel", tracker: Address) -> int:
        answer = await channel.ask(ConnectRequest(channel.transaction), ConnectResponse)
        if isinstance(answer, ErrorResponse):
            raise TrackerFailure(answer.message)
        if len(self._ids) >= MOST_IDS:
            self._ids.clear()
        self._ids[tracker] = _ConnectionId(answer.connection, _now() + ID_LIFETIME)
        return answer.connection

    async def _announce(
        self, channel: "_Channel", connection: int, request: AnnounceRequest
    ) -> AnnounceResponse | Failure:
        answer = await channel.ask(UdpAnnounceRequest(connection, channel.transaction, request), UdpAnnounceResponse)
        return Failure(answer.message) if isinstance(answer, ErrorResponse) else answer.as_response()

    def _cached(self, tracker: Address) -> int | None:
        known = self._ids.get(tracker)
        if known is None:
            return None
        if known.good_until <= _now():
            del self._ids[tracker]
            return None
        return known.number


@asynccontextmanager
async def _channel_to(tracker: Address, bind: str | None) -> AsyncIterator["_Channel"]:
    transport, channel = await asyncio.get_running_loop().create_datagram_endpoint(
        _Channel,
        local_addr=None if bind is None else (bind, 0),
        remote_addr=tracker,
        family=socket.AF_INET,
    )
    try:
        yield channel
    finally:
        transport.abort()


class _Channel(asyncio.DatagramProtocol):
    """A socket for one announcement; all its requests have one transaction number, which others cannot guess."""

    def __init__(self) -> None:
        self.transaction = secrets.randbits(32)
        self._answer: asyncio.Future[UdpResponse] | None = None
        self._expected: type[UdpResponse] = ErrorResponse

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002  The socket is connected.
        with suppress(TrackerError):
            self._take(decode_response(data))

    def error_received(self, exc: Exception) -> None:
        """The kernel reports that nothing listens there."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc)

    async def ask(
        self, request: ConnectRequest | UdpAnnounceRequest, expected: type[_Expected]
    ) -> _Expected | ErrorResponse:
        """Send one datagram and wait for its answer; raises OSError."""
        self._expected = expected
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.sendto(request.encode())
        try:
            return cast(_Expected | ErrorResponse, await self._answer)
        finally:
            self._answer = None

    def _take(self, answer: UdpResponse) -> None:
        is_ours = answer.transaction == self.transaction and isinstance(answer, self._expected | ErrorResponse)
        if is_ours and self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)


def _now() -> float:
    return asyncio.get_running_loop().time()
