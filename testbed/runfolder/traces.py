"""One application's trace, read completely and added up.

A trace can have a line for every second of every peer, so only sums are kept: bytes for each connection and for each
second, and the times of what happens once. Every event of the contract is either handled here or ignored on purpose. A
line that is not an event of the contract is damage, except for the last line of an application that was killed while it
wrote.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import floor
from pathlib import Path
from typing import Any, Final

from contract.encoding import HEADER, check_header, make_event, parse, time_and_kind
from contract.events import (
    Announced,
    Banned,
    BlockMoved,
    BlockRequested,
    Choked,
    Completed,
    Connected,
    DialFailed,
    Disconnected,
    Encrypted,
    EndgameBegan,
    Erred,
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
    RequestEnded,
    Snubbed,
    TraceEvent,
    Unchoked,
)
from contract.overlay_events import OVERLAY_EVENTS, Spent
from contract.programs import TOGETHER, UNTOLD
from testbed.runfolder.damage import DamageError
from testbed.runfolder.moved_lines import MovedLines
from testbed.runfolder.trace_lines import trace_lines


@dataclass(slots=True)
class Stopwatch:
    """The time that a state lasted, all its periods together."""

    total: float | None = None
    """None if the state never was."""
    since: float | None = None

    def start(self, t: float) -> None:
        """Begin a period, unless one has begun."""
        if self.since is None:
            self.since = t

    def stop(self, t: float) -> None:
        """End the period, if one has begun."""
        if self.since is not None:
            self.total = (self.total or 0.0) + max(0.0, t - self.since)
            self.since = None


@dataclass(slots=True)
class ConnectionTotals:
    """One connection, added up; bytes are of blocks."""

    address: str
    peer_id: str | None = None
    received: int = 0
    sent: int = 0
    sent_as_leech: int = 0
    """Before we had the whole file."""
    unchoked_by_us: Stopwatch = field(default_factory=Stopwatch)
    unchoked_by_them: Stopwatch = field(default_factory=Stopwatch)

    def stop(self, t: float) -> None:
        """End the connection."""
        self.unchoked_by_us.stop(t)
        self.unchoked_by_them.stop(t)


@dataclass(frozen=True, slots=True)
class InitialPieces:
    """How many pieces an application had when it knew the torrent."""

    t: float
    piece_count: int
    have_count: int


@dataclass(slots=True)
class HostTrace:
    """The life of one application, added up. Times are seconds after t = 0 of the trial; bytes are of blocks.

    An application that leaves and comes back begins another life, with a header of its own.
    """

    program: str = ""
    """What wrote it: name and version."""
    untold: frozenset[str] = frozenset()
    """What that program does not tell: words of the contract's UNTOLD."""
    peer_ids: list[str] = field(default_factory=list)
    """One for each life."""
    join_times: list[float] = field(default_factory=list)
    """When each life began."""
    initial_pieces: list[InitialPieces] = field(default_factory=list)
    first_neighbour: float | None = None
    """When it had exchanged handshakes with another for the first time."""
    completed: float | None = None
    leave_times: list[float] = field(default_factory=list)
    """When each life ended; one fewer than `join_times` if the application was killed."""
    leave_reason: str | None = None
    wasted: int = 0
    received: int = 0
    sent: int = 0
    by_second: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Bytes received and sent, by the second in which the line was written: 3 is from t = 3 on."""
    pieces: list[tuple[float, int]] = field(default_factory=list)
    """The time and index of each completed piece; empty below the level `pieces`."""
    connections: list[ConnectionTotals] = field(default_factory=list)
    failed_pieces: int = 0
    bans: int = 0
    errors: int = 0
    dht_sent: int | None = None
    """Bytes of messages that its node of the DHT sent, if it told of any."""
    last: float = 0.0
    """The time of the last line."""

    @property
    def has_left(self) -> bool:
        """Whether it left the swarm, and has not come back."""
        return bool(self.leave_times) and len(self.leave_times) == len(self.join_times)


def read_trace(file: Path, t0: float, end: float, *, may_be_torn: bool = False) -> HostTrace:
    """Read the trace of a trial that began at `t0` and ended at `end`, both on the clock of the trace."""
    reader = _Reader(t0)
    number = 0
    try:
        for number, line in enumerate(trace_lines(file), start=1):
            if may_be_torn and not line.endswith(b"\n"):
                break
            reader.take(number, line)
        reader.end_life(end - t0)
    except (TypeError, ValueError) as error:
        raise _damage(file, number, error) from error
    if not number and not may_be_torn:
        raise DamageError(file, "is empty, though its application ended well")
    return reader.trace


class UnknownConnectionError(ValueError):
    """A line names a connection that was never made."""

    def __init__(self, line: int, key: int) -> None:
        self.line = line
        super().__init__(f"connection {key} was never made")


def _damage(file: Path, number: int, error: Exception) -> DamageError:
    if isinstance(error, UnknownConnectionError):
        number = error.line
    return DamageError(file, f"is not a line of a trace: {error}", number)


def _untold(header: Mapping[str, Any]) -> frozenset[str]:
    """Return what the program of a trace does not tell; raises ValueError for a word that the contract lacks."""
    words = header.get("untold", [])
    if not isinstance(words, list) or any(word not in UNTOLD for word in words):
        raise ValueError(f"expected `untold` as a list of {', '.join(UNTOLD)}, found {words!r}")
    return frozenset(words)


class _Reader:
    """Adds up the lines of a trace in their order."""

    def __init__(self, t0: float) -> None:
        self.trace = HostTrace()
        self._t0 = t0
        self._line = 0
        self._t = 0.0
        self._has_header = False
        self._wasted = 0
        self._moved_lines = MovedLines(t0)
        self._by_key: dict[int, ConnectionTotals] = {}
        """The connections of this life by their number, and TOGETHER for what is of none of them."""
        self._open: set[int] = set()
        """The numbers of those that have not ended."""
        self._forget_connections()
        self._is_leech = False

    def take(self, number: int, line: bytes) -> None:
        """Take one line. Most are `moved`: these are collected until it matters who moved how much."""
        self._line = number
        t = self._moved_lines.collect(number, line) if self._has_header else None
        if t is not None:
            self._t = self.trace.last = t
            return
        entries = parse(line)
        if not self._has_header or entries.get("event") == HEADER:
            self._begin_life(entries)
            return
        t, kind = time_and_kind(entries)
        self._t = self.trace.last = t - self._t0
        if kind not in IGNORED:
            _HANDLERS[kind](self, make_event(kind, entries))

    def end_life(self, end: float) -> None:
        """End the connections of this life: in the next one their numbers begin at 1 again.

        What was still going on is counted until the application left, or until the last line of one that was killed.
        """
        self._read_moved_lines()
        self._end_leeching()
        t = min(self.trace.leave_times[-1] if self.trace.has_left else self._t, end)
        for connection in self._by_key.values():
            connection.stop(t)
        self._forget_connections()
        self.trace.wasted += self._wasted
        self._wasted = 0

    def _forget_connections(self) -> None:
        self._by_key = {TOGETHER: ConnectionTotals("")}
        self._open = {TOGETHER}

    def _begin_life(self, entries: dict[str, Any]) -> None:
        self._t = self.trace.last = float(check_header(entries)["t"]) - self._t0
        self.end_life(self._t)
        self._has_header = True
        self.trace.program = str(entries.get("program", ""))
        self.trace.untold = _untold(entries)

    def _read_moved_lines(self) -> None:
        """Add what the collected lines say of open connections; ended ones gave their totals when they ended."""
        moved = self._moved_lines.read()
        if unknown := moved.first_line_beyond(set(self._by_key)):
            raise UnknownConnectionError(*unknown)
        of_open = moved.only(self._open)
        for key, received, sent in of_open.by_key():
            self._by_key[key].received += received
            self._by_key[key].sent += sent
        for second, received, sent in of_open.by_second():
            self._add(second, received, sent)

    def _add(self, second: int, received: int, sent: int) -> None:
        before = self.trace.by_second.get(second, (0, 0))
        self.trace.by_second[second] = (before[0] + received, before[1] + sent)
        self.trace.received += received
        self.trace.sent += sent

    def _connection(self, key: int) -> ConnectionTotals:
        if key not in self._by_key:
            raise UnknownConnectionError(self._line, key)
        return self._by_key[key]

    def moved(self, event: Moved) -> None:
        """Add a line that is written otherwise than the encoder writes it."""
        for key, received, sent in event.bytes:
            connection = self._connection(key)
            if key in self._open:
                connection.received += received
                connection.sent += sent
                self._add(floor(self._t), received, sent)

    def joined(self, event: Joined) -> None:
        self.trace.peer_ids.append(event.peer_id)
        self.trace.join_times.append(self._t)

    def opened(self, event: Opened) -> None:
        self.trace.initial_pieces.append(InitialPieces(self._t, event.piece_count, event.have_count))
        self._is_leech = event.have_count < event.piece_count

    def connected(self, event: Connected) -> None:
        connection = ConnectionTotals(event.address)
        self._by_key[event.neighbour] = connection
        self._open.add(event.neighbour)
        self.trace.connections.append(connection)

    def handshaken(self, event: Handshaken) -> None:
        self._connection(event.neighbour).peer_id = event.peer_id
        if self.trace.first_neighbour is None:
            self.trace.first_neighbour = self._t

    def disconnected(self, event: Disconnected) -> None:
        """Use the connection's own totals: a `moved` with its last bytes may come before, later, or never."""
        self._read_moved_lines()
        connection = self._connection(event.neighbour)
        connection.stop(self._t)
        received, sent = max(0, event.received - connection.received), max(0, event.sent - connection.sent)
        connection.received += received
        connection.sent += sent
        self._add(floor(self._t), received, sent)
        self._open.discard(event.neighbour)

    def unchoked(self, event: Unchoked) -> None:
        self._stopwatch(event).start(self._t)

    def choked(self, event: Choked) -> None:
        self._stopwatch(event).stop(self._t)

    def _stopwatch(self, event: Unchoked | Choked) -> Stopwatch:
        connection = self._connection(event.neighbour)
        return connection.unchoked_by_us if event.by_us else connection.unchoked_by_them

    def piece_completed(self, event: PieceCompleted) -> None:
        self.trace.pieces.append((self._t, event.index))

    def completed(self, event: Completed) -> None:
        self._wasted = event.wasted
        self._read_moved_lines()
        self._end_leeching()
        if self.trace.completed is None:
            self.trace.completed = self._t

    def _end_leeching(self) -> None:
        """Note that what was sent until now was sent without the whole file."""
        if self._is_leech:
            for connection in self._by_key.values():
                connection.sent_as_leech = connection.sent
        self._is_leech = False

    def piece_failed(self, _event: PieceFailed) -> None:
        self.trace.failed_pieces += 1

    def banned(self, _event: Banned) -> None:
        self.trace.bans += 1

    def erred(self, _event: Erred) -> None:
        self.trace.errors += 1

    def spent(self, event: Spent) -> None:
        self.trace.dht_sent = (self.trace.dht_sent or 0) + sum(sent for _, _, sent in event.sent)

    def left(self, event: Left) -> None:
        self._wasted = event.wasted
        self.trace.leave_times.append(self._t)
        self.trace.leave_reason = event.reason


_HANDLERS: Final[Mapping[type[TraceEvent], Callable[[_Reader, Any], None]]] = {
    Joined: _Reader.joined,
    Opened: _Reader.opened,
    Connected: _Reader.connected,
    Handshaken: _Reader.handshaken,
    Disconnected: _Reader.disconnected,
    Unchoked: _Reader.unchoked,
    Choked: _Reader.choked,
    Moved: _Reader.moved,
    PieceCompleted: _Reader.piece_completed,
    PieceFailed: _Reader.piece_failed,
    Completed: _Reader.completed,
    Banned: _Reader.banned,
    Erred: _Reader.erred,
    Spent: _Reader.spent,
    Left: _Reader.left,
}
HANDLED: Final = frozenset(_HANDLERS)
"""The events that tables are made of."""
IGNORED: Final[frozenset[type[TraceEvent]]] = (OVERLAY_EVENTS - {Spent}) | frozenset(
    {
        Announced,
        BlockMoved,
        BlockRequested,
        DialFailed,
        Encrypted,
        EndgameBegan,
        Interested,
        Lagged,
        PieceForgotten,
        RequestEnded,
        Snubbed,
    }
)
"""The events that no table of who distributes is made of. Their fields are not checked: a full trace has very many."""
