"""Fetching a URL from a tracker: one connection per request, redirects followed, IPv4 only."""

import asyncio
import socket
import ssl
from typing import Final, NamedTuple

from peer import OUR_VERSION
from peer.bittorrent.client.trackers.http_answer import MOST_HEAD, Answer, read_answer
from peer.bittorrent.client.trackers.limits import TrackerFailure
from peer.bittorrent.client.trackers.urls import parts_of, place_of, redirected
from peer.net.address import Address
from peer.net.http import encode_request

MOST_REDIRECTS: Final = 5

_USER_AGENT: Final = OUR_VERSION.replace(" ", "/")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class _Target(NamedTuple):
    """Where to connect, and what to ask for."""

    address: Address
    is_secure: bool
    path: str


async def fetch(url: str, bind: str | None) -> Answer:
    """Get a URL, or the one that its redirects lead to; raises TrackerFailure or OSError."""
    seen = {url}
    for _ in range(MOST_REDIRECTS + 1):
        answer = await _fetch_once(_target(url), bind)
        location = answer.head.headers.get("location")
        if answer.head.status not in _REDIRECTS or location is None:
            return answer
        url = redirected(url, location)
        if url in seen:
            raise TrackerFailure("the tracker's redirects go in a circle")
        seen.add(url)
    raise TrackerFailure(f"expected at most {MOST_REDIRECTS} redirects, found more")


def _target(url: str) -> _Target:
    parts = parts_of(url)
    if parts.scheme not in _DEFAULT_PORTS:
        raise TrackerFailure(f"expected a redirect to http or https, found {parts.scheme[:32]!r}")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(place_of(parts, _DEFAULT_PORTS[parts.scheme]), parts.scheme == "https", path)


async def _fetch_once(target: _Target, bind: str | None) -> Answer:
    # Reading all certificates that this host trusts takes long enough to delay blocks.
    tls = await asyncio.to_thread(ssl.create_default_context) if target.is_secure else None
    reader, writer = await asyncio.open_connection(
        target.address.host,
        target.address.port,
        family=socket.AF_INET,
        local_addr=None if bind is None else (bind, 0),
        ssl=tls,
        limit=MOST_HEAD,
    )
    try:
        writer.write(_request(target))
        return await read_answer(reader)
    finally:
        writer.transport.abort()


def _request(target: _Target) -> bytes:
    default = _DEFAULT_PORTS["https" if target.is_secure else "http"]
    host = target.address.host if target.address.port == default else str(target.address)
    headers = {"Host": host, "User-Agent": _USER_AGENT, "Accept-Encoding": "gzip", "Connection": "close"}
    return encode_request(target.path, headers)
