"""One neighbour: everything the mind knows of it. The other modules of this package each change their own part."""

from collections import deque
from dataclasses import dataclass, field

from peer.bittorrent.engine.download.pipeline import Pipeline
from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.rates import Rate
from peer.bittorrent.engine.strategy import Candidate, Garbage
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.messages import Message, Request
from peer.net.address import Address


@dataclass(slots=True, eq=False)
class Conversation:
    """What was agreed with the other end, and when it last spoke."""

    connected_at: float
    handshaken_at: float | None = None
    peer_id: bytes = b""
    is_fast: bool = False
    is_extended: bool = False
    extensions: dict[str, int] = field(default_factory=dict)
    """The ids that the neighbour wants its extension messages under."""
    listens_on: int | None = None
    """The port that it says it listens on; the connection's own port tells only of those that we dialled."""
    has_claimed: bool = False
    """It said what it has: a bitfield may not come again."""
    last_heard: float = 0
    last_said: float = 0
    unsaid: list[Message] = field(default_factory=list)
    """Messages that wait for company (`Outbox.send_along`)."""


@dataclass(slots=True, eq=False)
class Uploading:
    """What we give it."""

    rate: Rate
    is_unchoked: bool = False
    unchoked_at: float = 0
    sent_when_unchoked: int = 0
    is_interested: bool = False
    limit: float | None = None
    garbage: Garbage = Garbage.NEVER
    queue: deque[Request] = field(default_factory=deque)
    """Requests in the order in which they came; those handed out for sending are not here any more."""
    free_pieces: frozenset[int] = frozenset()
    """The allowed-fast set: these are served even while it is choked."""
    refused: int = 0
    """Requests that came while it was choked, since it was."""


@dataclass(slots=True, eq=False)
class Downloading:
    """What it gives us."""

    rate: Rate
    pipeline: Pipeline
    unchokes_us: bool = False
    interests_us: bool = False
    is_snubbed: bool = False
    is_source: bool = True
    """Our strategy wants blocks from it."""
    free_pieces: set[int] = field(default_factory=set)
    """It serves these even while it chokes us."""
    waiting_since: float = 0
    """When the last block came, or when we first asked after nothing was asked."""
    unasked: int = 0
    """Bytes of blocks that nobody asked for."""
    have_count_before: int = 0
    have_counted_at: float = 0


@dataclass(slots=True, eq=False)
class Neighbour:
    """A connection, from when it was made to when it ends."""

    key: int
    address: Address
    is_outgoing: bool
    conversation: Conversation
    up: Uploading
    down: Downloading
    bitfield: Bitfield | None = None
    """None until the torrent is known."""
    claims: list[Message] = field(default_factory=list)
    """What it said it has before the torrent was known."""
    face: int = 0
    """Which of our identities it knows."""
    traced: tuple[int, int] = (0, 0)
    """Bytes received and sent that the trace has told."""

    @property
    def is_handshaken(self) -> bool:
        """Whether the other end is known to be in our swarm."""
        return self.conversation.handshaken_at is not None

    @property
    def is_seed(self) -> bool:
        """Whether it said that it has everything."""
        return self.bitfield is not None and self.bitfield.is_full

    def note_round(self, now: float) -> None:
        """Begin to count anew what it announces."""
        self.down.have_count_before = 0 if self.bitfield is None else self.bitfield.count
        self.down.have_counted_at = now

    @property
    def listening_address(self) -> Address | None:
        """Where others can reach it, if that is known."""
        if self.conversation.listens_on is not None:
            return Address(self.address.host, self.conversation.listens_on)
        return self.address if self.is_outgoing else None


def make_neighbour(
    key: int, address: Address, now: float, profile: Profile, *, is_outgoing: bool, face: int = 0
) -> Neighbour:
    """Note a connection that was just made."""
    return Neighbour(
        key,
        address,
        is_outgoing,
        Conversation(now, last_heard=now, last_said=now),
        Uploading(Rate(profile.rate_window, now)),
        Downloading(Rate(profile.rate_window, now), Pipeline(profile)),
        face=face,
    )


def snapshot(neighbour: Neighbour, now: float) -> Candidate:
    """Say what strategies may see of a neighbour."""
    up, down, bitfield = neighbour.up, neighbour.down, neighbour.bitfield
    return Candidate(
        key=neighbour.key,
        host=neighbour.address.host,
        known_for=now - (neighbour.conversation.handshaken_at or now),
        is_interested=up.is_interested,
        interests_us=down.interests_us,
        is_unchoked=up.is_unchoked,
        unchoked_for=now - up.unchoked_at if up.is_unchoked else 0,
        sent_since_unchoked=up.rate.total - up.sent_when_unchoked if up.is_unchoked else 0,
        unchokes_us=down.unchokes_us,
        is_snubbed=down.is_snubbed,
        is_seed=neighbour.is_seed,
        have_count=0 if bitfield is None else bitfield.count,
        have_rate=_have_rate(down, 0 if bitfield is None else bitfield.count, now),
        received=down.rate.total,
        sent=up.rate.total,
        received_rate=down.rate.read(now),
        sent_rate=up.rate.read(now),
    )


def _have_rate(down: Downloading, have_count: int, now: float) -> float:
    return (
        (have_count - down.have_count_before) / max(now - down.have_counted_at, 1e-3) if down.have_counted_at else 0.0
    )
