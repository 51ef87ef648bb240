"""The pairs that a node keeps, each for its time."""

from collections.abc import Iterator
from typing import Final


class Pairs:
    """Values of keys, with the times at which they are dropped. There are no more than the limits allow."""

    __slots__ = ("_by_key", "_most", "_most_of_key", "count")

    def __init__(self, most: int, most_of_key: int) -> None:
        self._most: Final = most
        self._most_of_key: Final = most_of_key
        self._by_key: Final[dict[bytes, dict[bytes, float]]] = {}
        self.count = 0

    def keep(self, key: bytes, value: bytes, until: float) -> bool:
        """Keep a value, or keep it longer; returns whether it is new. If there is no room, it is not kept."""
        values = self._by_key.get(key)
        if values is not None and value in values:
            values[value] = max(values[value], until)
            return False
        if self.count >= self._most or (values is not None and len(values) >= self._most_of_key):
            return False
        self._by_key.setdefault(key, {})[value] = until
        self.count += 1
        return True

    def values(self, key: bytes, now: float) -> list[bytes]:
        """Return a key's values, in the order in which they came."""
        return [value for value, until in self._by_key.get(key, {}).items() if until > now]

    def all_keys(self) -> list[bytes]:
        return list(self._by_key)

    def all(self, now: float) -> Iterator[tuple[bytes, bytes, float]]:
        """Yield each key, value and time at which it is dropped."""
        for key, values in self._by_key.items():
            for value, until in values.items():
                if until > now:
                    yield key, value, until

    def drop_old(self, now: float) -> None:
        for key, values in list(self._by_key.items()):
            for value in [value for value, until in values.items() if until <= now]:
                self.drop(key, value)

    def drop(self, key: bytes, value: bytes) -> None:
        values = self._by_key.get(key, {})
        if values.pop(value, None) is not None:
            self.count -= 1
            if not values:
                del self._by_key[key]
