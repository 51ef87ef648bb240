"""What the parts of the mind share: the list of actions, and the trace."""

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from contract.events import Level, Moved, TraceEvent
from peer.bittorrent.engine.actions import Action, Send
from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.wire.messages import Message

Tell: TypeAlias = Callable[[TraceEvent, float], None]
"""Takes a fact and when it happened."""


class Outbox:
    """Actions in the order in which they are to be done, and facts as they happen."""

    __slots__ = ("_actions", "_tell", "level", "now")

    def __init__(self, tell: Tell, level: Level) -> None:
        self._actions: list[Action] = []
        self._tell: Final = tell
        self.level: Final = level
        self.now = 0.0
        """The time of the input that is being answered."""

    def do(self, action: Action) -> None:
        """Add an action."""
        self._actions.append(action)

    def send(self, neighbour: Neighbour, message: Message) -> None:
        """Add a message to a neighbour, behind those that have waited for one."""
        if neighbour.conversation.unsaid:
            self.send_unsaid(neighbour)
        neighbour.conversation.last_said = self.now
        self._actions.append(Send(neighbour.key, message))

    def send_along(self, neighbour: Neighbour, message: Message) -> None:
        """Let a message go along with the next one to a neighbour, or when `send_unsaid` is called."""
        neighbour.conversation.unsaid.append(message)

    def send_unsaid(self, neighbour: Neighbour) -> None:
        """Add the messages that have waited."""
        unsaid, neighbour.conversation.unsaid = neighbour.conversation.unsaid, []
        for message in unsaid:
            self.send(neighbour, message)

    def tell(self, fact: TraceEvent) -> None:
        """Trace a fact, if this trace says so much."""
        if fact.level <= self.level:
            self._tell(fact, self.now)

    def tell_moved(self, neighbours: Iterable[Neighbour]) -> None:
        """Trace the bytes of blocks that each of these moved since this was last done."""
        moved = []
        for neighbour in neighbours:
            total = (neighbour.down.rate.total, neighbour.up.rate.total)
            if total != neighbour.traced:
                moved.append((neighbour.key, total[0] - neighbour.traced[0], total[1] - neighbour.traced[1]))
                neighbour.traced = total
        if moved:
            self.tell(Moved(tuple(moved)))

    @property
    def tells_blocks(self) -> bool:
        """Whether facts about single blocks are wanted: if not, they need not be made."""
        return self.level >= Level.FULL

    def take(self) -> list[Action]:
        """Hand over what there is to do."""
        actions, self._actions = self._actions, []
        return actions
