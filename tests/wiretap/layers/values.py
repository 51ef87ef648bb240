"""Drawn packets of every layer, and captures that are made of segments."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.packet import Packet, Raw
from scapy.sendrecv import sniff
from scapy.sessions import TCPSession
from scapy.utils import wrpcap

from testbed.wiretap import layers
from tests.peer.bittorrent.wire.values import (
    BENCODED,
    HASHES,
    IPV4_ADDRESSES,
    IPV6_ADDRESSES,
    NUMBERS,
    PORTS,
)

ADDRESSES = st.lists(IPV4_ADDRESSES.map(tuple), max_size=4)
ADDRESSES6 = st.lists(IPV6_ADDRESSES.map(tuple), max_size=4)
STRINGS = st.binary(max_size=30)
INTEGERS = st.integers(-(2**63), 2**63)
OTHERS = st.none() | st.dictionaries(
    st.binary(max_size=8).map(lambda key: b"x" + key), BENCODED, min_size=1, max_size=3
)

_BLOCK = {"index": NUMBERS, "begin": NUMBERS, "length": NUMBERS}
_NONE: dict[str, st.SearchStrategy[Any]] = {}
_MESSAGES: dict[type[Packet], dict[str, st.SearchStrategy[Any]]] = {
    layers.KeepAlive: _NONE,
    layers.Choke: _NONE,
    layers.Unchoke: _NONE,
    layers.Interested: _NONE,
    layers.NotInterested: _NONE,
    layers.Have: {"index": NUMBERS},
    layers.Bitfield: {"bits": st.binary(min_size=1, max_size=50)},
    layers.Request: _BLOCK,
    layers.Piece: {"index": NUMBERS, "begin": NUMBERS, "block": st.binary(max_size=50)},
    layers.Cancel: _BLOCK,
    layers.Port: {"port": PORTS},
    layers.SuggestPiece: {"index": NUMBERS},
    layers.HaveAll: _NONE,
    layers.HaveNone: _NONE,
    layers.RejectRequest: _BLOCK,
    layers.AllowedFast: {"index": NUMBERS},
}
_METADATA = {"piece": INTEGERS, "total_size": st.none() | INTEGERS, "others": OTHERS}
_EXTENSIONS: dict[type[Packet], dict[str, st.SearchStrategy[Any]]] = {
    layers.MetadataRequest: _METADATA,
    layers.MetadataData: _METADATA,
    layers.MetadataReject: _METADATA,
    layers.PeerExchange: {
        "added": ADDRESSES,
        "added_flags": st.none() | st.lists(st.integers(0, 255), max_size=4),
        "dropped": st.none() | ADDRESSES,
        "added6": st.none() | ADDRESSES6,
        "added6_flags": st.none() | st.lists(st.integers(0, 255), max_size=4),
        "dropped6": st.none() | ADDRESSES6,
        "others": OTHERS,
    },
}


def optional(**fields: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    return {name: st.none() | drawn for name, drawn in fields.items()}


def packets(made: type[Packet], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Packet]:
    return st.fixed_dictionaries(fields).map(lambda drawn: made(**drawn))


EXTENSION_HANDSHAKES = packets(
    layers.ExtensionHandshake,
    **optional(
        m=st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=9), INTEGERS, max_size=4),
        v=STRINGS,
        p=INTEGERS,
        reqq=INTEGERS,
        yourip=STRINGS,
        ipv4=STRINGS,
        ipv6=STRINGS,
        metadata_size=INTEGERS,
        upload_only=INTEGERS,
    ),
    others=OTHERS,
)
EXTENSION_PAYLOADS = st.one_of(*(packets(made, **fields) for made, fields in _EXTENSIONS.items()))
EXTENDED = st.one_of(
    EXTENSION_HANDSHAKES.map(lambda payload: layers.Extended(extension=0) / payload),
    st.builds(lambda n, payload: layers.Extended(extension=n) / payload, st.integers(1, 255), EXTENSION_PAYLOADS),
)
MESSAGES = st.one_of(EXTENDED, *(packets(made, **fields) for made, fields in _MESSAGES.items()))
HANDSHAKES = packets(layers.Handshake, reserved=st.integers(0, 2**64 - 1), info_hash=HASHES, peer_id=HASHES)


def held(packet: Packet) -> list[Any]:
    """Return the layers of a packet with all their fields, but for lengths that are computed; bytes if it has none."""
    if not packet:
        return []
    names = [field.name for field in packet.fields_desc if field.name != "length_prefix"]
    return [type(packet).__name__, {name: packet.getfieldval(name) for name in names}, *held(packet.payload)]


def segment(at: int, data: bytes, *, dport: int = 6881, sport: int = 40_000, flags: str = "PA", isn: int = 5) -> Packet:
    """Return a segment with bytes of a stream."""
    ports = TCP(sport=sport, dport=dport, seq=(isn + at) % 2**32, flags=flags)
    packet = IP(src="198.18.0.2", dst="198.18.0.3") / ports
    return packet / Raw(data) if data else packet


def answer(at: int, data: bytes, *, sport: int = 6881, flags: str = "PA") -> Packet:
    """Return a segment of the other direction."""
    packet = IP(src="198.18.0.3", dst="198.18.0.2") / TCP(sport=sport, dport=40_000, seq=90 + at, flags=flags)
    return packet / Raw(data) if data else packet


def cut(data: bytes, size: int, **words: Any) -> list[Packet]:
    """Cut a stream into segments."""
    return [segment(at, data[at : at + size], **words) for at in range(0, len(data), size)]


def captured(file: Path, segments: Iterable[Packet]) -> Path:
    """Write a capture."""
    wrpcap(str(file), list(segments))
    return file


def reassembled(file: Path) -> list[Packet]:
    """Read a capture with scapy's TCPSession."""
    return list(sniff(offline=str(file), session=TCPSession, quiet=True))


def messages_of(packets: Iterable[Packet]) -> list[Packet]:
    """Return the messages in all layers of packets."""
    found = [packet.getlayer(layer) for packet in packets for layer in (layers.PeerWire, layers.TrackerHTTP)]
    return [message for layer in found if layer is not None for message in layer.messages]


def names_of(packets: Iterable[Packet]) -> list[str]:
    return [message.name for message in messages_of(packets)]


def raw_of(packets: Iterable[Packet]) -> bytes:
    """Return the bytes of packets that are in no message."""
    return b"".join(packet[Raw].load for packet in packets if isinstance(packet.lastlayer(), Raw))
