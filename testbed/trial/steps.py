"""The steps before t = 0, reported as events."""

import time
from collections.abc import Callable
from itertools import count
from typing import Final

from testbed.trial.events import Preparing

_PAUSE_SECONDS: Final = 0.5


class Steps:
    """Reports when a step begins, and then how far it is, at most twice a second."""

    def __init__(self, notify: Callable[[Preparing], None]) -> None:
        self._notify = notify
        self._step = ""
        self._told_at = 0.0

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
        """Say how far a step is."""
        now = time.monotonic()
        if step != self._step or now - self._told_at >= _PAUSE_SECONDS:
            self._step, self._told_at = step, now
            self._notify(Preparing(step, done, total))

    def counting(self, step: str, total: int) -> Callable[[], None]:
        """Return what is to be called for each part of a step that is done."""
        numbers = count(1)
        return lambda: self(step, next(numbers), total)
