"""scapy's TCPSession: whole messages out of TCP segments, in the order of their bytes.

    sniff(offline=file, session=TCPSession)

calls `tcp_reassemble` with each segment. What a segment completes takes its place in the packet, as one `PeerWire` or
`TrackerHTTP` layer, and bytes that cannot be read follow as Raw. A segment that completes nothing gives no packet.

A connection is known by its first bytes, whatever its ports: a handshake, or a request to a tracker. If these were not
captured, it is known by a port (see `ports`), and read from the first segment that begins with a message.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.packet import NoPayload, Packet, Padding, Raw

from testbed.wiretap.layers.http import HttpMessage, TrackerHTTP, is_announce
from testbed.wiretap.layers.messages import HANDSHAKE_FRONT, HANDSHAKE_LENGTH
from testbed.wiretap.layers.ordering import Order, Run
from testbed.wiretap.layers.peerwire import PeerWire
from testbed.wiretap.layers.readers import HttpReader, MessageReader, Reader, Readings, Unread

Key: TypeAlias = tuple[str, int, str, int]
MakeReader: TypeAlias = Callable[[], Reader]

_READERS: Final[dict[bytes, MakeReader]] = {HANDSHAKE_FRONT: MessageReader, b"GET ": HttpReader}
"""By the first bytes of a direction."""
_FRONTS: Final = tuple(_READERS)


@dataclass(slots=True)
class Direction:
    """One direction of a connection."""

    order: Order = field(default_factory=Order)
    first: bytes = b""
    """Its first bytes, while they do not tell what it is."""
    reader: Reader | None = None
    """None until they do."""


Session: TypeAlias = dict[Key, Direction]


class UnclaimedStream(Packet):
    """A TCP connection whose ports tell nothing. It dissects as another class, by its first bytes."""

    name = "TCP stream"

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_: Any, **__: Any) -> type[Packet]:
        return recognised(_pkt or b"")

    @classmethod
    def tcp_reassemble(cls, data: bytes, metadata: dict[str, Any], session: Session) -> Packet | None:
        """Take one segment. It is in `metadata`; scapy's own buffer `data` has zeros for what came late."""
        packet = metadata.get("original")
        if packet is None:  # A session over a socket has no segments.
            return cls(data)
        return _take_segment(packet[TCP], cls.usual_reader, session, is_end=bool(metadata.get("tcp_end")))

    @staticmethod
    def usual_reader() -> Reader:
        """Return the reader of a connection whose first bytes tell nothing."""
        return Unread()


class PeerWireStream(UnclaimedStream):
    """A TCP connection with a port that peers use."""

    name = "peer wire stream"

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_: Any, **__: Any) -> type[Packet]:
        return PeerWire.dispatch_hook(_pkt)

    @staticmethod
    def usual_reader() -> Reader:
        return MessageReader(is_lost=True)


class TrackerStream(UnclaimedStream):
    """A TCP connection with a port that trackers use."""

    name = "tracker stream"

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_: Any, **__: Any) -> type[Packet]:
        return TrackerHTTP.dispatch_hook(_pkt)

    @staticmethod
    def usual_reader() -> Reader:
        return HttpReader()


def recognised(data: bytes) -> type[Packet]:
    """Return the class of a segment on any port; Raw if it is not ours."""
    if data.startswith(HANDSHAKE_FRONT) and len(data) >= HANDSHAKE_LENGTH:
        return PeerWire
    return TrackerHTTP.dispatch_hook(data) if is_announce(data) or data.startswith(b"HTTP/") else Raw


def _take_segment(tcp: Packet, usual: MakeReader, session: Session, *, is_end: bool) -> Packet | None:
    ends: Any = tcp.underlayer
    here = session.setdefault((ends.src, tcp.sport, ends.dst, tcp.dport), Direction())
    there = session.get((ends.dst, tcp.dport, ends.src, tcp.sport))
    is_asked = there is not None and isinstance(there.reader, HttpReader) and there.reader.is_tracker
    if there is not None and tcp.flags.A:
        there.order.acknowledge(tcp.ack)
    readings = Readings()
    for run in here.order.add(tcp.seq, *_payload(tcp)):
        _read(here, run, HttpReader if is_asked else usual, readings)
    if is_end and here.reader is not None and here.order.is_complete:
        here.reader.end(readings)
    return _layer(readings) or _nothing(here)


def _payload(tcp: Packet) -> tuple[bytes, int]:
    """Return what was captured of a segment's bytes, and how many there were."""
    payload = tcp.payload
    data = b"" if isinstance(payload, NoPayload | Padding) else payload.original
    ip = tcp.underlayer
    total = ip.len and ip.len - 4 * ip.ihl if isinstance(ip, IP) else ip.plen if isinstance(ip, IPv6) else None
    # Packets that the kernel cuts itself (TSO) may be captured without a length.
    return data, max(len(data), total - 4 * tcp.dataofs) if total else len(data)


def _read(here: Direction, run: Run, usual: MakeReader, into: Readings) -> None:
    """Read what follows in a direction; after a gap, a new connection may have begun."""
    if here.reader is not None and run.is_after_gap and run.data.startswith(_FRONTS):
        here.reader.end(into)
        here.reader = None
    if here.reader is None:
        run = Run(here.first + run.data, run.missing)
        here.first = b""
        here.reader = _reader_for(run, usual)
    if here.reader is None:
        here.first = run.data
    else:
        here.reader.read(run, into)


def _reader_for(run: Run, usual: MakeReader) -> Reader | None:
    """Choose by the first bytes; None if they are too few."""
    for front, make in _READERS.items():
        if run.data.startswith(front):
            return make()
        if front.startswith(run.data) and not run.missing:
            return None
    return usual()


def _layer(readings: Readings) -> Packet | None:
    raw = Raw(bytes(readings.unreadable)) if readings.unreadable else None
    if not readings.messages:
        return raw
    made = TrackerHTTP if isinstance(readings.messages[0], HttpMessage) else PeerWire
    layer = made(messages=readings.messages)
    return layer / raw if raw else layer


def _nothing(here: Direction) -> Packet | None:
    """Return what makes scapy give no packet, and drop its buffer; it calls at the end only if it has one."""
    is_waiting = here.reader is not None and here.reader.waits_for_end
    return None if is_waiting else Padding(b"")
