"""The latest value of something, for any number of listeners who may be slow: they skip what they have missed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class Channel(Generic[T]):
    """Tells its listeners each new value, and a new listener the present one."""

    value: T | None = None
    _listeners: set[asyncio.Event] = field(default_factory=set)
    _is_closed: bool = False

    @property
    def has_listeners(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def publish(self, value: T) -> None:
        """Tell a value, unless it is the present one."""
        if value != self.value:
            self.value = value
            self._wake()

    def close(self) -> None:
        """Tell all listeners that this was all."""
        self._is_closed = True
        self._wake()

    def _wake(self) -> None:
        for listener in self._listeners:
            listener.set()

    async def values(self) -> AsyncIterator[T]:
        """Yield the present value, if there is one, and then each new one."""
        listener = asyncio.Event()
        if self.value is not None or self._is_closed:
            listener.set()
        self._listeners.add(listener)
        try:
            while await listener.wait() and not self._is_closed:
                listener.clear()
                if self.value is not None:
                    yield self.value
        finally:
            self._listeners.discard(listener)
