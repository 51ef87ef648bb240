"""What a program of this package tells its trace: connections, and once a second the bytes that they moved."""

from time import monotonic
from typing import Final

from contract.events import (
    Completed,
    Connected,
    Disconnected,
    Erred,
    Left,
    Moved,
    TraceEvent,
)
from peer.trace.file import TraceFile


class Diary:
    """Numbers connections from one, and counts the bytes of the file on each."""

    def __init__(self, trace: TraceFile) -> None:
        self._trace: Final = trace
        self._last_key = 0
        self._totals: dict[int, list[int]] = {}
        """Received and sent on each connection that stands."""
        self._untold: dict[int, list[int]] = {}
        """The same since the last `turn`, also for connections that have ended since."""
        self.received = 0
        self.sent = 0
        self.wasted = 0

    def tell(self, fact: TraceEvent) -> None:
        """Write a fact down."""
        self._trace.tell(fact, monotonic())

    def connected(self, address: str, *, is_outgoing: bool) -> int:
        """Return the number of a new connection."""
        self._last_key += 1
        self._totals[self._last_key] = [0, 0]
        self.tell(Connected(self._last_key, address, is_outgoing))
        return self._last_key

    def moved(self, key: int, *, received: int = 0, sent: int = 0) -> None:
        """Count bytes of the file."""
        for count in (self._totals[key], self._untold.setdefault(key, [0, 0])):
            count[0] += received
            count[1] += sent
        self.received += received
        self.sent += sent

    def disconnected(self, key: int, reason: str, *, by_us: bool) -> None:
        """A connection has ended."""
        self.tell(Disconnected(key, by_us, reason, *self._totals.pop(key)))

    def failed(self, what: str, key: int | None = None, retry_in: float | None = None) -> None:
        """Something went wrong."""
        self.tell(Erred(what, key, retry_in))

    def completed(self) -> None:
        """The whole file is here and right; say it on standard output too, and at once."""
        self.tell(Completed(self.received, self.sent, self.wasted))
        self._trace.flush()
        print("completed", flush=True)

    def left(self, reason: str, have_count: int) -> None:
        """The program ends."""
        self.turn()
        self.tell(Left(reason, have_count, self.received, self.sent, self.wasted))

    def turn(self) -> None:
        """Once a second: tell what has moved, and write the trace out."""
        if self._untold:
            self.tell(Moved(tuple((key, received, sent) for key, (received, sent) in self._untold.items())))
            self._untold = {}
        self._trace.flush()
