"""What a trace says, typed in this one place (docs/trace.md describes it for readers).

Facts are in the past tense and carry no time: the trace adds it. `neighbour` is the number that a connection got when
it was made; numbers are never used again. `by_us` tells the directions apart: we did it, or it was done to us.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar


class Level(IntEnum):
    """How much a trace says; each level includes those before it."""

    SUMMARY = 0
    PIECES = 1
    FULL = 2


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """Something that happened to this client."""

    event: ClassVar[str]
    level: ClassVar[Level] = Level.SUMMARY


@dataclass(frozen=True, slots=True)
class Joined(TraceEvent):
    """The client is up and listens; `port` is where."""

    event: ClassVar[str] = "joined"
    peer_id: str
    info_hash: str
    port: int
    also: tuple[str, ...] | None = None
    """The peer ids of its other identities, if it has any."""


@dataclass(frozen=True, slots=True)
class Opened(TraceEvent):
    """The torrent is known, and what of it is here already."""

    event: ClassVar[str] = "opened"
    name: str
    length: int
    piece_length: int
    piece_count: int
    have_count: int


@dataclass(frozen=True, slots=True)
class Connected(TraceEvent):
    """A TCP connection stands; `is_outgoing` if we made it."""

    event: ClassVar[str] = "connected"
    neighbour: int
    address: str
    is_outgoing: bool


@dataclass(frozen=True, slots=True)
class DialFailed(TraceEvent):
    """No connection to an address; `retry_in` seconds until the next try, None if there will be none."""

    event: ClassVar[str] = "dial_failed"
    address: str
    reason: str
    retry_in: float | None


@dataclass(frozen=True, slots=True)
class Handshaken(TraceEvent):
    """The other end turned out to be in our swarm."""

    event: ClassVar[str] = "handshaken"
    neighbour: int
    peer_id: str
    client: str
    is_fast: bool
    is_extended: bool


@dataclass(frozen=True, slots=True)
class Disconnected(TraceEvent):
    """A connection ended; `by_us` if we closed it. Totals are bytes of blocks."""

    event: ClassVar[str] = "disconnected"
    neighbour: int
    by_us: bool
    reason: str
    received: int
    sent: int


@dataclass(frozen=True, slots=True)
class Unchoked(TraceEvent):
    """Requests will be answered; `reason` where we did it, with the rate limit if there is one."""

    event: ClassVar[str] = "unchoked"
    neighbour: int
    by_us: bool
    reason: str | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Choked(TraceEvent):
    """Requests will not be answered any more; `reason` where we did it."""

    event: ClassVar[str] = "choked"
    neighbour: int
    by_us: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Interested(TraceEvent):
    """One side began (or ceased) to want something of the other."""

    event: ClassVar[str] = "interested"
    neighbour: int
    by_us: bool
    is_interested: bool


@dataclass(frozen=True, slots=True)
class Snubbed(TraceEvent):
    """A neighbour that unchoked us sends nothing."""

    event: ClassVar[str] = "snubbed"
    neighbour: int


@dataclass(frozen=True, slots=True)
class PieceCompleted(TraceEvent):
    """A piece is here, and its hash is right; `neighbours` sent its blocks."""

    event: ClassVar[str] = "piece_completed"
    level: ClassVar[Level] = Level.PIECES
    index: int
    have_count: int
    neighbours: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PieceForgotten(TraceEvent):
    """A piece came and its hash is right, but the strategy keeps none; `neighbours` sent its blocks."""

    event: ClassVar[str] = "piece_forgotten"
    level: ClassVar[Level] = Level.PIECES
    index: int
    neighbours: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PieceFailed(TraceEvent):
    """A piece came and its hash is wrong; `neighbours` sent its blocks."""

    event: ClassVar[str] = "piece_failed"
    index: int
    neighbours: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Completed(TraceEvent):
    """Every piece is here and right. Bytes of blocks; `wasted` came and were not needed, or were wrong."""

    event: ClassVar[str] = "completed"
    received: int
    sent: int
    wasted: int


@dataclass(frozen=True, slots=True)
class EndgameBegan(TraceEvent):
    """Every block that is missing has been asked for; from now on some are asked for more than once."""

    event: ClassVar[str] = "endgame_began"
    missing_blocks: int


@dataclass(frozen=True, slots=True)
class Banned(TraceEvent):
    """A host is not spoken to any more."""

    event: ClassVar[str] = "banned"
    host: str
    neighbour: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Announced(TraceEvent):
    """A tracker answered; counts are what it said."""

    event: ClassVar[str] = "announced"
    url: str
    peers: int
    complete: int | None
    incomplete: int | None
    interval: float
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Erred(TraceEvent):
    """Something went wrong and was survived: a message that breaks the protocol, a tracker away, a full disk."""

    event: ClassVar[str] = "error"
    what: str
    neighbour: int | None = None
    retry_in: float | None = None


@dataclass(frozen=True, slots=True)
class Lagged(TraceEvent):
    """The event loop came so many seconds late to what it does once a second; told from 5 ms on."""

    event: ClassVar[str] = "lagged"
    seconds: float


@dataclass(frozen=True, slots=True)
class Moved(TraceEvent):
    """Bytes of blocks since the last such fact: a triple (neighbour, received, sent) for each that moved any."""

    event: ClassVar[str] = "moved"
    bytes: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Left(TraceEvent):
    """The client is gone from the swarm. Bytes of blocks."""

    event: ClassVar[str] = "left"
    reason: str
    have_count: int
    received: int
    sent: int
    wasted: int


@dataclass(frozen=True, slots=True)
class BlockRequested(TraceEvent):
    """A block was asked for; `by_us`, or of us."""

    event: ClassVar[str] = "requested"
    level: ClassVar[Level] = Level.FULL
    neighbour: int
    by_us: bool
    index: int
    begin: int
    length: int


@dataclass(frozen=True, slots=True)
class BlockMoved(TraceEvent):
    """A block went to (`by_us`) or came from a neighbour; `is_needed` if it was not here yet."""

    event: ClassVar[str] = "block"
    level: ClassVar[Level] = Level.FULL
    neighbour: int
    by_us: bool
    index: int
    begin: int
    length: int
    is_needed: bool = True


@dataclass(frozen=True, slots=True)
class RequestEnded(TraceEvent):
    """A request will not be answered: `how` is cancelled, rejected, choked or overdue."""

    event: ClassVar[str] = "request_ended"
    level: ClassVar[Level] = Level.FULL
    neighbour: int
    by_us: bool
    index: int
    begin: int
    length: int
    how: str
