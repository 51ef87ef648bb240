"""The messages of Cubit, as values. `token` joins an answer to its question, `search` names what caused both."""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from contract.overlay_events import UPKEEP
from peer.net.address import Address
from peer.overlays.parts.entry import Entry


class Contact(NamedTuple):
    """A node, as others know it: its identifier is a word."""

    word: str
    address: Address


@dataclass(frozen=True, slots=True)
class FindNodes:
    """Whom do you know nearest to a word? `asker` is the sender's own word, by which it becomes known, or empty."""

    token: int
    word: str
    most: int
    asker: str
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Gossip:
    """Here are some whom I know; tell me some of yours, and who is nearest to me."""

    token: int
    asker: str
    nodes: tuple[Contact, ...]
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Nodes:
    """Some whom the sender knows, and the sender's own word."""

    token: int
    own: str
    nodes: tuple[Contact, ...]
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class FindItems:
    """What do you keep under words that are at most so many edits from this one? From one entry on."""

    token: int
    word: str
    edits: int
    first: int = 0
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Items:
    """As many of these entries as fit in a datagram, the nearest words first; `total` is how many there are."""

    token: int
    total: int
    entries: tuple[Entry, ...]
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry under a word, and the seconds that it is still kept."""

    word: str
    entry: Entry
    lifetime: int


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep these entries."""

    token: int
    entries: tuple[Kept, ...]
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Done:
    """The receipt for entries."""

    token: int
    search: str = UPKEEP


@dataclass(frozen=True, slots=True)
class Leave:
    """The sender leaves; not answered."""

    token: int
    search: str = UPKEEP


Message: TypeAlias = FindNodes | Gossip | Nodes | FindItems | Items | Keep | Done | Leave
