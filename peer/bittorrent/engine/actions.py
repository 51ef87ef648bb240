"""What the mind asks its hands to do: values, put in a list in the order they are to be done."""

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
    """Send a neighbour a message, ahead of blocks that are not on their way yet."""

    neighbour: int
    message: Message


@dataclass(frozen=True, slots=True)
class Upload:
    """The neighbour has requests waiting: whenever its connection has room, take one with `next_upload`."""

    neighbour: int


@dataclass(frozen=True, slots=True)
class LimitUpload:
    """Send this neighbour blocks at `rate` bytes/s at most; None is no limit of its own."""

    neighbour: int
    rate: float | None


@dataclass(frozen=True, slots=True)
class Divert:
    """The block that this neighbour is sending came from another one first: let the rest of its bytes pass by."""

    neighbour: int


@dataclass(frozen=True, slots=True)
class Verify:
    """Every block of the piece is in its place: compute its hash, and report with `piece_checked`."""

    index: int
    with_digests: bool = False
    """The hash of each block is wanted even if the piece is right: an earlier attempt went wrong."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect to this address, and report with `connected` or `dial_failed`."""

    address: Address
    face: int = 0
    """Which of our identities wants it."""


@dataclass(frozen=True, slots=True)
class Close:
    """End a connection once what was sent before has gone; no `disconnected` follows."""

    neighbour: int
    reason: str


@dataclass(frozen=True, slots=True)
class Announce:
    """Ask this tracker, and report with `tracker_answered` or `tracker_failed`."""

    url: str
    request: AnnounceRequest
    face: int = 0
    """Which of our identities asks."""


@dataclass(frozen=True, slots=True)
class Open:
    """The info dictionary has come from the swarm: make the storage, and call `open` with what it holds."""

    info: Info


@dataclass(frozen=True, slots=True)
class Leave:
    """The session is over. With `back_after`, start another in so many seconds, under a new peer id."""

    reason: str
    back_after: float | None = None
    forgets: bool = False
    """The other one begins with nothing of the file."""


Action: TypeAlias = Greet | Send | Upload | LimitUpload | Divert | Verify | Dial | Close | Announce | Open | Leave
