"""The allowed-fast set (BEP 6): pieces that a new peer may download while choked, the same from every peer."""

from hashlib import sha1
from typing import Final

from peer.net.address import pack_host

USUAL_COUNT: Final = 10


def allowed_fast_set(host: str, info_hash: bytes, piece_count: int, count: int = USUAL_COUNT) -> list[int]:
    """Compute the indices for the peer at the IPv4 address `host`: `count` of them, or all pieces if fewer.

    Addresses in one /24 get the same set, so that several addresses gain nothing.
    """
    chosen: dict[int, None] = {}
    count = min(count, piece_count)
    digest = pack_host(host)[:3] + b"\0" + info_hash
    while len(chosen) < count:
        digest = sha1(digest, usedforsecurity=False).digest()
        for at in range(0, 20, 4):
            chosen[int.from_bytes(digest[at : at + 4], "big") % piece_count] = None
    return list(chosen)[:count]
