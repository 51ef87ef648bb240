"""The events of the nodes of an overlay, which find out who has what; docs/trace.md describes them for readers.

A search has the same name in the traces of all nodes: the hex digits that its messages carry, or that its first node
drew. So what it cost anywhere can be added up. Upkeep (joining, pings, stabilisation, storing) has the name "".
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from contract.events import TraceEvent

UPKEEP: Final = ""
"""The name of no search: what a node sends to keep the overlay together."""


@dataclass(frozen=True, slots=True)
class NodeJoined(TraceEvent):
    """The node takes part in the overlay: others can reach it, and it knows how to reach others."""

    event: ClassVar[str] = "node_joined"
    overlay: str
    node: str
    """Its identifier in the overlay, if it has one; otherwise its address."""
    address: str
    items: int
    """How many it shares."""


@dataclass(frozen=True, slots=True)
class SearchBegan(TraceEvent):
    """This node asks the overlay for something: an exact name, or words."""

    event: ClassVar[str] = "search_began"
    search: str
    wanted: str


@dataclass(frozen=True, slots=True)
class AnswerCame(TraceEvent):
    """This node learned that `holder` has `item`. Hops are those that the question made, where that can be known."""

    event: ClassVar[str] = "answer_came"
    search: str
    item: str
    holder: str
    hops: int | None = None


@dataclass(frozen=True, slots=True)
class SearchEnded(TraceEvent):
    """This node waits for no more answers. `outcome` is found, not_found, failed or left.

    Not found: the overlay was asked as far as it goes. Failed: it could not be asked, as no neighbour answered.
    """

    event: ClassVar[str] = "search_ended"
    search: str
    outcome: str
    answers: int
    hops: int | None
    """Of the longest way that a question of this search made before the first answer, where that can be known."""
    timeouts: int


@dataclass(frozen=True, slots=True)
class Spent(TraceEvent):
    """What this node sent and received since the last such event: (search, messages sent, bytes sent) for each search.

    Bytes are those of messages, without headers of UDP and TCP.
    """

    event: ClassVar[str] = "spent"
    sent: tuple[tuple[str, int, int], ...]
    messages_received: int
    bytes_received: int
    charged: tuple[tuple[str, int, int], ...] = ()
    """Of what came, that which searches of this node caused and senders count as upkeep: their answers do not carry the
    name. A search cost what all nodes sent for it, and what was charged to it; upkeep cost so much less."""


@dataclass(frozen=True, slots=True)
class MessageSent(TraceEvent):
    """This node sent a message for a search that is followed."""

    event: ClassVar[str] = "message_sent"
    search: str
    to: str
    """Where the message went: the other end of the connection, or of the datagram."""
    message: str
    """What kind it is: its class."""


@dataclass(frozen=True, slots=True)
class MessageCame(TraceEvent):
    """A message came, and was charged to a search that is followed: its sender counted it as upkeep."""

    event: ClassVar[str] = "message_came"
    search: str
    sender: str
    message: str


@dataclass(frozen=True, slots=True)
class NodeState(TraceEvent):
    """What the node keeps now: the addresses that it would send to, and how many entries of others it stores."""

    event: ClassVar[str] = "node_state"
    neighbours: tuple[str, ...]
    entries: int
    """Of routing tables, indexes and caches together: what grows with the size of the overlay."""


@dataclass(frozen=True, slots=True)
class NodeErred(TraceEvent):
    """A message against the protocol, or a lost neighbour that mattered; the node goes on."""

    event: ClassVar[str] = "node_erred"
    what: str
    address: str


@dataclass(frozen=True, slots=True)
class NodeLeft(TraceEvent):
    """The node left; `by_word` if it told others so."""

    event: ClassVar[str] = "node_left"
    reason: str
    by_word: bool


@dataclass(frozen=True, slots=True)
class DownloadAsked(TraceEvent):
    """This node wants a file from a holder that an answer named; it calls the holder. A search has one download."""

    event: ClassVar[str] = "download_asked"
    search: str
    item: str
    holder: str
    claimed: int
    """The participation level that this node claims, true or not."""


@dataclass(frozen=True, slots=True)
class UploadQueued(TraceEvent):
    """Somebody's request for a file of this node came in. Place 0 begins at once, 1 is next."""

    event: ClassVar[str] = "upload_queued"
    search: str
    """As the request says."""
    item: str
    source: str
    claimed: int
    """The level in the request."""
    place: int


@dataclass(frozen=True, slots=True)
class DownloadBegan(TraceEvent):
    """The holder answered that the file comes, so many bytes long."""

    event: ClassVar[str] = "download_began"
    search: str
    bytes: int


@dataclass(frozen=True, slots=True)
class DownloadEnded(TraceEvent):
    """Nothing more comes. `outcome` is done, refused (by the holder's word), failed, or left (this node left)."""

    event: ClassVar[str] = "download_ended"
    search: str
    outcome: str
    bytes: int | None
    """Of the file, that came; None where the node left."""
    why: str | None = None
    """What was wrong."""


@dataclass(frozen=True, slots=True)
class UploadEnded(TraceEvent):
    """Somebody has the file, or does not want it any more."""

    event: ClassVar[str] = "upload_ended"
    search: str
    bytes: int
    """Of the file, that were sent."""


OVERLAY_EVENTS: Final[frozenset[type[TraceEvent]]] = frozenset(
    {
        NodeJoined,
        SearchBegan,
        AnswerCame,
        SearchEnded,
        Spent,
        MessageSent,
        MessageCame,
        NodeState,
        NodeErred,
        NodeLeft,
        DownloadAsked,
        UploadQueued,
        DownloadBegan,
        DownloadEnded,
        UploadEnded,
    }
)
"""Those of this module, for readers that have no use for them."""
