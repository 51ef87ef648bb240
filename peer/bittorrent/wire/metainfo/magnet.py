"""Magnet links (BEP 9): just enough to find a swarm, which then sends the info dictionary.

magnet:?xt=urn:btih:<info-hash: 40 hex or 32 base32>&dn=<name>&tr=<tracker URL>&x.pe=<host:port>
"""

import binascii
import re
from base64 import b32decode
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote

from peer.bittorrent.wire.errors import MetainfoError
from peer.net.address import Address, parse_address

_SCHEME: Final = "magnet:?"
_TOPIC_OF_VERSION_2: Final = "urn:btmh:"
_TOPIC: Final = "urn:btih:"
_HEX: Final = re.compile(r"[0-9A-Fa-f]{40}")
_BASE32: Final = re.compile(r"[A-Za-z2-7]{32}")


@dataclass(frozen=True, slots=True)
class Magnet:
    """The swarm, and where to ask for its peers."""

    info_hash: bytes
    name: str | None = None
    trackers: tuple[str, ...] = ()
    peers: tuple[Address, ...] = ()

    def encode(self) -> str:
        parts = [f"xt={_TOPIC}{self.info_hash.hex()}"]
        if self.name is not None:
            parts.append(f"dn={quote(self.name, safe='')}")
        parts += [f"tr={quote(url, safe='')}" for url in self.trackers]
        parts += [f"x.pe={quote(str(peer), safe='[]:')}" for peer in self.peers]
        return _SCHEME + "&".join(parts)


def decode_magnet(link: str) -> Magnet:
    """Read a link; keys other than xt, dn, tr and x.pe are ignored, and so are topics other than btih."""
    if not link.lower().startswith(_SCHEME):
        raise MetainfoError(f"magnet link: expected {_SCHEME!r} in front, found {link[:16]!r}")
    try:
        entries = parse_qsl(link[len(_SCHEME) :], errors="strict", max_num_fields=1000)
    except ValueError as error:
        raise MetainfoError(f"magnet link: expected UTF-8 text and at most 1000 fields ({error})") from error
    return Magnet(
        _info_hash([value for key, value in entries if _is(key, "xt")]),
        next((value for key, value in entries if key == "dn"), None),
        tuple(value for key, value in entries if _is(key, "tr")),
        tuple(parse_address(value) for key, value in entries if key == "x.pe"),
    )


def _is(key: str, name: str) -> bool:
    """Return whether a key is `name`, or a numbered `name` as in links with several: tr.1."""
    front, dot, number = key.partition(".")
    return front == name and (not dot or number.isdecimal())


def _info_hash(topics: list[str]) -> bytes:
    for topic in topics:
        if topic.lower().startswith(_TOPIC):
            return _hash_bytes(topic[len(_TOPIC) :])
    if any(topic.lower().startswith(_TOPIC_OF_VERSION_2) for topic in topics):
        raise MetainfoError("magnet link: a torrent of version 2 alone is not supported")
    found = ", ".join(topics)[:80] or "none"
    raise MetainfoError(f"magnet link: expected xt={_TOPIC}<info-hash>, found {found}")


def _hash_bytes(text: str) -> bytes:
    if _HEX.fullmatch(text):
        return binascii.unhexlify(text)
    if _BASE32.fullmatch(text):
        return b32decode(text.upper())
    raise MetainfoError(f"magnet link: expected an info-hash of 40 hex or 32 base32 digits, found {text[:64]!r}")
