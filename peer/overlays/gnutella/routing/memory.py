"""A bounded memory of GUIDs, and of the links on which they came."""

from typing import Final

OURS: Final = 0
"""In place of a link: this servent asked."""
LIFETIME: Final = 600.0
"""Seconds after which a GUID may be forgotten."""
MOST: Final = 50_000
"""GUIDs of one generation."""


class Memory:
    """Two generations: the older is forgotten when the younger is full or has lasted long enough.

    So everything is remembered for at least one lifetime, unless there are too many.
    """

    __slots__ = ("_born", "_most", "_old", "_young")

    def __init__(self, most: int = MOST) -> None:
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}
        self._born = 0.0
        self._most: Final = most

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def add(self, guid: bytes, link: int, now: float) -> None:
        if len(self._young) >= self._most or now - self._born >= LIFETIME:
            self._old, self._young, self._born = self._young, {}, now
        self._young[guid] = link

    def get(self, guid: bytes) -> int | None:
        """Return where a GUID came from, `OURS` if from here, None if it is not known."""
        found = self._young.get(guid)
        return self._old.get(guid) if found is None else found
