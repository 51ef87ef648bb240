"""Fetching a URL from a tracker: a connection for each request, redirects followed, IPv4 only."""

import asyncio
import socket
import ssl
from typing import Final, NamedTuple

from peer.bittorrent.client.trackers.failure import TrackerFailure
from peer.bittorrent.client.trackers.http_answer import MOST_HEAD, Answer, read_answer
from peer.bittorrent.client.trackers.urls import parts_of, place_of, redirected
from peer.bittorrent.wire.peer_id import OUR_VERSION
from peer.net.address import Address

MOST_REDIRECTS: Final = 5

_USER_AGENT: Final = OUR_VERSION.replace(" ", "/")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class _Target(NamedTuple):
    """What to ask of whom."""

    address: Address
    is_secure: bool
    path: str


async def fetch(url: str, bind: str | None) -> Answer:
    """Get what is there, or where its redirects lead; raises TrackerFailure or OSError."""
    seen = {url}
    for _ in range(MOST_REDIRECTS + 1):
        answer = await _fetch_once(_target(url), bind)
        if answer.new_place is None:
            return answer
        url = redirected(url, answer.new_place)
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
    # Reading all the certificates that this host trusts takes long enough to hold up blocks.
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
    lines = [
        f"GET {target.path} HTTP/1.1",
        f"Host: {host}",
        f"User-Agent: {_USER_AGENT}",
        "Accept-Encoding: gzip",
        "Connection: close",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
