"""The items that this node shares: stored under each of their words when it has joined, and again in time."""

from collections import deque
from functools import partial
from math import inf
from typing import Final

from contract.overlay_events import UPKEEP
from peer.overlays.cubit.context import Context
from peer.overlays.cubit.keeping import Keeping
from peer.overlays.cubit.messages import Kept
from peer.overlays.cubit.navigation import Navigation, Reached, Region


class Publishing:
    """A queue of entries, of which a few are stored at a time."""

    __slots__ = ("_context", "_is_begun", "_is_filling", "_keeping", "_ours", "_queue", "_refresh_at", "_storing")

    def __init__(self, context: Context, keeping: Keeping) -> None:
        self._context: Final = context
        self._keeping: Final = keeping
        self._ours: Final[dict[Kept, None]] = {}
        self._queue: Final[deque[Kept]] = deque()
        self._refresh_at = inf
        self._storing = 0
        self._is_begun = self._is_filling = False

    def add(self, kept: Kept) -> None:
        if kept not in self._ours:
            self._ours[kept] = None
            self._queue.append(kept)
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
            self._queue.extend(kept for kept in self._ours if kept not in waiting)
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
            kept = self._queue.popleft()
            replicas = self._context.parameters.replicas
            region = Region(kept.word, 0, replicas, replicas)
            Navigation(self._context, region, UPKEEP, partial(self._store, kept)).begin()
        self._is_filling = False

    def _store(self, kept: Kept, reached: Reached) -> None:
        for node in reached.nodes:
            if node == self._context.own:
                self._keeping.keep(kept)
            else:
                self._keeping.send_to(node.address, [kept])
        self._storing -= 1
        self._fill()
