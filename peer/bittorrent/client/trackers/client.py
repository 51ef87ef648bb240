"""One client's announcements, over the protocol that the tracker's URL names."""

import asyncio
import ssl
from typing import Final

from peer.bittorrent.client.trackers.http import fetch
from peer.bittorrent.client.trackers.http_answer import Answer
from peer.bittorrent.client.trackers.limits import Timeouts, TrackerFailure
from peer.bittorrent.client.trackers.udp import UdpTrackers
from peer.bittorrent.client.trackers.urls import parts_of, why_not
from peer.bittorrent.wire.tracker.http import announce_url, decode_announce_response
from peer.bittorrent.wire.tracker.messages import (
    AnnounceRequest,
    AnnounceResponse,
    Event,
    Failure,
)
from peer.errors import WireError
from peer.net.sockets import explain

_LONGEST_REASON: Final = 200


class TrackerClient:
    """Announces from one address of this host. Each announcement has a connection or socket of its own."""

    def __init__(self, bind: str | None = None, timeouts: Timeouts | None = None) -> None:
        """`bind` is the IPv4 address to announce from; None leaves it to the system."""
        self._bind = bind
        self._timeouts = timeouts or Timeouts()
        self._udp = UdpTrackers(bind, self._timeouts)

    async def announce(self, url: str, request: AnnounceRequest) -> AnnounceResponse:
        """Announce within a limited time, which is short for an announcement that we leave; raises TrackerFailure."""
        problem = why_not(url)
        if problem is not None:
            raise TrackerFailure(problem)
        scheme = parts_of(url).scheme
        limit = self._limit(scheme, request.event)
        try:
            async with asyncio.timeout(limit):
                response = await self._ask(scheme, url.partition("#")[0], request)
        except TimeoutError as error:
            raise TrackerFailure(f"no answer within {limit:g} s") from error
        except WireError as error:
            raise TrackerFailure(str(error)) from error
        except OSError as error:
            raise TrackerFailure(_reason(error)) from error
        if isinstance(response, Failure):
            raise TrackerFailure(_printable(response.reason))
        return response

    def _limit(self, scheme: str, event: Event) -> float:
        if event is Event.STOPPED:
            return self._timeouts.leaving
        return self._timeouts.udp if scheme == "udp" else self._timeouts.http

    async def _ask(self, scheme: str, url: str, request: AnnounceRequest) -> AnnounceResponse | Failure:
        if scheme == "udp":
            return await self._udp.announce(url, request)
        return _read(await fetch(announce_url(url, request), self._bind))


def _read(answer: Answer) -> AnnounceResponse | Failure:
    """Decode an answer; a tracker may give its reason in the body of an error."""
    if 200 <= answer.head.status < 300:
        return decode_announce_response(answer.body)
    try:
        explained = decode_announce_response(answer.body)
    except WireError:
        explained = None
    if isinstance(explained, Failure):
        return explained
    head = answer.head
    raise TrackerFailure(f"expected an answer, found the status {head.status} {_printable(head.reason)}".rstrip())


def _reason(error: OSError) -> str:
    """Explain an error; the numbers of TLS are not the kernel's."""
    return (error.strerror or str(error)) if isinstance(error, ssl.SSLError) else explain(error)


def _printable(text: str) -> str:
    """Make a short printable line of text from outside."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:_LONGEST_REASON])
    return shown + "..." if len(text) > _LONGEST_REASON else shown
