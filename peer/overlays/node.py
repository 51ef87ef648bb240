"""A node of an overlay, as whoever runs it sees it: inputs with the time at which they happened, actions as a list.

A node has no sockets and no clock, and draws all chance from the `random.Random` that it is given. The same inputs at
the same times give the same actions and the same trace. Whoever runs it (sockets: `peer/overlays/hands/`; arithmetic:
`peer/simulation/overlays/`) does, after each input, what `take_actions` returns, and calls `tick` at `next_deadline`.

Messages are values here. Each overlay's `wire` writes them as bytes and reads them; the same functions say how long a
message is in virtual time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from contract.events import TraceEvent
from contract.overlay_events import UPKEEP
from peer.net.address import Address
from peer.net.http import Request
from peer.overlays.content import Wanted

Record: TypeAlias = Callable[[TraceEvent, float], None]
"""Takes an event and the time at which it happened."""


@dataclass(frozen=True, slots=True)
class SendTo:
    """Send a datagram. `search` is the name of the search that caused it, so that its cost can be added up."""

    to: Address
    message: Any
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect, and report with `connected` or `dial_failed`."""

    address: Address


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message on a connection; on one that has ended, nothing happens."""

    link: int
    message: Any
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class HangUp:
    """End a connection once everything before this was sent; no `disconnected` follows."""

    link: int
    reason: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """Get an item from its holder by the task that distributes; what comes of it is no concern of the overlay."""

    item: str
    holder: Address


@dataclass(frozen=True, slots=True)
class Charge:
    """Count the message that has just come to a search, which its sender could not know: he has counted it as upkeep.

    For protocols whose answers do not carry the name of a search. Without a search, nothing happens.
    """

    search: str


@dataclass(frozen=True, slots=True)
class Get:
    """Download a file by HTTP; what comes of it is reported with `download_began` and `download_ended`."""

    download: str
    """A name that no other download of this node has."""
    holder: Address
    target: str
    """What is asked for, as HTTP has it: a path."""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Give:
    """Send so many bytes of content to somebody who asked; `upload_ended` follows."""

    upload: int
    size: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """Tell somebody who asked that nothing comes, with a status of HTTP; nothing follows."""

    upload: int
    status: int


Action: TypeAlias = SendTo | Dial | Send | HangUp | Fetch | Charge | Get | Give | Refuse


class Outbox:
    """The results of an input: actions in the order in which they are to be done, and events for the trace."""

    __slots__ = ("_actions", "_record", "now")

    def __init__(self, record: Record, now: float = 0.0) -> None:
        self._actions: list[Action] = []
        self._record: Final = record
        self.now = now
        """The time of the input that is being handled."""

    def do(self, action: Action) -> None:
        self._actions.append(action)

    def record(self, event: TraceEvent) -> None:
        self._record(event, self.now)

    def take(self) -> list[Action]:
        actions, self._actions = self._actions, []
        return actions


class Node(Protocol):
    """What all nodes are asked, whatever carries their messages."""

    def start(self, now: float) -> None:
        """Join the overlay, or begin it if no other node is known."""

    def search(self, name: str, wanted: Wanted, now: float) -> None:
        """Ask the overlay; events tell what comes of it. `name` is 32 hex digits that nobody else uses."""

    def leave(self, now: float, *, by_word: bool) -> None:
        """Stop taking part, and tell those whom the protocol would tell if `by_word`."""

    def tick(self, now: float) -> None:
        """The time `next_deadline` has come."""

    def next_deadline(self) -> float:
        """When to call `tick` at the latest; infinite if nothing is awaited."""

    def take_actions(self) -> list[Action]:
        """Return what is to be done, each once."""

    @property
    def neighbours(self) -> list[Address]:
        """The nodes that it would send to, each once: its routing table, its connections."""

    @property
    def entries(self) -> int:
        """How much it keeps of others: entries of routing tables, indexes and caches."""


class DatagramNode(Node, Protocol):
    """A node whose messages are datagrams."""

    def received(self, source: Address, message: Any, now: float) -> None:
        """A message came."""

    def refused(self, source: Address, data: bytes, why: str, now: float) -> None:
        """Bytes came that are no message."""


class StreamNode(Node, Protocol):
    """A node whose messages go over connections, which whoever runs it numbers."""

    def connected(self, link: int, address: Address, now: float) -> None:
        """The connection that was asked for by `Dial` is there."""

    def dial_failed(self, address: Address, reason: str, now: float) -> None:
        """There is no connection with this address."""

    def accepted(self, link: int, source: Address, now: float) -> None:
        """Somebody connected to us."""

    def received(self, link: int, message: Any, now: float) -> None:
        """A message came on a connection."""

    def disconnected(self, link: int, reason: str, now: float) -> None:
        """A connection ended, and not by `HangUp`."""


class SharingNode(StreamNode, Protocol):
    """A node that gives files to others, and gets files from them, over connections that carry nothing else."""

    def upload_asked(self, upload: int, source: Address, request: Request, now: float) -> None:
        """Somebody wants something, and waits for `Give` or `Refuse`. Whoever runs the node numbers uploads."""

    def upload_ended(self, upload: int, count: int, now: float) -> None:
        """Who asked has it all, or has gone; so many bytes of content were sent."""

    def download_began(self, download: str, size: int, now: float) -> None:
        """The holder says that it comes, and how long it is."""

    def download_ended(self, download: str, count: int, problem: str, now: float) -> None:
        """So many bytes came. Without a problem, that is all; one that begins with a status is the holder's word."""
