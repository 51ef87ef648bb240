"""A timer that is set again and again, and only moves when it has to ring earlier."""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Final

_LEAST_WAIT: Final = 0.001
"""The loop's clock has milliseconds: a shorter wait could end too early, again and again."""


class Alarm:
    """Rings at the earliest of the times it was set to since it last rang, and may find then that nothing is due."""

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None
        self._at = inf

    def set(self, at: float, now: float) -> None:
        """Ring at `at`, or earlier if it is set so already; infinity is never."""
        if at < self._at:
            self.cancel()
            self._at = at
            self._handle = self._loop.call_later(max(at - now, _LEAST_WAIT), self._ring)

    def cancel(self) -> None:
        """Do not ring."""
        self._at = inf
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _ring(self) -> None:
        self._at, self._handle = inf, None
        self._callback()
