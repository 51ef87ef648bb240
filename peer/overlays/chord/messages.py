"""The messages of Chord, as values. `token` joins an answer to its question.

`search` is the name of the search that caused the message, or empty: nodes that pass it on and answer repeat it, so
that each search's cost can be added up wherever it arose. Targets are places on the ring, keys are all 20 bytes.
"""

from dataclasses import dataclass
from typing import TypeAlias

from contract.overlay_events import UPKEEP
from peer.net.address import Address


@dataclass(frozen=True, slots=True)
class FindNext:
    """Who is next on the way to a place? `dead` did not answer whoever asks, and is not named again."""

    token: int
    target: int
    dead: tuple[Address, ...] = ()
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Next:
    """The next node to ask; or, if `is_final`, the place's own node and those after it. None: nobody is known."""

    token: int
    is_final: bool
    nodes: tuple[Address, ...]
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Route:
    """Pass this on towards a place, and tell `origin`, with its `question`. `hops` were made when it arrives."""

    token: int
    target: int
    origin: Address
    question: int
    hops: int
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Routed:
    """What became of a question that was passed on: the place's own node and those after it. `token` is `question`."""

    token: int
    hops: int
    nodes: tuple[Address, ...]
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class AskNeighbours:
    """Who are your neighbours? The first half of stabilisation."""

    token: int
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Who precedes and who succeeds the sender."""

    token: int
    predecessor: Address | None
    successors: tuple[Address, ...]
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Notify:
    """The sender might be your predecessor; not answered."""

    token: int
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Leave:
    """The sender leaves; these were its neighbours. Not answered."""

    token: int
    predecessor: Address | None
    successors: tuple[Address, ...]
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there?"""

    token: int
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Done:
    """The receipt for a ping, for pairs, or for a question that is passed on."""

    token: int
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Pair:
    """One value of a key, and the seconds that it is still kept."""

    key: bytes
    value: bytes
    lifetime: int


@dataclass(frozen=True, slots=True)
class Store:
    """Keep these pairs. Unless they are copies, see to their copies; and if somebody now stands between, pass them on.

    `moves` is how often they may still be passed on, so that nobody sends them around the ring.
    """

    token: int
    is_copy: bool
    pairs: tuple[Pair, ...]
    moves: int = 0
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Retrieve:
    """Tell at most so many values of a key, from one on."""

    token: int
    key: bytes
    first: int = 0
    most: int = 0xFFFF
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Values:
    """As many of the asked values as fit in a datagram; `total` is how many there are."""

    token: int
    total: int
    values: tuple[bytes, ...]
    search: str = UPKEEP


Message: TypeAlias = (
    FindNext
    | Next
    | Route
    | Routed
    | AskNeighbours
    | Neighbours
    | Notify
    | Leave
    | Ping
    | Done
    | Store
    | Retrieve
    | Values
)
