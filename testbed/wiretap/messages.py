"""What is read in a capture: messages, and the TCP connections and UDP exchanges that carry them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Endpoint(NamedTuple):
    """One end of a connection."""

    address: str
    port: int


class Message(NamedTuple):
    """One message of the peer wire, or one of a tracker's, as it stands in the bytes of one direction."""

    time: int
    """When it was complete, in nanoseconds since 1970: all its bytes, and all before it, had been captured then."""
    packet: int
    """The number in the file of the packet that completed it, from 1, as in Wireshark."""
    connection: int
    """The number of the TCP connection or UDP exchange that carries it, from 0, in the order of their first packets."""
    source: Endpoint
    destination: Endpoint
    kind: str
    """`handshake`, `keep-alive`, `choke`, ..., `extended`, `unknown N`; of trackers `announce`, ..."""
    offset: int
    """Where it begins in the bytes of its direction, from 0; without a captured SYN, from the first captured byte."""
    length: int
    """All its bytes, with the four of the length prefix."""
    fields: Mapping[str, Any]
    """`index`, `begin` and `length` of a block, `peer_id` of a handshake, ...: what was captured of them."""


@dataclass(slots=True)
class Losses:
    """What could not be read, counted."""

    packets: int = 0
    """Frames that are cut or damaged before the end of their TCP or UDP header."""
    fragments: int = 0
    """Fragments of IP packets, which are not joined."""
    missing_bytes: int = 0
    """Bytes of streams that no packet of the capture brought."""
    cut_messages: int = 0
    """Messages of which the kind is known, and whose fields were cut off."""
    unreadable_bytes: int = 0
    """Bytes of streams in which messages could no longer be told apart, or which are no peer wire."""
    unread_bytes: int = 0
    """Bytes at the end of the file that are no whole frame: its writer was killed, or they are damaged."""
    connections: int = 0
    """Packets of connections beyond the first 20,000, which are not followed."""


@dataclass(slots=True)
class Direction:
    """One direction of a connection, added up."""

    packets: int = 0
    payload: int = 0
    """Bytes of its stream, each counted once."""
    retransmitted: int = 0
    """Bytes that were seen again."""
    out_of_order: int = 0
    """Packets that came before one that precedes them."""
    acknowledged: int = 0
    """How far the other end has acknowledged the stream: behind it may be bytes that never arrived."""
    missing: int = 0
    """Bytes before that which no packet of the capture brought."""


@dataclass(slots=True)
class ConnectionSummary:
    """One TCP connection or UDP exchange. `opener` sent the SYN; if none was captured, the first packet."""

    number: int
    protocol: str
    """`tcp` or `udp`."""
    opener: Endpoint
    acceptor: Endpoint
    began: int
    """Nanoseconds since 1970, of its first packet."""
    ended: int
    """Of its last packet."""
    has_begin: bool
    """Whether the SYN was captured."""
    end: str
    """`closed` (FIN), `reset`, or `open`."""
    application: str
    """`peer wire`, `http tracker`, `udp tracker`, `http`, or `unknown`."""
    forward: Direction = field(default_factory=Direction)
    """From the opener."""
    back: Direction = field(default_factory=Direction)
    handshake_rtt: int | None = None
    """From SYN to SYN-ACK, where it was captured, plus from there to the ACK; in nanoseconds."""
    rtts: list[int] = field(default_factory=list)
    """Samples of the time from data to the acknowledgement that covers it, a bounded number of them."""
