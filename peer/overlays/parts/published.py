"""What a node has others keep: stored once it has joined, and again before they drop it."""

from collections import deque
from collections.abc import Callable, Hashable
from math import inf
from typing import Final, Generic, TypeAlias, TypeVar

Thing = TypeVar("Thing", bound=Hashable)
Store: TypeAlias = Callable[[Thing, Callable[[], None]], None]
"""Has others keep a thing; calls the function when that is done or given up."""


class Published(Generic[Thing]):
    """A queue of things, of which a few are stored at a time."""

    __slots__ = (
        "_at_once",
        "_is_begun",
        "_is_filling",
        "_ours",
        "_queue",
        "_refresh_at",
        "_store",
        "_storing",
        "_wait",
    )

    def __init__(self, store: Store[Thing], wait: Callable[[], float], at_once: int) -> None:
        """`wait` draws when all things are to be stored again."""
        self._store: Final = store
        self._wait: Final = wait
        self._at_once: Final = at_once
        self._ours: Final[dict[Thing, None]] = {}
        self._queue: Final[deque[Thing]] = deque()
        self._refresh_at = inf
        self._storing = 0
        self._is_begun = self._is_filling = False

    def add(self, thing: Thing) -> None:
        """Store a thing, now or when the node has joined."""
        if thing not in self._ours:
            self._ours[thing] = None
            self._queue.append(thing)
            self._fill()

    def begin(self) -> None:
        """The node has joined."""
        self._is_begun = True
        self._refresh_at = self._wait()
        self._fill()

    def tick(self, now: float) -> None:
        if self._refresh_at <= now:
            self._refresh_at = self._wait()
            waiting = set(self._queue)
            self._queue.extend(thing for thing in self._ours if thing not in waiting)
            self._fill()

    def next_deadline(self) -> float:
        return self._refresh_at if self._ours else inf

    def _fill(self) -> None:
        """Begin to store, unless enough are being stored. What is done at once must not call itself."""
        if self._is_filling or not self._is_begun:
            return
        self._is_filling = True
        while self._queue and self._storing < self._at_once:
            self._storing += 1
            self._store(self._queue.popleft(), self._stored)
        self._is_filling = False

    def _stored(self) -> None:
        self._storing -= 1
        self._fill()
