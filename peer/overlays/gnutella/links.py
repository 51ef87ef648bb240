"""The connections of a servent, and what the other ends are."""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from peer.net.address import Address
from peer.overlays.gnutella.tables.exchange import Outgoing
from peer.overlays.gnutella.tables.receiving import Incoming


class Stage(Enum):
    """How far a handshake is."""

    CALLED = auto()
    """We dialled and said who we are; the answer is awaited."""
    CALLING = auto()
    """Somebody connected; what they say is awaited."""
    ANSWERED = auto()
    """We said yes to who connected; the last word is awaited."""
    OPEN = auto()


class Other(Enum):
    """What the other end is to us."""

    PEER = auto()
    """A servent without ultrapeers."""
    ULTRAPEER = auto()
    LEAF = auto()


@dataclass(slots=True, eq=False)
class Link:
    """One connection."""

    number: int
    address: Address
    """Where the other end listens; until it says so, where it comes from."""
    stage: Stage
    deadline: float
    """Until when the handshake may last."""
    other: Other = Other.PEER
    degree: int = 6
    """How many ultrapeers it says it has; 6 is what they had before they said so."""
    most_ttl: int = 7
    """Of questions that begin with us."""
    level: int = 10
    """The participation level that it claims."""
    takes_tables: bool = False
    incoming: Incoming = field(default_factory=Incoming)
    """Its route table."""
    outgoing: Outgoing = field(default_factory=Outgoing)
    """Ours, as far as it knows it."""
    ping_from: float = 0.0
    """When the next ping is taken from it."""
    ping_guid: bytes = b""
    """Of its last ping."""
    pongs_due: int = 0


class Links:
    """All connections of a servent, by number."""

    def __init__(self) -> None:
        self.all: Final[dict[int, Link]] = {}
        self.peers: list[Link] = []
        """Open ones with ultrapeers, or with peers: where questions go on."""
        self.leaves: list[Link] = []
        """Open ones with our leaves."""

    def add(self, link: Link) -> None:
        self.all[link.number] = link

    def remove(self, number: int) -> Link | None:
        """Forget a connection."""
        link = self.all.pop(number, None)
        if link is not None and link.stage is Stage.OPEN:
            self._arrange()
        return link

    def open(self, link: Link) -> None:
        link.stage = Stage.OPEN
        self._arrange()

    def _arrange(self) -> None:
        are_open = [link for link in self.all.values() if link.stage is Stage.OPEN]
        self.peers = [link for link in are_open if link.other is not Other.LEAF]
        self.leaves = [link for link in are_open if link.other is Other.LEAF]

    def taken(self, other: Other) -> int:
        """Return how many places are taken by a kind: those that are open, and those to which we said yes."""
        stages = (Stage.OPEN, Stage.ANSWERED)
        return sum(link.other is other and link.stage in stages for link in self.all.values())

    def with_address(self, address: Address) -> Link | None:
        """Return a connection with a servent whose address is known to be this."""
        return next(
            (link for link in self.all.values() if link.address == address and link.stage is not Stage.CALLING), None
        )

    def called(self) -> int:
        return sum(link.stage is Stage.CALLED for link in self.all.values())
