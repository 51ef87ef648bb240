"""Upload rates: of the whole client, of single neighbours, and who sends next; pure, `now` is passed in.

A bucket holds the bytes that may be sent now. A block may begin while its bucket is not empty and takes all its bytes
at once, so a bucket can be in debt. Over a long time the rate is exact whatever the size of the blocks; in a burst no
more than the depth and one block are sent.

    a block to neighbour k begins     when the client's bucket and k's own are not empty, and k is next
    next                              of the neighbours that wait and could send, the one that was granted fewest bytes

Only neighbours with something to send wait. One that waited for its own bucket, or had nothing to send, saves up no
turns: it returns at the level of the others. One that waits while its own bucket is open loses nothing: rates that add
up to the client's are all kept.
"""

from math import inf
from typing import Final

BURST_SECONDS: Final = 0.02
"""How long an idle bucket refills."""
MOST_OWED: Final = 128 << 10
"""Bytes that a neighbour with its own rate may catch up after others were served first."""


class TokenBucket:
    """Bytes that may be sent, refilled at a rate."""

    __slots__ = ("_at", "_bytes", "_most_owed", "rate")

    def __init__(self, rate: float, now: float, most_owed: float = 0) -> None:
        """Up to `most_owed` bytes are refilled beyond the depth while the neighbour waits its turn."""
        if not 0 < rate < inf:
            raise ValueError(f"a rate: expected a positive number of bytes/s, found {rate}")
        self.rate = rate
        self._bytes = rate * BURST_SECONDS
        self._at = now
        self._most_owed = most_owed

    def refill_idle(self, now: float) -> None:
        """Refill up to the depth and no more: the neighbour did not wait until now."""
        self._fill(now, 0)

    def take(self, count: int, now: float) -> None:
        """Take bytes out, into debt if necessary."""
        self._fill(now, self._most_owed)
        self._bytes -= count

    def set_rate(self, rate: float, now: float) -> None:
        """Change the rate; a debt remains."""
        self._fill(now, self._most_owed)
        self.rate = rate

    def opens_at(self, now: float) -> float:
        """Return when the bucket has a byte: `now` if it has one already."""
        missing = -(self._bytes + (now - self._at) * self.rate)
        return now if missing < 0 else now + (missing + 1) / self.rate

    def _fill(self, now: float, beyond: float) -> None:
        most = max(self._bytes, self.rate * BURST_SECONDS + beyond)
        self._bytes = min(self._bytes + (now - self._at) * self.rate, most)
        self._at = now


class RateLimiter:
    """Decides when a block may begin. A key is the number of a neighbour."""

    def __init__(self, rate: float | None, now: float) -> None:
        """`rate` is for all neighbours together, in bytes/s; None is no limit."""
        self._common = None if rate is None else TokenBucket(rate, now)
        self._own: Final[dict[int, TokenBucket]] = {}
        self._granted: Final[dict[int, float]] = {}
        """Bytes granted to each neighbour, lifted to the level of the others when it returns."""
        self._level = 0.0
        """What the neighbour that sent last had been granted: none begins to wait below it."""
        self._waiting: Final[dict[int, None]] = {}

    def limit(self, key: int, rate: float | None, now: float) -> None:
        """Set, change or (None) remove the limit of one neighbour."""
        own = self._own.get(key)
        if rate is None:
            self._own.pop(key, None)
        elif own is None:
            self._own[key] = TokenBucket(rate, now, MOST_OWED)
        else:
            own.set_rate(rate, now)

    def forget(self, key: int) -> None:
        """Drop a neighbour that has disconnected."""
        self._own.pop(key, None)
        self._granted.pop(key, None)
        self._waiting.pop(key, None)

    def may_begin(self, key: int, now: float) -> bool:
        """Return whether a block to this neighbour may begin; if not, the neighbour waits from now on."""
        if self._common is None and key not in self._own:
            return True
        if key not in self._waiting:
            self._waiting[key] = None
            if key in self._own:
                self._own[key].refill_idle(now)
            self._granted[key] = max(self._granted.get(key, 0.0), self._level)
        return self._first(now) == key and self._grant(key)

    def next_turn(self, now: float) -> int | None:
        """Return the neighbour whose block may begin now, which then no longer waits; None if there is none."""
        key = self._first(now)
        return key if key is not None and self._grant(key) else None

    def began(self, key: int, length: int, now: float) -> None:
        """Count a block that has begun."""
        if self._common is not None:
            self._common.take(length, now)
        own = self._own.get(key)
        if own is not None:
            own.take(length, now)
        if key in self._granted:
            self._granted[key] += length

    def next_turn_at(self, now: float) -> float:
        """Return when the next block may begin; infinity if no neighbour waits."""
        if not self._waiting:
            return inf
        common = now if self._common is None else self._common.opens_at(now)
        return max(common, min(self._opens_at(key, now) for key in self._waiting))

    def _first(self, now: float) -> int | None:
        if self._common is not None and self._common.opens_at(now) > now:
            return None
        ready = (key for key in self._waiting if self._opens_at(key, now) <= now)
        return min(ready, key=self._granted.__getitem__, default=None)

    def _grant(self, key: int) -> bool:
        del self._waiting[key]
        self._level = self._granted[key] = max(self._level, self._granted[key])
        return True

    def _opens_at(self, key: int, now: float) -> float:
        own = self._own.get(key)
        return now if own is None else own.opens_at(now)
