"""What a capture shows of one host: its connections, and in each direction the messages in their order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from testbed.audit.traced import Detail
from testbed.wiretap.messages import ConnectionSummary, Endpoint, Message

PEER_WIRE: Final = "peer wire"


class Sight(NamedTuple):
    """One message. Its time is when all bytes up to its last one had been captured, in seconds after t = 0."""

    kind: str
    detail: Detail
    t: float
    packet: int
    end: int = 0
    """Where it ends in the stream."""


class Gap(NamedTuple):
    """Bytes of a stream in which messages could not be read, and between which times they were captured."""

    after: float
    before: float
    bytes: int


@dataclass(slots=True)
class SeenDirection:
    """What one end sent on a connection."""

    sights: list[Sight] = field(default_factory=list)
    payload: int = 0
    peer_id: str | None = None
    last: float = float("-inf")
    """When its last message was complete."""
    read: int = 0
    """The bytes up to the end of its last message."""
    gaps: list[Gap] = field(default_factory=list)
    acknowledged: int = 0
    """How far the other end has acknowledged the stream."""
    missing: int = 0
    """Bytes before that which are in no packet."""

    def of(self, *kinds: str) -> list[Sight]:
        """Return the messages of some kinds."""
        return [sight for sight in self.sights if sight.kind in kinds]


@dataclass(slots=True)
class SeenConnection:
    """One TCP connection of the capture."""

    number: int
    opener: Endpoint
    acceptor: Endpoint
    began: float
    ended: float
    application: str
    has_begin: bool = True
    forward: SeenDirection = field(default_factory=SeenDirection)
    """From the opener."""
    back: SeenDirection = field(default_factory=SeenDirection)


_DETAILS: Final[Mapping[str, tuple[str, ...]]] = {
    "choke": (),
    "unchoke": (),
    "interested": (),
    "not interested": (),
    "request": ("index", "begin", "length"),
    "piece": ("index", "begin", "length"),
    "have": ("index",),
    "have all": (),
}
"""The messages that are compared, and the fields of each."""


class Gathering:
    """Takes the messages of a capture, and keeps what the audit compares."""

    def __init__(self, origin: int) -> None:
        """`origin` is t = 0, in nanoseconds since 1970."""
        self._origin: Final = origin
        self._forward: dict[tuple[int, Endpoint], SeenDirection] = {}

    def take(self, message: Message) -> None:
        """Take one message, in the order of the capture; one that was only inferred is no witness."""
        if message.fields.get("inferred"):
            return
        direction = self._forward.setdefault((message.connection, message.source), SeenDirection())
        before, direction.last = direction.last, max(direction.last, self._seconds(message.time))
        if message.offset > direction.read:
            direction.gaps.append(Gap(before, direction.last, message.offset - direction.read))
        direction.read = max(direction.read, message.offset + message.length)
        if message.kind == "handshake":
            direction.peer_id = _hex(message.fields.get("peer_id"))
        detail = _detail(message.kind, message.fields)
        if detail is not None:
            direction.sights.append(Sight(message.kind, detail, direction.last, message.packet, direction.read))

    def connections(self, summaries: Iterable[ConnectionSummary]) -> Sequence[SeenConnection]:
        """Return the TCP connections, with what was taken of each."""
        return [self._connection(each) for each in summaries if each.protocol == "tcp"]

    def _connection(self, summary: ConnectionSummary) -> SeenConnection:
        forward, back = (
            self._forward.get((summary.number, end), SeenDirection()) for end in (summary.opener, summary.acceptor)
        )
        for direction, counts in ((forward, summary.forward), (back, summary.back)):
            direction.payload, direction.missing = counts.payload, counts.missing
            direction.acknowledged = counts.acknowledged
            if counts.payload > direction.read:
                gap = Gap(direction.last, self._seconds(summary.ended), counts.payload - direction.read)
                direction.gaps.append(gap)
        return SeenConnection(
            summary.number,
            summary.opener,
            summary.acceptor,
            self._seconds(summary.began),
            self._seconds(summary.ended),
            summary.application,
            summary.has_begin,
            forward,
            back,
        )

    def _seconds(self, time: int) -> float:
        return (time - self._origin) / 1e9


def _detail(kind: str, fields: Mapping[str, Any]) -> Detail | None:
    """Return the numbers by which a message is told from others; None for a message that is not compared."""
    names = _DETAILS.get(kind)
    return None if names is None else tuple(fields.get(name, -1) for name in names)


def _hex(peer_id: object) -> str | None:
    return peer_id.hex() if isinstance(peer_id, bytes) else peer_id if isinstance(peer_id, str) else None
