"""Recording connections, and once a second the bytes that they moved."""

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
from contract.programs import COMPLETED, TOGETHER
from peer.trace.file import TraceFile


class TraceRecorder:
    """Numbers connections from one, and counts the bytes of the file on each."""

    def __init__(self, trace: TraceFile) -> None:
        self._trace: Final = trace
        self._last_key = 0
        self._totals: dict[int, list[int]] = {TOGETHER: [0, 0]}
        """Received and sent on each open connection, and together on those that are not known."""
        self._unwritten: dict[int, list[int]] = {}
        """The same since the last `flush`, also for connections that have ended since."""
        self.received = 0
        self.sent = 0
        self.wasted = 0

    def record(self, event: TraceEvent) -> None:
        """Record an event that happens now."""
        self._trace.record(event, monotonic())

    def connected(self, address: str, *, is_outgoing: bool) -> int:
        """Return the number of a new connection."""
        self._last_key += 1
        self._totals[self._last_key] = [0, 0]
        self.record(Connected(self._last_key, address, is_outgoing))
        return self._last_key

    def moved(self, key: int, *, received: int = 0, sent: int = 0) -> None:
        """Count bytes of the file."""
        for count in (self._totals[key], self._unwritten.setdefault(key, [0, 0])):
            count[0] += received
            count[1] += sent
        self.received += received
        self.sent += sent

    def disconnected(self, key: int, reason: str, *, by_us: bool) -> None:
        self.record(Disconnected(key, by_us, reason, *self._totals.pop(key)))

    def failed(self, what: str, key: int | None = None, retry_in: float | None = None) -> None:
        self.record(Erred(what, key, retry_in))

    def completed(self) -> None:
        """Record that the whole file is here and verified, then print it: readers of the line may read the trace."""
        self.record(Completed(self.received, self.sent, self.wasted))
        self._trace.flush()
        print(COMPLETED, flush=True)

    def left(self, reason: str, have_count: int) -> None:
        """Record the end of the program."""
        self.flush()
        self.record(Left(reason, have_count, self.received, self.sent, self.wasted))

    def flush(self) -> None:
        """Record what has moved since the last call, and write the trace out; to be called once a second."""
        if self._unwritten:
            self.record(Moved(tuple((key, received, sent) for key, (received, sent) in self._unwritten.items())))
            self._unwritten = {}
        self._trace.flush()
