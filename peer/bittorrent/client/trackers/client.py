"""One client's announcements, over whichever protocol the tracker's URL names."""

import asyncio
import os
from typing import Final

from peer.bittorrent.client.trackers.failure import TrackerFailure
from peer.bittorrent.client.trackers.http import fetch
from peer.bittorrent.client.trackers.http_answer import Answer
from peer.bittorrent.client.trackers.patience import Patience
from peer.bittorrent.client.trackers.udp import UdpTrackers
from peer.bittorrent.client.trackers.urls import parts_of
from peer.bittorrent.wire.tracker.http import announce_url, decode_announce_response
from peer.bittorrent.wire.tracker.messages import (
    AnnounceRequest,
    AnnounceResponse,
    Event,
    Failure,
)
from peer.errors import WireError

_LONGEST_REASON: Final = 200


class TrackerClient:
    """Asks trackers from one address of this host. Connections and sockets live as long as their announcement."""

    def __init__(self, bind: str | None = None, patience: Patience | None = None) -> None:
        """`bind` is the IPv4 address to ask from; None leaves it to the system."""
        self._bind = bind
        self._patience = patience or Patience()
        self._udp = UdpTrackers(bind, self._patience)

    async def announce(self, url: str, request: AnnounceRequest) -> AnnounceResponse:
        """Announce; raises TrackerFailure. It ends in bounded time, and soon if it says that we leave."""
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
            raise TrackerFailure(_system_reason(error)) from error
        if isinstance(response, Failure):
            raise TrackerFailure(_printable(response.reason))
        return response

    def _limit(self, scheme: str, event: Event) -> float:
        if event is Event.STOPPED:
            return self._patience.last_words
        return self._patience.udp if scheme == "udp" else self._patience.http

    async def _ask(self, scheme: str, url: str, request: AnnounceRequest) -> AnnounceResponse | Failure:
        match scheme:
            case "http" | "https":
                return _read(await fetch(announce_url(url, request), self._bind))
            case "udp":
                return await self._udp.announce(url, request)
            case _:
                raise TrackerFailure(f"expected a tracker's URL with http, https or udp, found {scheme[:32]!r}")


def _read(answer: Answer) -> AnnounceResponse | Failure:
    """Read an answer; a tracker may explain itself in the body of an error."""
    if answer.is_success:
        return decode_announce_response(answer.body)
    try:
        explained = decode_announce_response(answer.body)
    except WireError:
        explained = None
    if isinstance(explained, Failure):
        return explained
    raise TrackerFailure(f"expected an answer, found the status {answer.status} {_printable(answer.reason)}".rstrip())


def _system_reason(error: OSError) -> str:
    """Name what the system reported; event loops word a refused connection each in its own way."""
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)
    return error.strerror or str(error)


def _printable(text: str) -> str:
    """Make one line of what a stranger wrote."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:_LONGEST_REASON])
    return shown + "..." if len(text) > _LONGEST_REASON else shown
