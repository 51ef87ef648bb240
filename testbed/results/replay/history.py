"""One host's trace as a history: its lives, its pieces, and what happened on each of its connections.

Times are seconds after t = 0 of the trial. Traces say once a second how much moved, so that is the precision of rates;
chokes, interest and pieces have the times of their events.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from contract.events import (
    Choked,
    Completed,
    Connected,
    Disconnected,
    Handshaken,
    Interested,
    Joined,
    Left,
    Moved,
    Opened,
    PieceCompleted,
    TraceEvent,
    Unchoked,
)

Timed: TypeAlias = tuple[float, TraceEvent]

CHOKED: Final = 0
UNCHOKED: Final = 1
OPTIMISTIC: Final = 2
"""What a giver allows a receiver; from the lowest to the highest."""
_OPTIMISTIC_REASON: Final = "optimistic"
_MOVED_EVERY: Final = 1.0
"""Seconds between two `moved` lines, if anything moves all the time."""


class Bytes(NamedTuple):
    """Payload that moved between two times."""

    begin: float
    end: float
    payload: int


class Change(NamedTuple):
    """A state that began at a time."""

    t: float
    state: int


@dataclass(slots=True)
class Flow:
    """One direction of a connection, as one of its ends saw it."""

    moved: list[Bytes] = field(default_factory=list)
    slots: list[Change] = field(default_factory=list)
    """Whether the giver lets the receiver request."""
    wants: list[Change] = field(default_factory=list)
    """Whether the receiver is interested: 1 or 0."""

    def end(self, t: float) -> None:
        """Close what is open."""
        for changes in (self.slots, self.wants):
            if changes and changes[-1].state:
                changes.append(Change(t, 0))


@dataclass(slots=True)
class Connection:
    """A connection to another host."""

    address: str
    peer_id: str | None = None
    given: Flow = field(default_factory=Flow)
    taken: Flow = field(default_factory=Flow)

    def end(self, t: float) -> None:
        """End both directions."""
        self.given.end(t)
        self.taken.end(t)


class Start(NamedTuple):
    """What a client had when it knew the file."""

    t: float
    have: int
    pieces: int
    bytes: int


@dataclass(slots=True)
class History:
    """What one host did and saw."""

    peer_ids: list[str] = field(default_factory=list)
    lives: list[tuple[float, float | None]] = field(default_factory=list)
    """When it joined, and when it left; None for the end of a program that did not say that it left."""
    starts: list[Start] = field(default_factory=list)
    pieces: list[tuple[float, int]] = field(default_factory=list)
    completed: float | None = None
    connections: list[Connection] = field(default_factory=list)
    last: float = 0.0


def history_of(events: Iterable[Timed]) -> History:
    """Follow the events of one host; those about connections that were never made are passed over."""
    follower = _Follower()
    for t, event in events:
        follower.follow(t, event)
    follower.end_life()
    return follower.history


class _Follower:
    def __init__(self) -> None:
        self.history = History()
        self._t = 0.0
        self._moved_at = 0.0
        self._open: dict[int, Connection] = {}

    def follow(self, t: float, event: TraceEvent) -> None:
        self._t = self.history.last = t
        act = _ACTS.get(type(event))
        if act is not None:
            act(self, event)

    def end_life(self) -> None:
        """Forget the connections: numbers begin again in the next life."""
        for connection in self._open.values():
            connection.end(self._t)
        self._open = {}

    def joined(self, event: Joined) -> None:
        self.end_life()
        self._moved_at = self._t
        self.history.peer_ids += [event.peer_id, *(event.also or ())]
        self.history.lives.append((self._t, None))

    def left(self, _event: Left) -> None:
        if self.history.lives:
            self.history.lives[-1] = (self.history.lives[-1][0], self._t)

    def opened(self, event: Opened) -> None:
        self.history.starts.append(Start(self._t, event.have_count, event.piece_count, event.length))

    def connected(self, event: Connected) -> None:
        connection = self._open[event.neighbour] = Connection(event.address)
        self.history.connections.append(connection)

    def handshaken(self, event: Handshaken) -> None:
        if connection := self._open.get(event.neighbour):
            connection.peer_id = event.peer_id

    def disconnected(self, event: Disconnected) -> None:
        connection = self._open.pop(event.neighbour, None)
        if connection is not None:
            for flow, total in ((connection.taken, event.received), (connection.given, event.sent)):
                self._move(flow, total - sum(moved.payload for moved in flow.moved))
            connection.end(self._t)

    def unchoked(self, event: Unchoked) -> None:
        is_optimistic = event.reason == _OPTIMISTIC_REASON
        self._allow(event.neighbour, OPTIMISTIC if is_optimistic else UNCHOKED, by_us=event.by_us)

    def choked(self, event: Choked) -> None:
        self._allow(event.neighbour, CHOKED, by_us=event.by_us)

    def _allow(self, neighbour: int, state: int, *, by_us: bool) -> None:
        if connection := self._open.get(neighbour):
            flow = connection.given if by_us else connection.taken
            flow.slots.append(Change(self._t, state))

    def interested(self, event: Interested) -> None:
        if connection := self._open.get(event.neighbour):
            flow = connection.taken if event.by_us else connection.given
            flow.wants.append(Change(self._t, int(event.is_interested)))

    def moved(self, event: Moved) -> None:
        for neighbour, received, sent in event.bytes:
            if connection := self._open.get(neighbour):
                self._move(connection.taken, received)
                self._move(connection.given, sent)
        self._moved_at = self._t

    def _move(self, flow: Flow, count: int) -> None:
        if count > 0:
            flow.moved.append(Bytes(max(self._moved_at, self._t - _MOVED_EVERY), self._t, count))

    def piece_completed(self, event: PieceCompleted) -> None:
        self.history.pieces.append((self._t, event.index))

    def completed(self, _event: Completed) -> None:
        if self.history.completed is None:
            self.history.completed = self._t


_ACTS: Final[Mapping[type[TraceEvent], Callable[[_Follower, Any], None]]] = {
    Joined: _Follower.joined,
    Left: _Follower.left,
    Opened: _Follower.opened,
    Connected: _Follower.connected,
    Handshaken: _Follower.handshaken,
    Disconnected: _Follower.disconnected,
    Unchoked: _Follower.unchoked,
    Choked: _Follower.choked,
    Interested: _Follower.interested,
    Moved: _Follower.moved,
    PieceCompleted: _Follower.piece_completed,
    Completed: _Follower.completed,
}
FOLLOWED: Final = frozenset(_ACTS)
"""The events that a history is made of."""
