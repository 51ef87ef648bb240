"""Virtual time: what happens when. Nothing waits for a real clock, so an hour takes as long as its events."""

import heapq
from collections.abc import Callable
from itertools import count


class Agenda:
    """Calls to come, in the order of their times; those of one time in the order in which they were added."""

    def __init__(self) -> None:
        self.now = 0.0
        self._calls: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def __bool__(self) -> bool:
        return bool(self._calls)

    def call_at(self, when: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._calls, (when, next(self._order), do))

    def run(self, until: float, stop: Callable[[], bool] | None = None) -> float:
        """Let time pass, to a time or until `stop` is true; returns the time then."""
        while self._calls and self._calls[0][0] <= until:
            self.now, _, do = heapq.heappop(self._calls)
            do()
            if stop is not None and stop():
                return self.now
        self.now = until
        return until
