"""Hypothesis strategies for every kind of value on the wire, and a datagram that only other clients send."""

from ipaddress import IPv4Address, IPv6Address
from struct import pack

from hypothesis import strategies as st

from peer.bencode.codec import Value
from peer.bittorrent.wire.handshake import Handshake, Reserved
from peer.bittorrent.wire.messages import (
    AllowedFast,
    Cancel,
    Choke,
    Extended,
    Have,
    HaveAll,
    HaveBitfield,
    HaveNone,
    Interested,
    KeepAlive,
    Message,
    NotInterested,
    PieceHeader,
    Port,
    RejectRequest,
    Request,
    SuggestPiece,
    Unchoke,
    Unknown,
)
from peer.net.address import Address

NUMBERS = st.integers(0, 2**32 - 1)
PORTS = st.integers(0, 2**16 - 1)
HASHES = st.binary(min_size=20, max_size=20)
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)

BENCODED: st.SearchStrategy[Value] = st.recursive(
    st.integers(-(2**64) + 1, 2**64 - 1) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.binary(max_size=12), inner, max_size=5),
    max_leaves=20,
)

IPV4_ADDRESSES = st.builds(Address, st.integers(0, 2**32 - 1).map(lambda n: str(IPv4Address(n))), PORTS)
IPV6_ADDRESSES = st.builds(Address, st.integers(0, 2**128 - 1).map(lambda n: str(IPv6Address(n))), PORTS)

HANDSHAKES = st.builds(Handshake, HASHES, HASHES, st.integers(0, 2**64 - 1).map(Reserved))

_KNOWN_IDS = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 20}
BLOCKLESS: st.SearchStrategy[Message] = st.one_of(
    st.sampled_from(
        [KeepAlive(), Choke(), Unchoke(), Interested(), NotInterested(), HaveAll(), HaveNone()],
    ),
    st.builds(Have, NUMBERS),
    st.builds(HaveBitfield, st.binary(min_size=1, max_size=300)),
    st.builds(Request, NUMBERS, NUMBERS, NUMBERS),
    st.builds(Cancel, NUMBERS, NUMBERS, NUMBERS),
    st.builds(Port, PORTS),
    st.builds(SuggestPiece, NUMBERS),
    st.builds(RejectRequest, NUMBERS, NUMBERS, NUMBERS),
    st.builds(AllowedFast, NUMBERS),
    st.builds(Extended, st.integers(0, 255), st.binary(max_size=300)),
    st.builds(Unknown, st.integers(0, 255).filter(lambda n: n not in _KNOWN_IDS), st.binary(max_size=60)),
)
PIECES = st.builds(PieceHeader, NUMBERS, NUMBERS, st.integers(1, 400))


def scrape_request(connection: int, transaction: int, *info_hashes: bytes) -> bytes:
    """Return the datagram that scrapes a UDP tracker; our client never sends one."""
    return pack(">QII", connection, 2, transaction) + b"".join(info_hashes)
