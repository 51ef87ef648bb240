"""How fast bytes flow: a rolling mean, at a few bytes of memory and a tenth of a microsecond for each block."""

from collections import deque
from typing import Final

SLICES: Final = 20
"""Parts of a window; it is measured to within one of them."""


class Rate:
    """Bytes, counted for ever, and their rate over the last `window` seconds.

    The total is noted whenever a slice of the window begins, and the rate is what came since the oldest note, over the
    time since that note: 19 to 20 slices. So a byte counts for one window at most, and adding is one comparison and one
    sum. Before a window has passed, the oldest note is the beginning: a flow of 3 seconds is measured over 3.
    """

    __slots__ = ("_began", "_ends", "_notes", "_slice", "total")

    def __init__(self, window: float, since: float | None = None) -> None:
        """Measure from `since` on; without it, from the first byte or the first reading."""
        self._slice: Final = window / SLICES
        self._notes: Final[deque[int]] = deque(maxlen=SLICES)
        """The total at the beginning of each slice; the last is of the slice that we are in."""
        self._began = 0.0
        self._ends = float("-inf")
        """When this slice began and when it ends."""
        self.total = 0
        if since is not None:
            self._start(since)

    def add(self, count: int, now: float) -> None:
        """Count bytes that have just moved."""
        if now >= self._ends:
            self._start_slice(now)
        self.total += count

    def read(self, now: float) -> float:
        """Return the rate in bytes/s; in the first moments over a whole slice, or one block would look like a flood."""
        if now >= self._ends:
            self._start_slice(now)
        oldest = self._began - (len(self._notes) - 1) * self._slice
        return (self.total - self._notes[0]) / max(now - oldest, self._slice)

    def _start_slice(self, now: float) -> None:
        """Begin the slice that `now` is in. In those between, nothing moved; the oldest notes go."""
        if not self._notes:
            self._start(now)
            return
        passed = max(int((now - self._began) / self._slice), 1)
        self._notes.extend([self.total] * min(passed, SLICES))
        self._began += passed * self._slice
        self._ends = self._began + self._slice

    def _start(self, now: float) -> None:
        self._notes.append(self.total)
        self._began = now
        self._ends = now + self._slice
