"""How many requests to keep outstanding with one neighbour: enough that it never waits for us, and hardly more.

The neighbour's rate is measured in rounds. A round lasts from asking for a block until that block comes. By then all
the blocks have come that were asked for before, so

    rate  =  blocks that came in the round / how long it took
    goal  =  rate x (delay + request_seconds)                      delay: the shortest round

As long as the pipe is not full, the rate is what we asked for in one delay, and the goal is above it by
request_seconds: we ask for more. Once it is full, the rate is the pipe's, and request_seconds is how long the neighbour
could go on if we fell silent. One more request is added per block that comes, so that a burst of a few blocks, which
looks like a fast pipe, adds no more than a few; that doubles the requests each round, as TCP's slow start does. Once a
round has lasted as long as it should at most, the queue is long enough, and none is added.

The delay is measured anew when hardly anything was asked, as then no request waited for our others. So a path that has
become much longer (others fill a buffer on it) makes the goal small, but only until that is found out.

A round with fewer requests than we would have liked (there was nothing more to request) shows nothing about the pipe:
it may raise the goal and never lowers it. A choke ends the measurement, and it starts again small: the rate may differ
then.
"""

from math import ceil, inf
from typing import Final

from peer.bittorrent.engine.profile import Profile


class Pipeline:
    """Costs the same few operations for each block, however many are outstanding."""

    __slots__ = (
        "_asked_at",
        "_blocks",
        "_delay",
        "_goal",
        "_is_full",
        "_least",
        "_left",
        "_most",
        "_outstanding",
        "_seconds",
        "_target",
    )

    def __init__(self, profile: Profile) -> None:
        self._seconds: Final = profile.request_seconds
        self._least = profile.least_requests
        self._most = profile.most_requests
        self._delay = inf
        self._target = self._least
        self._goal = self._most
        self._outstanding = 0
        self._left = 0
        """Blocks to come until the round ends; 0 if there is no round."""
        self._blocks = 0
        """Blocks of this round, in all."""
        self._asked_at = 0.0
        self._is_full = False
        """Whether all that we would have liked to ask for was asked at the time when the round began."""

    def limit(self, reqq: int) -> None:
        """Keep to the number of requests that the neighbour is ready to queue."""
        self._most = max(1, min(self._most, reqq))
        self._least = min(self._least, self._most)
        self._goal = min(self._goal, self._most)
        self._target = min(self._target, self._most)

    def room(self, outstanding: int) -> int:
        """Return how many more requests to make; `outstanding` is the true number, as some end without their block."""
        self._outstanding = outstanding
        if not outstanding:
            self._left = 0
        return self._target - outstanding

    def requested(self, now: float) -> None:
        self._outstanding += 1
        if not self._left:
            self._left = self._blocks = self._outstanding
            self._asked_at = now
        if now == self._asked_at:
            self._is_full = self._outstanding >= self._target

    def block_received(self, now: float) -> None:
        self._outstanding -= 1
        if self._left:
            self._left -= 1
            if not self._left:
                self._end_round(now - self._asked_at)
        if self._target < self._goal and now - self._asked_at <= self._delay + self._seconds:
            self._target += 1

    def reset(self) -> None:
        """Start again: the neighbour choked us, or does not answer."""
        self._left = 0
        self._target = self._least
        self._goal = self._most

    def _end_round(self, seconds: float) -> None:
        self._delay = seconds if self._blocks <= self._least else min(self._delay, seconds)
        goal = self._blocks / seconds * (self._delay + self._seconds) if seconds > 0 else inf
        goal = ceil(max(self._least, min(self._most, goal)))
        self._goal = goal if self._is_full else max(self._goal, goal)
        self._target = min(self._target, self._goal)
