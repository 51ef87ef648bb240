"""What all parts of one session share: who we are, who is connected, and where actions and trace events go."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Final, NamedTuple, TypeAlias

from contract.events import Level, Moved, TraceEvent
from peer.bittorrent.engine.actions import Action, Send
from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.wire.messages import Message

Record: TypeAlias = Callable[[TraceEvent, float], None]
"""Takes an event and the time at which it happened."""


class Identity(NamedTuple):
    """Who a client claims to be, and where it listens."""

    peer_id: bytes
    port: int


@dataclass(frozen=True, slots=True)
class DhtUse:
    """How a client uses the DHT."""

    port: int
    """The UDP port of its node."""
    period: float
    """How often it announces itself, in seconds."""


class Outbox:
    """The results of an input: actions in the order in which they are to be done, and events for the trace."""

    __slots__ = ("_actions", "_record", "level", "now")

    def __init__(self, record: Record, level: Level, now: float) -> None:
        self._actions: list[Action] = []
        self._record: Final = record
        self.level: Final = level
        self.now = now
        """The time of the input that is being handled."""

    def do(self, action: Action) -> None:
        self._actions.append(action)

    def send(self, neighbour: Neighbour, message: Message) -> None:
        """Add a message to a neighbour, behind those that were delayed."""
        if neighbour.conversation.delayed:
            self.send_delayed(neighbour)
        neighbour.conversation.last_sent = self.now
        self._actions.append(Send(neighbour.key, message))

    def send_later(self, neighbour: Neighbour, message: Message) -> None:
        """Delay a message until another one is sent to the same neighbour, or until `send_delayed`."""
        neighbour.conversation.delayed.append(message)

    def send_delayed(self, neighbour: Neighbour) -> None:
        delayed, neighbour.conversation.delayed = neighbour.conversation.delayed, []
        for message in delayed:
            self.send(neighbour, message)

    def record(self, event: TraceEvent) -> None:
        """Trace an event, unless the level leaves it out."""
        if event.level <= self.level:
            self._record(event, self.now)

    def record_moved(self, neighbours: Iterable[Neighbour]) -> None:
        """Trace the block bytes that each of these neighbours moved since the last call."""
        moved = []
        for neighbour in neighbours:
            total = (neighbour.down.rate.total, neighbour.up.rate.total)
            if total != neighbour.traced:
                moved.append((neighbour.key, total[0] - neighbour.traced[0], total[1] - neighbour.traced[1]))
                neighbour.traced = total
        if moved:
            self.record(Moved(tuple(moved)))

    @property
    def records_blocks(self) -> bool:
        """Whether events of single blocks are traced; if not, they need not be made."""
        return self.level >= Level.FULL

    def take(self) -> list[Action]:
        actions, self._actions = self._actions, []
        return actions


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """Each part of a session takes this one argument instead of its fields."""

    info_hash: bytes
    identities: Sequence[Identity]
    """Ours: most often one."""
    profile: Profile
    strategy: Strategy
    rng: Random
    outbox: Outbox
    capacity: float | None = None
    """Our upload in bytes/s, if known."""
    dht: DhtUse | None = None
    """None is without it; torrents that are known to be private have none."""
    neighbours: dict[int, Neighbour] = field(default_factory=dict)
    """Those of all our identities, in the order in which they connected."""
    keys: Iterator[int] = field(default_factory=lambda: count(1))
    """The numbers of neighbours to come."""
