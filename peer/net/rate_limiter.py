"""Upload rates: of the whole client, of single neighbours, and whose turn it is; pure, `now` is passed in.

A bucket holds the bytes that may be sent now. A block may begin while its bucket is not empty, and takes all its bytes
at once, so that a bucket can be in debt: over a long time the rate is exact whatever the size of the blocks, and at
once no more can be sent than the depth and one block.

    a block to neighbour k begins     when the client's bucket is not empty, and k's own is not, and it is k's turn
    k's turn                          of those that wait and could go, k was given the fewest bytes

Only neighbours that have something to send wait. Who has waited for its own bucket, or had nothing to send, does not
save up turns: it comes back at the level of the others. But who waits while its own bucket is open loses nothing by
that: rates that add up to the client's are all kept.
"""

from math import inf
from typing import Final

BURST_SECONDS: Final = 0.02
"""How long an idle bucket fills up."""
MOST_OWED: Final = 128 << 10
"""Bytes by which a neighbour with a rate of its own can fall behind while others have their turns, and catch up."""


class Bucket:
    """Bytes that may be sent, coming in at a rate."""

    __slots__ = ("_at", "_bytes", "_most_owed", "rate")

    def __init__(self, rate: float, now: float, most_owed: float = 0) -> None:
        """`most_owed` bytes may come in beyond the depth while somebody waits for a turn."""
        if not 0 < rate < inf:
            raise ValueError(f"a rate: expected a positive number of bytes/s, found {rate}")
        self.rate = rate
        self._bytes = rate * BURST_SECONDS
        self._at = now
        self._most_owed = most_owed

    def rested(self, now: float) -> None:
        """Take note that nobody has waited until now: the bucket has filled up to its depth and no more."""
        self._fill(now, 0)

    def take(self, count: int, now: float) -> None:
        """Take bytes out, more than there are if need be."""
        self._fill(now, self._most_owed)
        self._bytes -= count

    def change(self, rate: float, now: float) -> None:
        """Let bytes come in at another rate; a debt stays one."""
        self._fill(now, self._most_owed)
        self.rate = rate

    def opens_at(self, now: float) -> float:
        """Return when the bucket has a byte: not after `now`, if it has one already."""
        missing = -(self._bytes + (now - self._at) * self.rate)
        return now if missing < 0 else now + (missing + 1) / self.rate

    def _fill(self, now: float, beyond: float) -> None:
        most = max(self._bytes, self.rate * BURST_SECONDS + beyond)
        self._bytes = min(self._bytes + (now - self._at) * self.rate, most)
        self._at = now


class Throttle:
    """Says when a block may begin; neighbours are told apart by their number."""

    def __init__(self, rate: float | None, now: float) -> None:
        """`rate` holds for all neighbours together, in bytes/s; None is no limit."""
        self._common = None if rate is None else Bucket(rate, now)
        self._own: Final[dict[int, Bucket]] = {}
        self._given: Final[dict[int, float]] = {}
        """Bytes that each neighbour was given, lifted to the level of the others when it comes back."""
        self._level = 0.0
        """What the neighbour that went last had been given: nobody begins to wait below."""
        self._waiting: Final[dict[int, None]] = {}

    def limit(self, key: int, rate: float | None, now: float) -> None:
        """Give a neighbour a limit of its own, or another one; None takes it away."""
        own = self._own.get(key)
        if rate is None:
            self._own.pop(key, None)
        elif own is None:
            self._own[key] = Bucket(rate, now, MOST_OWED)
        else:
            own.change(rate, now)

    def forget(self, key: int) -> None:
        """Take note that a neighbour is gone."""
        self._own.pop(key, None)
        self._given.pop(key, None)
        self._waiting.pop(key, None)

    def may_begin(self, key: int, now: float) -> bool:
        """Tell whether a block to this neighbour may begin; if not, it waits for its turn from now on."""
        if self._common is None and key not in self._own:
            return True
        if key not in self._waiting:
            self._waiting[key] = None
            if key in self._own:
                self._own[key].rested(now)
            self._given[key] = max(self._given.get(key, 0.0), self._level)
        return self._first(now) == key and self._go(key)

    def next_turn(self, now: float) -> int | None:
        """Return whose block may begin now, and let it wait no more; None if nobody's may."""
        key = self._first(now)
        return key if key is not None and self._go(key) else None

    def began(self, key: int, length: int, now: float) -> None:
        """Count a block that was let in."""
        if self._common is not None:
            self._common.take(length, now)
        own = self._own.get(key)
        if own is not None:
            own.take(length, now)
        if key in self._given:
            self._given[key] += length

    def next_turn_at(self, now: float) -> float:
        """Return when it is somebody's turn; infinity if nobody waits."""
        if not self._waiting:
            return inf
        common = now if self._common is None else self._common.opens_at(now)
        return max(common, min(self._opens_at(key, now) for key in self._waiting))

    def _first(self, now: float) -> int | None:
        if self._common is not None and self._common.opens_at(now) > now:
            return None
        ready = (key for key in self._waiting if self._opens_at(key, now) <= now)
        return min(ready, key=self._given.__getitem__, default=None)

    def _go(self, key: int) -> bool:
        del self._waiting[key]
        self._level = self._given[key] = max(self._level, self._given[key])
        return True

    def _opens_at(self, key: int, now: float) -> float:
        own = self._own.get(key)
        return now if own is None else own.opens_at(now)
