"""Peer ids (BEP 20): 20 bytes that name a client and distinguish its runs.

-TB0100-xxxxxxxxxxxx      a dash, two letters for the client, four characters of version, a dash, then random
-WW0102-xxxxxxxxxxxx      WebTorrent has two numbers of two digits there: 1.2
-KT22123-xxxxxxxxxxx      KTorrent has all digits of its version, here 22.12.3, and not always the second dash
M4-20-8-xxxxxxxxxxxx      the first client: M, the version with dashes, then random
"""

import random
import re
from typing import Final

from peer.bittorrent.wire.handshake import PEER_ID_LENGTH

OUR_PREFIX: Final = b"-TB0100-"

_AZUREUS: Final = re.compile(rb"-([A-Za-z~][A-Za-z~0-9])([0-9A-Za-z]{4})-")
_KTORRENT: Final = re.compile(rb"-KT(\d{2})(\d{2})(\d{2}(?=-)|\d)")
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
_TWO_NUMBERS: Final = frozenset({b"WD", b"WW"})
"""Clients whose four digits are two numbers."""
_UNUSUAL: Final = {b"A2-": "aria2", b"AZ2500BT": "BitTyrant", b"-ML": "MLdonkey", b"exbc": "BitComet", b"XBT": "XBT"}


def make_peer_id(rng: random.Random) -> bytes:
    """Make a peer id of this client; its 12 letters and digits need no escape in a URL."""
    return OUR_PREFIX + bytes(rng.choices(_UNRESERVED, k=PEER_ID_LENGTH - len(OUR_PREFIX)))


def client_name(peer_id: bytes) -> str:
    """Name the client of a peer id as well as possible, for logs and tables, and never for decisions."""
    if match := _AZUREUS.match(peer_id):
        client = _CLIENTS.get(match[1]) or match[1].decode()
        return f"{client} {_version(match[1], match[2].decode())}"
    if match := _KTORRENT.match(peer_id):
        year, month, release = map(bytes.decode, match.groups())
        return f"KTorrent {year}.{month}.{int(release)}"
    if match := _MAINLINE.match(peer_id):
        return f"{'Mainline' if match[1] == b'M' else 'Queen Bee'} {match[2].decode().replace('-', '.')}"
    for prefix, client in _UNUSUAL.items():
        if peer_id.startswith(prefix):
            return client
    return f"unknown ({repr(peer_id[:8])[2:-1]})"


def _version(client: bytes, digits: str) -> str:
    if client in _TWO_NUMBERS and digits.isdecimal():
        return f"{int(digits[:2])}.{int(digits[2:])}"
    return ".".join(digits)
