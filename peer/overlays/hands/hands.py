"""What runs any node: inputs with their time, then what the node asks for, then its timer.

An action never leads to an input at once: what comes of it arrives later, from the event loop. So a node is never
called while it is being called.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from time import monotonic
from typing import Any, Final, Generic, TypeAlias, TypeVar

from contract.events import TraceEvent
from contract.overlay_events import NodeState
from peer.net.timer import Timer
from peer.overlays.hands.costs import Costs, Troubles
from peer.overlays.hands.following import Following
from peer.overlays.node import Fetch, Node, Record

PERIOD: Final = 1.0
STATE_PERIODS: Final = 5
"""Between two records of what the node keeps."""

AnyNode = TypeVar("AnyNode", bound=Node)
Perform: TypeAlias = Callable[[Any], None]
OnFetch: TypeAlias = Callable[[Fetch], None]


def fetch_nothing(_: Fetch) -> None:
    """Do not fetch."""


class Hands(Generic[AnyNode]):
    """Runs one node for one life. The trace tells of each message of the searches in `followed`."""

    def __init__(self, node: AnyNode, record: Record, followed: Collection[str] = ()) -> None:
        self.node: Final = node
        self.is_over = False
        """Whether the node gets no more inputs."""
        self.costs: Final = Costs(self._tell)
        self.following: Final = Following(followed, self._tell)
        self.troubles: Final = Troubles(self._tell)
        self.performers: Mapping[type, Perform] = {}
        """What does each kind of action."""
        self._record: Final = record
        self._state: NodeState | None = None
        self._loop: Final = asyncio.get_running_loop()
        self._timer: Final = Timer(self._loop, self._wake)
        self._ticks = 0
        self._ticker = self._loop.call_later(PERIOD, self._tick)

    def input(self, give: Callable[[AnyNode, float], None]) -> None:
        """Give the node an input that happens now, and do what it then asks for."""
        if self.is_over:
            return
        now = monotonic()
        give(self.node, now)
        for action in self.node.take_actions():
            self.performers[type(action)](action)
        self._timer.set(self.node.next_deadline(), now)

    def tell(self) -> None:
        """Record what was sent and received, and what went wrong, since the last time; done once a second."""
        self.costs.tell()
        self.troubles.tell()

    def tell_state(self) -> None:
        """Record what the node keeps, if that is something else than the last time."""
        state = NodeState(tuple(map(str, self.node.neighbours)), self.node.entries)
        if state != self._state:
            self._state = state
            self._tell(state)

    async def end(self) -> None:
        """Give the node no more inputs, and end in an orderly way: what it has sent is delivered, if that is quick."""
        self.cut()

    def close(self) -> None:
        """Record what has not been recorded, and end at once; the node has left before, if it was to leave by word."""
        self.tell_state()
        self.tell()
        self.cut()

    def cut(self) -> None:
        """End at once."""
        self.is_over = True
        self._timer.cancel()
        self._ticker.cancel()

    def _tick(self) -> None:
        self._ticker = self._loop.call_later(PERIOD, self._tick)
        self._ticks += 1
        self.tell()
        if self._ticks % STATE_PERIODS == 0:
            self.tell_state()

    def _wake(self) -> None:
        """Wake the node, unless its deadline is later now than when the timer was set."""
        now = monotonic()
        if self.node.next_deadline() <= now:
            self.input(lambda node, then: node.tick(then))
        else:
            self._timer.set(self.node.next_deadline(), now)

    def _tell(self, event: TraceEvent) -> None:
        self._record(event, monotonic())
