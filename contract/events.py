"""The events of a trace, as typed classes; docs/trace.md describes them for readers.

Events are in the past tense and have no time: the trace adds it. `neighbour` is the number that a connection got when
it was made; within one life of a client, no number is used twice. `by_us` gives the direction: we did it, or the
neighbour did it to us.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar


class Level(IntEnum):
    """How detailed a trace is; each level includes those before it."""

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
    """The client runs, and listens on `port`. Peer ids are in hex; programs without peer ids give a name."""

    event: ClassVar[str] = "joined"
    peer_id: str
    info_hash: str
    port: int
    also: tuple[str, ...] | None = None
    """The peer ids of its other identities in hex, if it has any."""


@dataclass(frozen=True, slots=True)
class Opened(TraceEvent):
    """The torrent is known, and so is how much of it we already have."""

    event: ClassVar[str] = "opened"
    name: str
    length: int
    piece_length: int
    piece_count: int
    have_count: int


@dataclass(frozen=True, slots=True)
class Connected(TraceEvent):
    """A TCP connection was made; `is_outgoing` if we made it."""

    event: ClassVar[str] = "connected"
    neighbour: int
    address: str
    is_outgoing: bool


@dataclass(frozen=True, slots=True)
class DialFailed(TraceEvent):
    """A connection could not be made; `retry_in` seconds until the next try, None if there will be none."""

    event: ClassVar[str] = "dial_failed"
    address: str
    reason: str
    retry_in: float | None


@dataclass(frozen=True, slots=True)
class Encrypted(TraceEvent):
    """An encrypted handshake was exchanged; the stream goes on by this method: `rc4` or `plaintext`."""

    event: ClassVar[str] = "encrypted"
    neighbour: int
    method: str


@dataclass(frozen=True, slots=True)
class Handshaken(TraceEvent):
    """The handshakes were exchanged: the other end is in our swarm. Its peer id is in hex."""

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
    """Requests will be answered. Where we did it, with the reason, and the rate limit if there is one."""

    event: ClassVar[str] = "unchoked"
    neighbour: int
    by_us: bool
    reason: str | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Choked(TraceEvent):
    """Requests will not be answered any more; where we did it, with the reason."""

    event: ClassVar[str] = "choked"
    neighbour: int
    by_us: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Interested(TraceEvent):
    """One side became interested in the other, or lost interest."""

    event: ClassVar[str] = "interested"
    neighbour: int
    by_us: bool
    is_interested: bool


@dataclass(frozen=True, slots=True)
class Snubbed(TraceEvent):
    """A neighbour unchoked us and sends nothing."""

    event: ClassVar[str] = "snubbed"
    neighbour: int


@dataclass(frozen=True, slots=True)
class PieceCompleted(TraceEvent):
    """A piece is complete, and its hash is right; `neighbours` sent its blocks."""

    event: ClassVar[str] = "piece_completed"
    level: ClassVar[Level] = Level.PIECES
    index: int
    have_count: int
    neighbours: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PieceForgotten(TraceEvent):
    """A piece was received and its hash is right, but the strategy keeps no pieces; `neighbours` sent its blocks."""

    event: ClassVar[str] = "piece_forgotten"
    level: ClassVar[Level] = Level.PIECES
    index: int
    neighbours: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PieceFailed(TraceEvent):
    """A piece was received, and its hash is wrong; `neighbours` sent its blocks."""

    event: ClassVar[str] = "piece_failed"
    index: int
    neighbours: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Completed(TraceEvent):
    """All pieces are complete. Bytes of blocks; `wasted` ones were received and not needed, or were wrong."""

    event: ClassVar[str] = "completed"
    received: int
    sent: int
    wasted: int


@dataclass(frozen=True, slots=True)
class EndgameBegan(TraceEvent):
    """Every missing block has been requested; from now on some are requested more than once."""

    event: ClassVar[str] = "endgame_began"
    missing_blocks: int


@dataclass(frozen=True, slots=True)
class Banned(TraceEvent):
    """There will be no more connections with a host."""

    event: ClassVar[str] = "banned"
    host: str
    neighbour: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Announced(TraceEvent):
    """A tracker answered; the counts are from its answer. The DHT, whose `url` is `dht`, knows only peers."""

    event: ClassVar[str] = "announced"
    url: str
    peers: int
    complete: int | None
    incomplete: int | None
    interval: float
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Erred(TraceEvent):
    """An error from which the client recovered: a message against the protocol, a silent tracker, a full disk."""

    event: ClassVar[str] = "error"
    what: str
    neighbour: int | None = None
    retry_in: float | None = None


@dataclass(frozen=True, slots=True)
class Lagged(TraceEvent):
    """The event loop was late for its task of every second, by 5 ms or more."""

    event: ClassVar[str] = "lagged"
    seconds: float


@dataclass(frozen=True, slots=True)
class Moved(TraceEvent):
    """Bytes of blocks since the last such event: (neighbour, received, sent) for each neighbour that moved any.

    Neighbour 0 (`TOGETHER`) is no connection: it has what a program does not tell apart.
    """

    event: ClassVar[str] = "moved"
    bytes: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Left(TraceEvent):
    """The client left the swarm. Bytes of blocks in this life."""

    event: ClassVar[str] = "left"
    reason: str
    have_count: int
    received: int
    sent: int
    wasted: int


@dataclass(frozen=True, slots=True)
class BlockRequested(TraceEvent):
    """A block was requested: by us of the neighbour, or by the neighbour of us."""

    event: ClassVar[str] = "requested"
    level: ClassVar[Level] = Level.FULL
    neighbour: int
    by_us: bool
    index: int
    begin: int
    length: int


@dataclass(frozen=True, slots=True)
class BlockMoved(TraceEvent):
    """A block was sent (`by_us`) or received; a received one `is_needed` if we did not have it yet."""

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
    """A request was given up: `how` is cancelled, rejected, choked or overdue. Its block may still arrive."""

    event: ClassVar[str] = "request_ended"
    level: ClassVar[Level] = Level.FULL
    neighbour: int
    by_us: bool
    index: int
    begin: int
    length: int
    how: str
