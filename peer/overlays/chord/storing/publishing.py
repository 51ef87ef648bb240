"""The pairs that this node has others keep: stored when it has joined, and again before they are dropped."""

from collections import deque
from math import inf
from typing import Final

from contract.overlay_events import UPKEEP
from peer.overlays.chord.context import Context
from peer.overlays.chord.lookup import Find
from peer.overlays.chord.ring import position_of
from peer.overlays.chord.storing.keeping import Keeping, check_value


class Publishing:
    """A queue of pairs, of which a few are stored at a time."""

    __slots__ = (
        "_context",
        "_find",
        "_is_begun",
        "_is_filling",
        "_keeping",
        "_ours",
        "_queue",
        "_refresh_at",
        "_storing",
    )

    def __init__(self, context: Context, keeping: Keeping, find: Find) -> None:
        self._context: Final = context
        self._keeping: Final = keeping
        self._find: Final = find
        self._ours: Final[dict[tuple[bytes, bytes], None]] = {}
        self._queue: Final[deque[tuple[bytes, bytes]]] = deque()
        self._refresh_at = inf
        self._storing = 0
        self._is_begun = self._is_filling = False

    def add(self, key: bytes, value: bytes) -> None:
        """Store a pair, now or when the node has joined."""
        check_value(value)
        if (key, value) not in self._ours:
            self._ours[key, value] = None
            self._queue.append((key, value))
            self._fill()

    def begin(self) -> None:
        """The node has joined."""
        self._is_begun = True
        self._refresh_at = self._context.wait(self._context.parameters.refresh_every)
        self._fill()

    def tick(self) -> None:
        if self._refresh_at <= self._context.out.now:
            self._refresh_at = self._context.wait(self._context.parameters.refresh_every)
            waiting = set(self._queue)
            self._queue.extend(pair for pair in self._ours if pair not in waiting)
            self._fill()

    def next_deadline(self) -> float:
        return self._refresh_at if self._ours else inf

    def _fill(self) -> None:
        """Begin to store, unless enough are being stored. What is done at once must not call itself."""
        if self._is_filling or not self._is_begun:
            return
        self._is_filling = True
        while self._queue and self._storing < self._context.parameters.stores_at_once:
            self._storing += 1
            self._store(*self._queue.popleft())
        self._is_filling = False

    def _store(self, key: bytes, value: bytes) -> None:
        place = position_of(key, self._context.parameters.bits)
        pair = self._keeping.new_pair(key, value)
        self._find(place, UPKEEP, lambda found: self._keeping.store_at(found, pair, self._count_stored))

    def _count_stored(self) -> None:
        self._storing -= 1
        self._fill()
