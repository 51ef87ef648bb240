"""What the trace of one host says that the wire could show: its connections, and on each the events in their order."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from contract.encoding import HEADER, check_header, make_event, parse, time_and_kind
from contract.events import (
    BlockMoved,
    BlockRequested,
    Choked,
    Completed,
    Connected,
    Disconnected,
    Handshaken,
    Interested,
    Joined,
    Lagged,
    Left,
    Moved,
    Opened,
    PieceCompleted,
    PieceFailed,
    PieceForgotten,
    TraceEvent,
    Unchoked,
)
from testbed.wiretap.messages import Endpoint

Detail: TypeAlias = tuple[int, ...]


class Fact(NamedTuple):
    """One event, in the words of the wire. Times are seconds after t = 0."""

    kind: str
    """`choke`, `unchoke`, `interested`, `not interested`, `request` or `piece`."""
    detail: Detail
    """Of a request or a block: piece, first byte, length."""
    t: float
    line: int
    """In the trace, from 1."""


class PieceFact(NamedTuple):
    """What became of a piece."""

    kind: str
    """`completed`, `forgotten` or `failed`."""
    piece: int
    senders: tuple[int, ...]
    """The connections that brought its blocks."""
    t: float
    line: int


@dataclass(slots=True)
class TracedConnection:
    """One connection, as the trace has it. `sent` and `received` are seen from its host."""

    neighbour: int
    endpoint: Endpoint
    """The other end."""
    is_outgoing: bool
    t: float
    line: int
    peer_id: str | None = None
    """Of the other end."""
    ended: float | None = None
    bytes_received: int = 0
    bytes_sent: int = 0
    moved_late: tuple[int, int] = (0, 0)
    """The part of the bytes, received and sent, that is counted by the last lines before the end."""
    received: list[Fact] = field(default_factory=list)
    sent: list[Fact] = field(default_factory=list)
    moves: list[tuple[float, int, int]] = field(default_factory=list)
    """The last lines about its bytes: time, received, sent."""

    def facts(self, *, by_us: bool) -> list[Fact]:
        """Return what was sent, or what was received."""
        return self.sent if by_us else self.received


@dataclass(slots=True)
class Life:
    """One life of a program: from a header to the next one."""

    t: float
    line: int
    strategy: str
    wall_offset: float | None
    """Seconds since 1970 at t = 0, as its header has them."""
    peer_ids: tuple[str, ...] = ()
    opened: float | None = None
    length: int = 0
    piece_length: int = 0
    piece_count: int = 0
    have_count: int = 0
    left: float | None = None
    completed: tuple[float, int] | None = None
    """When it had all pieces, and the line that says so."""
    connections: dict[int, TracedConnection] = field(default_factory=dict)
    """By their number, all that were made."""
    pieces: list[PieceFact] = field(default_factory=list)


@dataclass(slots=True)
class TracedHost:
    """Everything that one trace says about the wire."""

    name: str
    lives: list[Life] = field(default_factory=list)
    worst_lag: float = 0.0
    """How late its event loop was at most, in seconds."""
    last: float = 0.0
    """The time of its last line."""
    backward: list[tuple[int, float]] = field(default_factory=list)
    """The lines that are older than one above them, and by how much, where that is more than a wake-up can take."""

    @property
    def connections(self) -> list[TracedConnection]:
        """The connections of all lives, in the order in which they were made."""
        return [each for life in self.lives for each in life.connections.values()]


class TraceLineError(ValueError):
    """A line that is not one of a trace."""

    def __init__(self, line: int, problem: str) -> None:
        self.line: Final = line
        super().__init__(problem)


BACKWARD_SECONDS: Final = 0.05
"""An event has the time of its cause, so a line can be older than the one above it by as much as a wake-up takes."""
LAST_SECONDS: Final = 3.0
"""Bytes that were counted so shortly before a connection's end may not have left the kernel."""


def read_traced(name: str, lines: Iterable[bytes], t0: float, *, may_be_torn: bool = False) -> TracedHost:
    """Read a trace; `may_be_torn` if its program was killed and may have left half a line."""
    reader = _Reader(TracedHost(name), t0)
    for number, line in enumerate(lines, start=1):
        if may_be_torn and not line.endswith(b"\n"):
            break
        try:
            reader.take(number, line)
        except (TypeError, ValueError, KeyError) as error:
            raise TraceLineError(number, str(error)) from error
    return reader.host


class _Reader:
    def __init__(self, host: TracedHost, t0: float) -> None:
        self.host: Final = host
        self._t0 = t0
        self._t = self._latest = 0.0
        self._line = 0

    def take(self, number: int, line: bytes) -> None:
        self._line = number
        entries = parse(line)
        if not self.host.lives or entries.get("event") == HEADER:
            self._begin_life(check_header(entries))
            return
        t, kind = time_and_kind(entries)
        self._note_time(t - self._t0)
        handler = _HANDLERS.get(kind)
        if handler is not None:
            handler(self, make_event(kind, entries))

    def _note_time(self, t: float) -> None:
        self._t = self.host.last = t
        if self._latest - t > BACKWARD_SECONDS:
            self.host.backward.append((self._line, self._latest - t))
        self._latest = max(self._latest, t)

    def _begin_life(self, entries: Mapping[str, Any]) -> None:
        t, unix = float(entries["t"]), entries.get("unix")
        offset = float(unix) - t + self._t0 if isinstance(unix, int | float) else None
        self._t = self.host.last = self._latest = t - self._t0
        self.host.lives.append(Life(self._t, self._line, str(entries.get("strategy", "")), offset))

    @property
    def _life(self) -> Life:
        return self.host.lives[-1]

    def _connection(self, neighbour: int) -> TracedConnection:
        found = self._life.connections.get(neighbour)
        if found is None:
            raise ValueError(f"connection {neighbour} was never made")
        return found

    def joined(self, event: Joined) -> None:
        self._life.peer_ids = (event.peer_id, *(event.also or ()))

    def opened(self, event: Opened) -> None:
        life = self._life
        life.opened = self._t
        life.length, life.piece_length = event.length, event.piece_length
        life.piece_count, life.have_count = event.piece_count, event.have_count

    def connected(self, event: Connected) -> None:
        host, _, port = event.address.rpartition(":")
        endpoint = Endpoint(host.strip("[]"), int(port))
        made = TracedConnection(event.neighbour, endpoint, event.is_outgoing, self._t, self._line)
        self._life.connections[event.neighbour] = made

    def handshaken(self, event: Handshaken) -> None:
        self._connection(event.neighbour).peer_id = event.peer_id

    def disconnected(self, event: Disconnected) -> None:
        connection = self._connection(event.neighbour)
        connection.ended = self._t
        connection.bytes_received, connection.bytes_sent = event.received, event.sent
        late = [each for each in connection.moves if each[0] > self._t - LAST_SECONDS]
        connection.moved_late = (sum(each[1] for each in late), sum(each[2] for each in late))
        connection.moves = []

    def moved(self, event: Moved) -> None:
        for neighbour, received, sent in event.bytes:
            connection = self._connection(neighbour)
            if connection.ended is None:
                connection.bytes_received += received
                connection.bytes_sent += sent
                recent = [each for each in connection.moves if each[0] > self._t - LAST_SECONDS]
                connection.moves = [*recent, (self._t, received, sent)]

    def unchoked(self, event: Unchoked) -> None:
        self._add(event.neighbour, "unchoke", by_us=event.by_us)

    def choked(self, event: Choked) -> None:
        self._add(event.neighbour, "choke", by_us=event.by_us)

    def interested(self, event: Interested) -> None:
        self._add(event.neighbour, "interested" if event.is_interested else "not interested", by_us=event.by_us)

    def requested(self, event: BlockRequested) -> None:
        self._add(event.neighbour, "request", (event.index, event.begin, event.length), by_us=event.by_us)

    def block(self, event: BlockMoved) -> None:
        self._add(event.neighbour, "piece", (event.index, event.begin, event.length), by_us=event.by_us)

    def _add(self, neighbour: int, kind: str, detail: Detail = (), *, by_us: bool) -> None:
        fact = Fact(kind, detail, self._t, self._line)
        self._connection(neighbour).facts(by_us=by_us).append(fact)

    def piece_completed(self, event: PieceCompleted) -> None:
        self._life.pieces.append(PieceFact("completed", event.index, event.neighbours, self._t, self._line))

    def piece_forgotten(self, event: PieceForgotten) -> None:
        self._life.pieces.append(PieceFact("forgotten", event.index, event.neighbours, self._t, self._line))

    def piece_failed(self, event: PieceFailed) -> None:
        self._life.pieces.append(PieceFact("failed", event.index, event.neighbours, self._t, self._line))

    def completed(self, _event: Completed) -> None:
        self._life.completed = (self._t, self._line)

    def lagged(self, event: Lagged) -> None:
        self.host.worst_lag = max(self.host.worst_lag, event.seconds)

    def left(self, _event: Left) -> None:
        self._life.left = self._t


_HANDLERS: Final[Mapping[type[TraceEvent], Callable[[_Reader, Any], None]]] = {
    Joined: _Reader.joined,
    Opened: _Reader.opened,
    Connected: _Reader.connected,
    Handshaken: _Reader.handshaken,
    Disconnected: _Reader.disconnected,
    Moved: _Reader.moved,
    Unchoked: _Reader.unchoked,
    Choked: _Reader.choked,
    Interested: _Reader.interested,
    BlockRequested: _Reader.requested,
    BlockMoved: _Reader.block,
    PieceCompleted: _Reader.piece_completed,
    PieceForgotten: _Reader.piece_forgotten,
    PieceFailed: _Reader.piece_failed,
    Completed: _Reader.completed,
    Lagged: _Reader.lagged,
    Left: _Reader.left,
}
"""The events that can be seen on the wire, and those that say when."""
