"""What the engine asks the client to do: values, listed in the order in which they are to be done."""

from dataclasses import dataclass
from typing import TypeAlias

from peer.bittorrent.wire.messages import Message
from peer.bittorrent.wire.metainfo.metainfo import Info
from peer.bittorrent.wire.tracker.messages import AnnounceRequest
from peer.net.address import Address


@dataclass(frozen=True, slots=True)
class Greet:
    """Send a neighbour the first 68 bytes."""

    neighbour: int
    handshake: bytes


@dataclass(frozen=True, slots=True)
class Send:
    """Send a neighbour a message, ahead of blocks of which no byte was sent yet."""

    neighbour: int
    message: Message


@dataclass(frozen=True, slots=True)
class OfferBlocks:
    """The neighbour has requests waiting: whenever its connection has room, take one with `next_block`."""

    neighbour: int


@dataclass(frozen=True, slots=True)
class LimitUpload:
    """Send this neighbour blocks at `rate` bytes/s at most; None is no limit for it alone."""

    neighbour: int
    rate: float | None


@dataclass(frozen=True, slots=True)
class Divert:
    """The block that this neighbour is sending was received from another one first: drop the rest of its bytes."""

    neighbour: int


@dataclass(frozen=True, slots=True)
class Verify:
    """All blocks of the piece are in place: compute its hash, and report with `piece_checked`."""

    index: int
    with_digests: bool = False
    """Report the hash of each block even if the piece is right: an earlier attempt was wrong."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect to this address, and report with `connected` or `dial_failed`."""

    address: Address
    identity: int = 0
    """Which of our identities dials."""


@dataclass(frozen=True, slots=True)
class Close:
    """End a connection once everything before this was sent; no `disconnected` follows."""

    neighbour: int
    reason: str


@dataclass(frozen=True, slots=True)
class Announce:
    """Announce to this tracker, and report with `tracker_answered` or `tracker_failed`."""

    url: str
    request: AnnounceRequest
    identity: int = 0
    """Which of our identities announces itself."""


@dataclass(frozen=True, slots=True)
class AnnounceToDht:
    """Announce to the DHT that a peer listens at `port`; report with `peers_found`, and then once `dht_ended`."""

    port: int
    identity: int = 0
    """Which of our identities listens there."""


@dataclass(frozen=True, slots=True)
class MeetDhtNode:
    """A neighbour said that it has a node of the DHT at this address: get to know it."""

    address: Address


@dataclass(frozen=True, slots=True)
class Open:
    """The info dictionary came from the swarm: open the storage, and report what it holds with `torrent_opened`."""

    info: Info


@dataclass(frozen=True, slots=True)
class Leave:
    """The session is over. With `back_after`, start another one that many seconds later, with a new peer id."""

    reason: str
    back_after: float | None = None
    forgets: bool = False
    """The other session starts without pieces."""


Action: TypeAlias = (
    Greet
    | Send
    | OfferBlocks
    | LimitUpload
    | Divert
    | Verify
    | Dial
    | Close
    | Announce
    | AnnounceToDht
    | MeetDhtNode
    | Open
    | Leave
)
