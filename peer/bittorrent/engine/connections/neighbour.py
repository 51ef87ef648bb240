"""One neighbour: everything that the engine knows of it. Each part of the engine changes its own part of this."""

from collections import deque
from dataclasses import dataclass, field

from peer.bittorrent.engine.connections.rates import Rate
from peer.bittorrent.engine.download.pipeline import Pipeline
from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Candidate, Garbage
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.messages import Message, Request
from peer.net.address import Address


@dataclass(slots=True, eq=False)
class Conversation:
    """What was agreed with the other end, and when either end last sent something."""

    connected_at: float
    handshaken_at: float | None = None
    peer_id: bytes = b""
    is_with_ourselves: bool = False
    """The other end, which closes it, is one of our identities."""
    is_fast: bool = False
    is_extended: bool = False
    has_dht: bool = False
    """It has a node of the DHT, whose port it will tell."""
    dht_port: int | None = None
    """That port, the first that it told."""
    extensions: dict[str, int] = field(default_factory=dict)
    """The ids under which the neighbour wants extension messages."""
    listens_on: int | None = None
    """The port that it says it listens on; the connection's own port is that one only if we dialled."""
    malformed: int = 0
    """Its extension messages that could not be read."""
    last_received: float = 0
    last_sent: float = 0
    delayed: list[Message] = field(default_factory=list)
    """Messages that wait for another one to go with (`Outbox.send_later`)."""


@dataclass(slots=True, eq=False)
class UploadState:
    """What we send it."""

    rate: Rate
    is_unchoked: bool = False
    unchoked_at: float = 0
    sent_when_unchoked: int = 0
    is_interested: bool = False
    limit: float | None = None
    garbage: Garbage = Garbage.NEVER
    queue: deque[Request] = field(default_factory=deque)
    """Requests in the order in which they came; those handed out for sending have left the queue."""
    free_pieces: frozenset[int] = frozenset()
    """The allowed-fast set: these are served even while it is choked."""
    refused: int = 0
    """Requests since we last unchoked it that came while it was choked, or asked for no block of this torrent."""


@dataclass(slots=True, eq=False)
class DownloadState:
    """What it sends us."""

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
    """When the last block came, or when we sent a request after none was outstanding."""
    unrequested: int = 0
    """Bytes of blocks that we did not request."""
    have_count_before: int = 0
    have_counted_at: float = 0


@dataclass(slots=True, eq=False)
class Neighbour:
    """A connection, from when it was made to when it ends."""

    key: int
    address: Address
    is_outgoing: bool
    conversation: Conversation
    up: UploadState
    down: DownloadState
    bitfield: Bitfield | None = None
    """None until the torrent is known."""
    early_messages: list[Message] = field(default_factory=list)
    """What it sent before the torrent was known."""
    identity: int = 0
    """Which of our identities it is connected with."""
    traced: tuple[int, int] = (0, 0)
    """Bytes received and sent that are in the trace."""

    @property
    def is_handshaken(self) -> bool:
        """Whether the other end has shown that it is in our swarm."""
        return self.conversation.handshaken_at is not None

    @property
    def is_seed(self) -> bool:
        """Whether it announced all pieces."""
        return self.bitfield is not None and self.bitfield.is_full

    def start_round(self, now: float) -> None:
        """Count from here what it announces."""
        self.down.have_count_before = 0 if self.bitfield is None else self.bitfield.count
        self.down.have_counted_at = now

    @property
    def listening_address(self) -> Address | None:
        """Where other peers can dial it, if that is known."""
        if self.conversation.listens_on is not None:
            return Address(self.address.host, self.conversation.listens_on)
        return self.address if self.is_outgoing else None


def make_neighbour(
    key: int, address: Address, now: float, profile: Profile, *, is_outgoing: bool, identity: int = 0
) -> Neighbour:
    return Neighbour(
        key,
        address,
        is_outgoing,
        Conversation(now, last_received=now, last_sent=now),
        UploadState(Rate(profile.rate_window, now)),
        DownloadState(Rate(profile.rate_window, now), Pipeline(profile)),
        identity=identity,
    )


def snapshot(neighbour: Neighbour, now: float) -> Candidate:
    """Return what strategies may see of a neighbour."""
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


def _have_rate(down: DownloadState, have_count: int, now: float) -> float:
    return (
        (have_count - down.have_count_before) / max(now - down.have_counted_at, 1e-3) if down.have_counted_at else 0.0
    )
