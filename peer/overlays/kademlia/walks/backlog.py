"""Work that may wait: a limited number of jobs at the same time, the others in their order."""

from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

Job: TypeAlias = Callable[[Callable[[], None]], None]
"""Begins, and calls what it was given once when it is over, which may be at once."""


class Backlog:
    """Begins jobs as others end."""

    def __init__(self, most: int) -> None:
        self._most: Final = most
        self._jobs: Final[deque[Job]] = deque()
        self._running = 0
        self._is_beginning = False

    def add(self, job: Job) -> None:
        """Begin a job as soon as there is room for it."""
        self._jobs.append(job)
        self._begin_some()

    def clear(self) -> None:
        """Forget what has not begun."""
        self._jobs.clear()

    def _begin_some(self) -> None:
        if self._is_beginning:  # a job that ends at once comes here from inside the loop
            return
        self._is_beginning = True
        while self._jobs and self._running < self._most:
            self._running += 1
            self._jobs.popleft()(self._ended)
        self._is_beginning = False

    def _ended(self) -> None:
        self._running -= 1
        self._begin_some()
