"""A queue of those who want a file from us: whoever claims the highest level goes first.

It is pure: it says who may begin, and is told who has ended. Nobody who has begun is interrupted.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, TypeVar

Who = TypeVar("Who", bound=Hashable)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where somebody stands: the higher level first, then who came first."""

    lowness: int
    arrival: int


@dataclass(slots=True)
class UploadQueue(Generic[Who]):
    """Uploads that run, and those who wait for one."""

    slots: int = 4
    """Uploads at a time."""
    most_waiting: int = 100
    by_level: bool = True
    """False: first come, first served, to compare with."""
    running: set[Who] = field(default_factory=set)
    _waiting: dict[Who, Place] = field(default_factory=dict)
    _arrivals: Iterator[int] = field(default_factory=count)

    def ask(self, who: Who, level: int) -> bool:
        """Want an upload; returns whether one may begin now. Who asks again keeps the place, with the level of now.

        If too many wait, the last of them has to go, which may be the one who asks.
        """
        if who in self.running:
            return True
        arrival = self._waiting[who].arrival if who in self._waiting else next(self._arrivals)
        self._waiting[who] = Place(-level if self.by_level else 0, arrival)
        began = self._begin_next()
        if len(self._waiting) > self.most_waiting:
            del self._waiting[self.order[-1]]
        return who in began

    def ended(self, who: Who) -> list[Who]:
        """Note that somebody is served or gone; returns those who may begin now."""
        self.running.discard(who)
        self._waiting.pop(who, None)
        return self._begin_next()

    @property
    def order(self) -> list[Who]:
        """Those who wait, in the order in which they will be served if nobody else comes."""
        return sorted(self._waiting, key=self._waiting.__getitem__)

    def place_of(self, who: Who) -> int | None:
        """Return somebody's place in the queue, from 1; 0 if the upload runs, None if it is not here."""
        if who in self.running:
            return 0
        return self.order.index(who) + 1 if who in self._waiting else None

    def _begin_next(self) -> list[Who]:
        chosen = self.order[: max(0, self.slots - len(self.running))]
        for who in chosen:
            del self._waiting[who]
            self.running.add(who)
        return chosen
