"""Tracker URLs, which come from outside: from torrents, magnet links and redirects."""

import re
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from peer.bittorrent.client.trackers.limits import TrackerFailure
from peer.net.address import Address

SCHEMES: Final = ("http", "https", "udp")
_PRINTABLE: Final = re.compile(r"[!-~]+")


def parts_of(url: str) -> SplitResult:
    """Split a URL. A line end in it would end the request line and inject a header."""
    if not _PRINTABLE.fullmatch(url):
        raise _wrong(url, "it has characters that are not printable ASCII")
    try:
        return urlsplit(url)
    except ValueError as error:
        raise _wrong(url, str(error)) from error


def why_not(url: str) -> str | None:
    """Say why no tracker can ever be asked at a URL; None if one can."""
    try:
        scheme = parts_of(url).scheme
    except TrackerFailure as failure:
        return str(failure)
    return None if scheme in SCHEMES else f"expected a tracker's URL with http, https or udp, found {scheme[:32]!r}"


def place_of(parts: SplitResult, default_port: int | None = None) -> Address:
    """Return the host, which may be a name, and the port; a URL without one needs a default."""
    url = parts.geturl()
    try:
        port = parts.port or default_port
    except ValueError as error:
        raise _wrong(url, str(error)) from error
    if not parts.hostname or not port:
        raise _wrong(url, "it lacks a host or a port")
    # The resolver would refuse such a name with another kind of exception.
    if any(not 0 < len(label) < 64 for label in parts.hostname.removesuffix(".").split(".")):
        raise _wrong(url, "its host is not a name")
    return Address(parts.hostname, port)


def redirected(url: str, location: str) -> str:
    """Return where a redirect leads; its location may be relative."""
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise _wrong(location, str(error)) from error


def _wrong(url: str, problem: str) -> TrackerFailure:
    return TrackerFailure(f"expected a tracker's URL, found {url[:64]!r}: {problem}")
