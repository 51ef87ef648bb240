"""One application's trace, read whole and added up.

A trace can have a line for every second of every peer, so only sums are kept: bytes for each connection and for each
second, times of what happens once. Events that are not known here are passed over, so that a newer application can say
more. A line that cannot be read is damage, but for the last one of an application that was killed while it wrote.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import floor
from pathlib import Path
from typing import Any, Final, TypeAlias

from testbed.runfolder.damage import DamageError
from testbed.runfolder.moved_lines import MovedLines

VERSION: Final = 1

Entry: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Stopwatch:
    """For how long something was so, all times together."""

    total: float | None = None
    """None if it never was."""
    since: float | None = None

    def start(self, t: float) -> None:
        """It is so from now on, if it was not already."""
        if self.since is None:
            self.since = t

    def stop(self, t: float) -> None:
        """It is not so any more."""
        if self.since is not None:
            self.total = (self.total or 0.0) + max(0.0, t - self.since)
            self.since = None


@dataclass(slots=True)
class Contact:
    """One connection, added up."""

    address: str
    peer_id: str | None = None
    received: int = 0
    sent: int = 0
    sent_as_leech: int = 0
    """Before we had the whole file."""
    giving: Stopwatch = field(default_factory=Stopwatch)
    """The other end was unchoked."""
    given: Stopwatch = field(default_factory=Stopwatch)
    """We were."""

    def stop(self, t: float) -> None:
        """The connection has ended."""
        self.giving.stop(t)
        self.given.stop(t)


@dataclass(frozen=True, slots=True)
class Opening:
    """The file was known, and how much of it was here."""

    t: float
    piece_count: int
    have_count: int


@dataclass(slots=True)
class HostTrace:
    """What one application went through. Times are seconds after t = 0 of the trial; bytes are of blocks."""

    peer_ids: list[str] = field(default_factory=list)
    """One for each life."""
    joins: list[float] = field(default_factory=list)
    """When each life began."""
    openings: list[Opening] = field(default_factory=list)
    completed: float | None = None
    lefts: list[float] = field(default_factory=list)
    """When each life ended; one less than `joins` if the application was not there to tell."""
    why_left: str | None = None
    wasted: int = 0
    received: int = 0
    sent: int = 0
    moved: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Bytes received and sent, by the second in which it was told: 3 is from t = 3 on."""
    pieces: list[tuple[float, int]] = field(default_factory=list)
    """When which piece was completed; empty below the level `pieces`."""
    contacts: list[Contact] = field(default_factory=list)
    failed_pieces: int = 0
    bans: int = 0
    errors: int = 0
    last: float = 0.0
    """The time of the last line."""

    @property
    def has_left(self) -> bool:
        """Whether it left the swarm, and has not come back."""
        return bool(self.lefts) and len(self.lefts) == len(self.joins)


def read_trace(file: Path, t0: float, end: float, *, may_be_torn: bool = False) -> HostTrace:
    """Read the trace of a trial that began at `t0` and ended at `end`, both of the clock that the trace has."""
    reader = _Reader(t0)
    number = 0
    try:
        for number, line in enumerate(_lines(file), start=1):
            if may_be_torn and not line.endswith(b"\n"):
                break
            reader.take(number, line)
        reader.end_life(end - t0)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damage(file, number, error) from error
    if not number and not may_be_torn:
        raise DamageError(file, "is empty, though its application ended well")
    return reader.trace


def _lines(file: Path) -> Iterator[bytes]:
    try:
        with gzip.open(file, "rb") as stream:
            yield from stream
    except FileNotFoundError as error:
        raise DamageError(file, "is missing") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DamageError(file, f"is cut short or spoilt: {error}") from error


class UnknownConnectionError(ValueError):
    """A line tells of a connection that was never made."""

    def __init__(self, line: int, key: int) -> None:
        self.line = line
        super().__init__(f"connection {key} was never made")


def _damage(file: Path, number: int, error: Exception) -> DamageError:
    if isinstance(error, UnknownConnectionError):
        number = error.line
    reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    return DamageError(file, f"is not a line of a trace: {reason}", number)


class _Reader:
    """Adds up the lines of a trace in their order."""

    def __init__(self, t0: float) -> None:
        self.trace = HostTrace()
        self._t0 = t0
        self._line = 0
        self._t = 0.0
        self._is_begun = False
        self._wasted = 0
        self._waiting = MovedLines(t0)
        self._by_key: dict[int, Contact] = {}
        """The connections of this life."""
        self._standing: set[int] = set()
        """Those that have not ended."""
        self._is_leech = False
        self._takers: Mapping[str, Callable[[Entry], None]] = {
            "trace": self._begin_life,
            "joined": self._join,
            "opened": self._open,
            "connected": self._connect,
            "handshaken": self._know,
            "disconnected": self._disconnect,
            "unchoked": self._unchoke,
            "choked": self._choke,
            "moved": self._move,
            "piece_completed": self._complete_piece,
            "completed": self._complete,
            "piece_failed": lambda _: self._count("failed_pieces"),
            "banned": lambda _: self._count("bans"),
            "error": lambda _: self._count("errors"),
            "left": self._leave,
        }

    def take(self, number: int, line: bytes) -> None:
        """Take one line; most are of the kind that waits, until it matters who moved how much."""
        self._line = number
        t = self._waiting.took(number, line)
        if t is not None:
            self._t = self.trace.last = t
            return
        entry = json.loads(line)
        event = entry["event"]
        self._t = self.trace.last = entry["t"] - self._t0
        if not self._is_begun and event != "trace":
            raise ValueError("the header comes first")
        taker = self._takers.get(event)
        if taker is not None:
            taker(entry)

    def end_life(self, end: float) -> None:
        """Connections end with the life that made them, and their numbers begin anew.

        What was going on is counted until the host left, or until the last line of one that died.
        """
        self._read_waiting()
        self._end_leeching()
        t = min(self.trace.lefts[-1] if self.trace.has_left else self._t, end)
        for contact in self._by_key.values():
            contact.stop(t)
        self._by_key = {}
        self._standing = set()
        self.trace.wasted += self._wasted
        self._wasted = 0

    def _begin_life(self, entry: Entry) -> None:
        if entry["version"] != VERSION:
            raise ValueError(f"the trace is of version {entry['version']}, and this testbed reads version {VERSION}")
        self.end_life(self._t)
        self._is_begun = True

    def _read_waiting(self) -> None:
        """Add what the lines that wait tell of connections that stand; those that ended have told it themselves."""
        moves = self._waiting.read()
        if unknown := moves.first_line_beyond(set(self._by_key)):
            raise UnknownConnectionError(*unknown)
        told = moves.only(self._standing)
        for key, received, sent in told.by_key():
            self._by_key[key].received += received
            self._by_key[key].sent += sent
        for second, received, sent in told.by_second():
            self._add(second, received, sent)

    def _add(self, second: int, received: int, sent: int) -> None:
        before = self.trace.moved.get(second, (0, 0))
        self.trace.moved[second] = (before[0] + received, before[1] + sent)
        self.trace.received += received
        self.trace.sent += sent

    def _move(self, entry: Entry) -> None:
        """Take a line that is written otherwise than our programs write it."""
        for key, received, sent in entry["bytes"]:
            contact = self._contact(key)
            if key in self._standing:
                contact.received += received
                contact.sent += sent
                self._add(floor(self._t), received, sent)

    def _contact(self, key: int) -> Contact:
        if key not in self._by_key:
            raise UnknownConnectionError(self._line, key)
        return self._by_key[key]

    def _join(self, entry: Entry) -> None:
        self.trace.peer_ids.append(entry["peer_id"])
        self.trace.joins.append(self._t)

    def _open(self, entry: Entry) -> None:
        opening = Opening(self._t, entry["piece_count"], entry["have_count"])
        self.trace.openings.append(opening)
        self._is_leech = opening.have_count < opening.piece_count

    def _connect(self, entry: Entry) -> None:
        contact = Contact(entry["address"])
        self._by_key[entry["neighbour"]] = contact
        self._standing.add(entry["neighbour"])
        self.trace.contacts.append(contact)

    def _know(self, entry: Entry) -> None:
        self._contact(entry["neighbour"]).peer_id = entry["peer_id"]

    def _disconnect(self, entry: Entry) -> None:
        """Take the connection's own count: what it moved since the last `moved` may be told before, after, or never."""
        self._read_waiting()
        contact = self._contact(entry["neighbour"])
        contact.stop(self._t)
        received, sent = max(0, entry["received"] - contact.received), max(0, entry["sent"] - contact.sent)
        contact.received += received
        contact.sent += sent
        self._add(floor(self._t), received, sent)
        self._standing.discard(entry["neighbour"])

    def _unchoke(self, entry: Entry) -> None:
        self._watch(entry).start(self._t)

    def _choke(self, entry: Entry) -> None:
        self._watch(entry).stop(self._t)

    def _watch(self, entry: Entry) -> Stopwatch:
        contact = self._contact(entry["neighbour"])
        return contact.giving if entry["by_us"] else contact.given

    def _complete_piece(self, entry: Entry) -> None:
        self.trace.pieces.append((self._t, entry["index"]))

    def _complete(self, entry: Entry) -> None:
        self._wasted = entry["wasted"]
        self._read_waiting()
        self._end_leeching()
        if self.trace.completed is None:
            self.trace.completed = self._t

    def _end_leeching(self) -> None:
        """What was sent until now was sent without the whole file."""
        if self._is_leech:
            for contact in self._by_key.values():
                contact.sent_as_leech = contact.sent
        self._is_leech = False

    def _leave(self, entry: Entry) -> None:
        self._wasted = entry["wasted"]
        self.trace.lefts.append(self._t)
        self.trace.why_left = entry["reason"]

    def _count(self, name: str) -> None:
        setattr(self.trace, name, getattr(self.trace, name) + 1)
