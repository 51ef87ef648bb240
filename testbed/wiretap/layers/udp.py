"""Trackers over UDP (BEP 15), one datagram each: `UdpConnect`, `UdpAnnounce`, `UdpScrape` and their answers.

Numbers in datagrams do not tell requests from answers; the tracker's port does. Addresses in an answer are IPv6 if the
datagram is.
"""

from struct import Struct, unpack_from
from typing import Any, Final

from scapy.fields import (
    Field,
    IntEnumField,
    IntField,
    IPField,
    LongField,
    ShortField,
    SignedIntField,
    StrField,
    StrFixedLenField,
    XIntField,
    XLongField,
)
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet, Raw

from testbed.wiretap.layers.fields import (
    IPV4_STRIDE,
    IPV6_STRIDE,
    Address,
    PythonField,
    pack_addresses,
    unpack_addresses,
)

PROTOCOL_ID: Final = 0x41727101980
_ACTIONS: Final = {0: "connect", 1: "announce", 2: "scrape", 3: "error"}
_EVENTS: Final = {0: "none", 1: "completed", 2: "started", 3: "stopped"}
_COUNTS: Final = Struct(">III")


def _request(action: int, first: Field[Any, Any]) -> list[Field[Any, Any]]:
    return [first, IntEnumField("action", action, _ACTIONS), XIntField("transaction_id", 0)]


def _answer(action: int) -> list[Field[Any, Any]]:
    return [IntEnumField("action", action, _ACTIONS), XIntField("transaction_id", 0)]


class ListField(PythonField):
    """A list of as many items of one size as fit into the datagram."""

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, list[Any]]:
        size = self.item_size(pkt)
        end = len(s) - len(s) % size
        return s[end:], self.read(s[:end], size)

    def addfield(self, pkt: Packet, s: bytes, val: list[Any] | None) -> bytes:  # noqa: ARG002
        return s + self.write(val or [])

    def item_size(self, pkt: Packet) -> int:
        raise NotImplementedError

    def read(self, data: bytes, size: int) -> list[Any]:
        raise NotImplementedError

    def write(self, held: list[Any]) -> bytes:
        raise NotImplementedError


class HashesField(ListField):
    """Info-hashes."""

    def item_size(self, pkt: Packet) -> int:  # noqa: ARG002
        return 20

    def read(self, data: bytes, size: int) -> list[bytes]:
        return [data[at : at + size] for at in range(0, len(data), size)]

    def write(self, held: list[bytes]) -> bytes:
        return b"".join(held)


class AddressesField(ListField):
    """Peers, as host and port."""

    def item_size(self, pkt: Packet) -> int:
        is_v6 = pkt.underlayer is not None and isinstance(pkt.underlayer.underlayer, IPv6)
        return IPV6_STRIDE if is_v6 else IPV4_STRIDE

    def read(self, data: bytes, size: int) -> list[Address]:
        return unpack_addresses(data, size)

    def write(self, held: list[Address]) -> bytes:
        return pack_addresses(held)


class CountsField(ListField):
    """Seeders, completed downloads and leechers of each swarm."""

    def item_size(self, pkt: Packet) -> int:  # noqa: ARG002
        return _COUNTS.size

    def read(self, data: bytes, size: int) -> list[tuple[int, ...]]:  # noqa: ARG002
        return list(_COUNTS.iter_unpack(data))

    def write(self, held: list[tuple[int, int, int]]) -> bytes:
        return b"".join(_COUNTS.pack(*counts) for counts in held)


class UdpConnect(Packet):
    """A request for a connection id."""

    name = "UDP connect"
    fields_desc = [*_request(0, XLongField("protocol_id", PROTOCOL_ID))]


class UdpConnectAnswer(Packet):
    """The connection id."""

    name = "UDP connect answer"
    fields_desc = [*_answer(0), XLongField("connection_id", 0)]


class UdpAnnounce(Packet):
    """A client's state, and its request for peers; `options` are those of BEP 41."""

    name = "UDP announce"
    fields_desc = [
        *_request(1, XLongField("connection_id", 0)),
        StrFixedLenField("info_hash", bytes(20), 20),
        StrFixedLenField("peer_id", bytes(20), 20),
        LongField("downloaded", 0),
        LongField("left", 0),
        LongField("uploaded", 0),
        IntEnumField("event", 0, _EVENTS),
        IPField("ip", "0.0.0.0"),  # noqa: S104 - that of the datagram
        XIntField("key", 0),
        SignedIntField("numwant", -1),
        ShortField("port", 6881),
        StrField("options", b""),
    ]


class UdpAnnounceAnswer(Packet):
    """The peers of a swarm."""

    name = "UDP announce answer"
    fields_desc = [
        *_answer(1),
        IntField("interval", 0),
        IntField("leechers", 0),
        IntField("seeders", 0),
        AddressesField("peers", []),
    ]


class UdpScrape(Packet):
    """A request for the numbers of swarms."""

    name = "UDP scrape"
    fields_desc = [*_request(2, XLongField("connection_id", 0)), HashesField("info_hashes", [])]


class UdpScrapeAnswer(Packet):
    """Seeders, completed downloads and leechers of each swarm, in the order of the request."""

    name = "UDP scrape answer"
    fields_desc = [*_answer(2), CountsField("swarms", [])]


class UdpError(Packet):
    """The tracker refuses."""

    name = "UDP error"
    fields_desc = [*_answer(3), StrField("message", b"")]


REQUESTS: Final[dict[int, tuple[type[Packet], int]]] = {0: (UdpConnect, 16), 1: (UdpAnnounce, 98), 2: (UdpScrape, 16)}
"""By action, with the least size."""
ANSWERS: Final[dict[int, tuple[type[Packet], int]]] = {
    0: (UdpConnectAnswer, 16),
    1: (UdpAnnounceAnswer, 20),
    2: (UdpScrapeAnswer, 8),
    3: (UdpError, 8),
}


def request_class(data: bytes) -> type[Packet]:
    """Return the class of a datagram to a tracker; Raw if it is none."""
    if len(data) < 16:
        return Raw
    identifier, action = unpack_from(">QI", data)
    made, least = REQUESTS.get(action, (Raw, 0))
    return Raw if len(data) < least or (made is UdpConnect and identifier != PROTOCOL_ID) else made


def answer_class(data: bytes) -> type[Packet]:
    """Return the class of a datagram from a tracker; Raw if it is none."""
    made, least = ANSWERS.get(int.from_bytes(data[:4], "big"), (Raw, 0))
    return made if len(data) >= max(least, 8) else Raw


class UdpTrackerRequest(Packet):
    """A datagram to a tracker; dissects as one of the requests above, or as Raw."""

    name = "UDP tracker request"

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_: Any, **__: Any) -> type[Packet]:
        found = request_class(_pkt or b"")
        return answer_class(_pkt or b"") if found is Raw else found


class UdpTrackerAnswer(Packet):
    """A datagram from a tracker; dissects as one of the answers above, or as Raw."""

    name = "UDP tracker answer"

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_: Any, **__: Any) -> type[Packet]:
        return answer_class(_pkt or b"")
