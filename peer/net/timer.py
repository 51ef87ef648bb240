"""A timer that can be set again and again, and is rescheduled only when it has to fire earlier."""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Final

_LEAST_WAIT: Final = 0.001
"""uvloop counts milliseconds: a shorter wait could end too early, again and again."""


class Timer:
    """Fires at the earliest of the times set since it last fired, so the callback may find that nothing is due."""

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None
        self._at = inf

    def set(self, at: float, now: float) -> None:
        """Fire at `at`, or at the earlier time that is set already; infinity is never."""
        if at < self._at:
            self.cancel()
            self._at = at
            self._handle = self._loop.call_later(max(at - now, _LEAST_WAIT), self._fire)

    def cancel(self) -> None:
        """Do not fire until set again."""
        self._at = inf
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _fire(self) -> None:
        self._at, self._handle = inf, None
        self._callback()
