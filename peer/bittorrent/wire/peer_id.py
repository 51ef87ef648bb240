"""Peer ids (BEP 20): 20 bytes that name a client and distinguish its runs.

-TB0100-xxxxxxxxxxxx      a dash, two letters for the client, four characters of version, a dash, then random
M4-20-8-xxxxxxxxxxxx      the first client: M, the version with dashes, then random
"""

import random
import re
from typing import Final

from peer.bittorrent.wire.handshake import PEER_ID_LENGTH

OUR_PREFIX: Final = b"-TB0100-"

_AZUREUS: Final = re.compile(rb"-([A-Za-z~][A-Za-z~0-9])([0-9A-Za-z]{4})-")
_MAINLINE: Final = re.compile(rb"([MQ])(\d{1,3}(?:-\d{1,3}){2})-")
_UNRESERVED: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_CLIENTS: Final = {
    b"AZ": "Vuze",
    b"BC": "BitComet",
    b"BI": "BiglyBT",
    b"CD": "Enhanced CTorrent",
    b"CT": "CTorrent",
    b"DE": "Deluge",
    b"KT": "KTorrent",
    b"LT": "libtorrent",
    b"TB": "Testbed",
    b"TR": "Transmission",
    b"UT": "uTorrent",
    b"UW": "uTorrent Web",
    b"WD": "WebTorrent Desktop",
    b"WW": "WebTorrent",
    b"XL": "Xunlei",
    b"lt": "libTorrent (rTorrent)",
    b"qB": "qBittorrent",
}
_UNUSUAL: Final = {b"A2-": "aria2", b"AZ2500BT": "BitTyrant", b"-ML": "MLdonkey", b"exbc": "BitComet", b"XBT": "XBT"}


def make_peer_id(rng: random.Random) -> bytes:
    """Make a peer id of this client; its 12 letters and digits need no escape in a URL."""
    return OUR_PREFIX + bytes(rng.choices(_UNRESERVED, k=PEER_ID_LENGTH - len(OUR_PREFIX)))


def client_name(peer_id: bytes) -> str:
    """Name the client of a peer id as well as possible, for logs and tables, and never for decisions."""
    if match := _AZUREUS.match(peer_id):
        client = _CLIENTS.get(match[1]) or match[1].decode()
        return f"{client} {'.'.join(match[2].decode())}"
    if match := _MAINLINE.match(peer_id):
        return f"{'Mainline' if match[1] == b'M' else 'Queen Bee'} {match[2].decode().replace('-', '.')}"
    for prefix, client in _UNUSUAL.items():
        if peer_id.startswith(prefix):
            return client
    return f"unknown ({repr(peer_id[:8])[2:-1]})"
