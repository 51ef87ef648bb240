"""A tracker's answers over HTTP: bencoded dictionaries (BEP 3, 7, 23, 31, 48)."""

from typing import Any, Final

from scapy.packet import Packet, Raw

from testbed.wiretap.bencode import Encodable, Value
from testbed.wiretap.layers.fields import (
    IPV4_STRIDE,
    IPV6_STRIDE,
    Address,
    AddressesEntry,
    BencodedDictionary,
    Entry,
    NumberEntry,
    OtherEntries,
    StringEntry,
    dictionary_keys,
    pack_addresses,
    unpack_addresses,
)


class PeersEntry(Entry):
    """Peers in either form: a list of host and port (compact), or a list of dictionaries as they are."""

    def read(self, value: Value) -> list[Any] | None:
        match value:
            case bytes() if len(value) % IPV4_STRIDE == 0:
                return unpack_addresses(value, IPV4_STRIDE)
            case list() if all(isinstance(peer, dict) for peer in value):
                return value
        return None

    def write(self, held: list[Any]) -> Encodable:
        return held if held and isinstance(held[0], dict) else pack_addresses(held)


class AnnounceAnswer(BencodedDictionary):
    """The peers of a swarm."""

    name = "announce answer"
    fields_desc = [
        NumberEntry("interval"),
        NumberEntry("min_interval", b"min interval"),
        NumberEntry("complete"),
        NumberEntry("incomplete"),
        StringEntry("tracker_id", b"tracker id"),
        StringEntry("warning_message", b"warning message"),
        PeersEntry("peers"),
        AddressesEntry("peers6", stride=IPV6_STRIDE),
        OtherEntries("others"),
    ]

    @property
    def addresses(self) -> list[Address]:
        """Host and port of all peers, in whatever form they are; of what is no address, nothing."""
        peers = [peer for peer in map(_address, self.peers or []) if peer is not None]
        return peers + (self.peers6 or [])


def _address(peer: Any) -> Address | None:
    if isinstance(peer, tuple):
        return peer
    host, port = peer.get(b"ip"), peer.get(b"port")
    return (host.decode(errors="replace"), port) if isinstance(host, bytes) and isinstance(port, int) else None


class ScrapeAnswer(BencodedDictionary):
    """In `files`, the numbers of each swarm, by info-hash."""

    name = "scrape answer"
    fields_desc = [Entry("files"), OtherEntries("others")]


class FailureAnswer(BencodedDictionary):
    """The tracker refuses."""

    name = "failure answer"
    fields_desc = [
        StringEntry("failure_reason", b"failure reason"),
        Entry("retry_in", b"retry in"),
        OtherEntries("others"),
    ]


_ANNOUNCE_KEYS: Final = frozenset({b"interval", b"peers", b"peers6", b"warning message"})


class TrackerAnswer(Packet):
    """The body of an answer; dissects as one of the classes above, or as Raw."""

    name = "tracker answer"

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_: Any, **__: Any) -> type[Packet]:
        return answer_class(_pkt or b"")


def answer_class(body: bytes) -> type[Packet]:
    """Return the class for the body of an answer."""
    keys = dictionary_keys(body) or frozenset()
    if b"failure reason" in keys:
        return FailureAnswer
    if b"files" in keys:
        return ScrapeAnswer
    return AnnounceAnswer if keys & _ANNOUNCE_KEYS else Raw
