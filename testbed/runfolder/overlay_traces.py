"""The trace of one node of an overlay, read completely and added up: what it looked for, sent, and kept.

Every event of `contract.overlay_events` is handled here. Any other line but `lagged` is damage, except for the last
line of a program that was killed while it wrote.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from contract.encoding import HEADER, check_header, make_event, parse, time_and_kind
from contract.events import Lagged, TraceEvent
from contract.overlay_events import (
    UPKEEP,
    AnswerCame,
    DownloadAsked,
    DownloadBegan,
    DownloadEnded,
    MessageCame,
    MessageSent,
    NodeErred,
    NodeJoined,
    NodeLeft,
    NodeState,
    SearchBegan,
    SearchEnded,
    Spent,
    UploadEnded,
    UploadQueued,
)
from testbed.runfolder.damage import DamageError
from testbed.runfolder.trace_lines import trace_lines


@dataclass(slots=True)
class Life:
    """A time in which a node took part. Times are seconds after t = 0 of the trial."""

    begin: float
    node: str
    """Its identifier in this life."""
    end: float | None = None
    """None if it never said that it left."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a search."""

    t: float
    item: str
    holder: str
    """host:port."""
    hops: int | None = None


@dataclass(slots=True)
class TracedSearch:
    """What the node that asked says of a search."""

    began: float
    answers: list[Answer] = field(default_factory=list)
    ended: float | None = None
    outcome: str = ""
    """Empty until it ended."""
    hops: int | None = None
    timeouts: int = 0


@dataclass(slots=True)
class TracedDownload:
    """What the node that wants a file says of it."""

    asked: float
    item: str
    holder: str
    """host:port."""
    claimed: int
    """The participation level."""
    began: float | None = None
    ended: float | None = None
    outcome: str = ""
    """Empty until it ended."""
    bytes: int | None = None
    why: str = ""


@dataclass(slots=True)
class Traffic:
    """Messages, and their bytes without headers of UDP and TCP."""

    messages: int = 0
    bytes: int = 0

    def add(self, messages: int, count: int) -> None:
        self.messages += messages
        self.bytes += count


@dataclass(frozen=True, slots=True)
class State:
    """What a node kept at a time."""

    t: float
    neighbours: tuple[str, ...]
    """host:port of each."""
    entries: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a search that was followed, as one of its ends told of it."""

    t: float
    """When it was sent, or when it came."""
    other: str
    """host:port of the other end."""
    kind: str
    has_come: bool
    """Whether it came; otherwise it was sent."""


@dataclass(slots=True)
class OverlayTrace:
    """All lives of one program, added up."""

    program: str = ""
    lives: list[Life] = field(default_factory=list)
    searches: dict[str, TracedSearch] = field(default_factory=dict)
    downloads: dict[str, TracedDownload] = field(default_factory=dict)
    """Its own, by the search that found the file."""
    queued: dict[str, float] = field(default_factory=dict)
    """When requests for its files came, by the search that each names."""
    uploaded: int = 0
    """Bytes of files that it sent."""
    sent: dict[str, Traffic] = field(default_factory=dict)
    """By the search that made it send, as far as it knew."""
    charged: dict[str, Traffic] = field(default_factory=dict)
    """By its own searches, what others sent for them and counted as upkeep."""
    received: Traffic = field(default_factory=Traffic)
    messages: dict[str, list[Message]] = field(default_factory=dict)
    """By search, of those that were followed."""
    states: list[State] = field(default_factory=list)
    errors: int = 0
    leave_reason: str | None = None
    last: float = 0.0
    """The time of the last line."""

    @property
    def all_sent(self) -> Traffic:
        """What it sent for searches and upkeep together."""
        return Traffic(
            sum(each.messages for each in self.sent.values()), sum(each.bytes for each in self.sent.values())
        )

    @property
    def upkeep(self) -> Traffic:
        """What it sent for no search, as far as it knew."""
        return self.sent.get(UPKEEP, Traffic())

    def presence(self, end: float) -> Iterator[tuple[float, float]]:
        """Yield the times in which it took part; a life without an end lasts until its last line, or `end` if later."""
        for life in self.lives:
            yield max(0.0, life.begin), max(life.begin, end if life.end is None else life.end)


def read_overlay_trace(file: Path, t0: float, *, may_be_torn: bool = False) -> OverlayTrace:
    """Read the trace of a node in a trial that began at `t0` on the clock of the trace."""
    reader = _Reader(t0)
    try:
        for line in trace_lines(file):
            if may_be_torn and not line.endswith(b"\n"):
                break
            reader.take(line)
    except (TypeError, ValueError) as error:
        raise DamageError(file, f"is not a line of a trace: {error}", reader.lines) from error
    if not reader.lines and not may_be_torn:
        raise DamageError(file, "is empty, though its application ended well")
    return reader.trace


class _Reader:
    """Adds up the lines of a trace in their order."""

    def __init__(self, t0: float) -> None:
        self.trace: Final = OverlayTrace()
        self.lines = 0
        """How many it was given."""
        self._t0: Final = t0
        self._t = 0.0
        self._has_header = False

    def take(self, line: bytes) -> None:
        self.lines += 1
        entries = parse(line)
        if not self._has_header or entries.get("event") == HEADER:
            self._begin_life(entries)
            return
        t, kind = time_and_kind(entries)
        self._t = self.trace.last = t - self._t0
        if kind is Lagged:
            return
        if kind not in _HANDLERS:
            raise ValueError(f"{kind.event} is no event of a node of an overlay")
        _HANDLERS[kind](self, make_event(kind, entries))

    def _begin_life(self, entries: dict[str, Any]) -> None:
        self._t = self.trace.last = float(check_header(entries)["t"]) - self._t0
        self._end_life()
        self._has_header = True
        self.trace.program = str(entries.get("program", ""))

    def _end_life(self) -> None:
        if self.trace.lives and self.trace.lives[-1].end is None:
            self.trace.lives[-1].end = self._t

    def _search(self, name: str) -> TracedSearch:
        if name not in self.trace.searches:
            raise ValueError(f"search {name!r} never began")
        return self.trace.searches[name]

    def joined(self, event: NodeJoined) -> None:
        """A node can say more than once in a life that it takes part."""
        if not self.trace.lives or self.trace.lives[-1].end is not None:
            self.trace.lives.append(Life(self._t, event.node))

    def left(self, event: NodeLeft) -> None:
        self._end_life()
        self.trace.leave_reason = event.reason

    def began(self, event: SearchBegan) -> None:
        self.trace.searches[event.search] = TracedSearch(self._t)

    def answered(self, event: AnswerCame) -> None:
        self._search(event.search).answers.append(Answer(self._t, event.item, event.holder, event.hops))

    def ended(self, event: SearchEnded) -> None:
        search = self._search(event.search)
        search.ended, search.outcome = self._t, event.outcome
        search.hops, search.timeouts = event.hops, event.timeouts

    def download_asked(self, event: DownloadAsked) -> None:
        self.trace.downloads[event.search] = TracedDownload(self._t, event.item, event.holder, event.claimed)

    def download_began(self, event: DownloadBegan) -> None:
        self._download(event.search).began = self._t

    def download_ended(self, event: DownloadEnded) -> None:
        download = self._download(event.search)
        download.ended, download.outcome = self._t, event.outcome
        download.bytes, download.why = event.bytes, event.why or ""

    def _download(self, search: str) -> TracedDownload:
        if search not in self.trace.downloads:
            raise ValueError(f"the download of search {search!r} was never asked for")
        return self.trace.downloads[search]

    def upload_queued(self, event: UploadQueued) -> None:
        self.trace.queued.setdefault(event.search, self._t)

    def upload_ended(self, event: UploadEnded) -> None:
        self.trace.uploaded += event.bytes

    def spent(self, event: Spent) -> None:
        for search, messages, count in event.sent:
            self.trace.sent.setdefault(search, Traffic()).add(messages, count)
        for search, messages, count in event.charged:
            self.trace.charged.setdefault(search, Traffic()).add(messages, count)
        self.trace.received.add(event.messages_received, event.bytes_received)

    def message_sent(self, event: MessageSent) -> None:
        self._message(event.search, Message(self._t, event.to, event.message, has_come=False))

    def message_came(self, event: MessageCame) -> None:
        self._message(event.search, Message(self._t, event.sender, event.message, has_come=True))

    def _message(self, search: str, message: Message) -> None:
        self.trace.messages.setdefault(search, []).append(message)

    def state(self, event: NodeState) -> None:
        self.trace.states.append(State(self._t, event.neighbours, event.entries))

    def erred(self, _event: NodeErred) -> None:
        self.trace.errors += 1


_HANDLERS: Final[Mapping[type[TraceEvent], Callable[[_Reader, Any], None]]] = {
    NodeJoined: _Reader.joined,
    NodeLeft: _Reader.left,
    SearchBegan: _Reader.began,
    AnswerCame: _Reader.answered,
    SearchEnded: _Reader.ended,
    Spent: _Reader.spent,
    MessageSent: _Reader.message_sent,
    MessageCame: _Reader.message_came,
    NodeState: _Reader.state,
    NodeErred: _Reader.erred,
    DownloadAsked: _Reader.download_asked,
    DownloadBegan: _Reader.download_began,
    DownloadEnded: _Reader.download_ended,
    UploadQueued: _Reader.upload_queued,
    UploadEnded: _Reader.upload_ended,
}
HANDLED: Final = frozenset(_HANDLERS)
"""The events that tables are made of."""
