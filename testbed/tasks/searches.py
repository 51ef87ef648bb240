"""Searches of a trial as they can be shown again: who told whom what, and when. Times are seconds after t = 0."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, NamedTuple

Judgement = Literal["right", "stale", "wrong"]


class Tier(IntEnum):
    """How far from the middle a host is drawn."""

    MIDDLE = 0
    INNER = 1
    OUTER = 2


class Presence(NamedTuple):
    """A time in which a host took part."""

    begin: float
    end: float
    place: float | None
    """Where its identifier lies, from 0 to 1 of all identifiers; None for overlays in which that means nothing."""


@dataclass(frozen=True, slots=True)
class Member:
    """A host of the overlay."""

    name: str
    group: str
    role: str
    tier: Tier
    lives: tuple[Presence, ...]


class Acquaintance(NamedTuple):
    """A time in which one of two hosts, or both, would have sent to the other."""

    one: str
    other: str
    begin: float
    end: float


class Passed(NamedTuple):
    """A message from host to host. One of its two times is in a trace; the other is as far away as links delay it."""

    sent: float
    came: float
    sender: str
    receiver: str
    kind: str


class Found(NamedTuple):
    """An answer that the node which asked got to know."""

    t: float
    holder: str
    """The host's name; an address for a stranger."""
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class ShownSearch:
    """A search with all its messages."""

    node: str
    wanted: str
    key: float | None
    """Where its key lies among identifiers; None if there is no such thing."""
    began: float
    ended: float | None
    outcome: str
    """Empty if it never ended."""
    hops: int | None
    timeouts: int
    holders: tuple[str, ...]
    """The hosts that had what was meant, and were to be there."""
    answers: tuple[Found, ...]
    messages: tuple[Passed, ...]
    """In the order in which they were sent."""


@dataclass(frozen=True, slots=True)
class ShownSearches:
    """The searches of a trial that were followed, and the overlay in which they were."""

    overlay: str
    """What it is called."""
    members: tuple[Member, ...]
    acquaintances: tuple[Acquaintance, ...]
    answering: frozenset[str]
    """The kinds of messages that go back to who asked."""
    searches: tuple[ShownSearch, ...]
