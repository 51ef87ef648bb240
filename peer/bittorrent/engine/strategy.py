"""What a strategy may see and decide: five kinds of decision, their inputs and their results.

    Choker      which neighbours to serve, and how fast      allocate(ChokingView)        -> Allocation
    Picker      which piece to start next                    pick(PieceView)              -> piece or None
    Advertiser  which pieces and totals to claim             initial_bitfield(...), ...   -> pieces, TransferTotals
    PeerPolicy  how many neighbours to have, which to
                download from, how often to announce         targets(ProgressView, ...)   -> PeerTargets
    Departure   when to leave                                decide(ProgressView)         -> Leave or None

A strategy decides and never acts: it receives values, remembers what it needs of them, and returns a value that the
session carries out. Nothing here does I/O or reads a clock; `now` and the random source are passed in.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from peer.bittorrent.engine.actions import Leave
from peer.bittorrent.wire.bitfield import Bitfield


class Trigger(StrEnum):
    """Why a choker is called."""

    ROUND = "round"
    """A rechoke period has passed."""
    CHANGE = "change"
    """Between rounds: a neighbour became interested, lost interest, or left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A snapshot of one neighbour. Rates are in bytes/s over the profile's rate window, times in seconds."""

    key: int
    host: str = ""
    known_for: float = 0
    """Time since the handshake."""
    is_interested: bool = False
    """It wants a piece that we announced."""
    interests_us: bool = False
    is_unchoked: bool = False
    """Whether we unchoke it."""
    unchoked_for: float = 0
    """Time since we unchoked it; 0 while choked."""
    sent_since_unchoked: int = 0
    unchokes_us: bool = False
    is_snubbed: bool = False
    """It unchokes us and has requests of ours, but has sent no block for `snubbed_after`."""
    is_seed: bool = False
    have_count: int = 0
    have_rate: float = 0
    """Pieces/s that it announces: an estimate of its download rate."""
    received: int = 0
    """Bytes of blocks since the handshake."""
    sent: int = 0
    received_rate: float = 0
    sent_rate: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChokingView:
    """The input of a choker."""

    now: float
    trigger: Trigger
    candidates: Sequence[Candidate]
    """All neighbours that completed the handshake, in the order in which they connected."""
    is_seed: bool
    """We have all pieces."""
    capacity: float | None
    """Our upload capacity in bytes/s; None if it is not configured."""
    sent_rate: float = 0
    piece_length: int = 0
    piece_count: int = 0
    have_count: int = 0
    """How many pieces we have."""


class Garbage(StrEnum):
    """Which blocks are sent as random bytes instead of the data of the file."""

    NEVER = "never"
    """None. A piece that we lack is not served, even if we claim to have it."""
    MISSING = "missing"
    """The blocks of pieces that we lack."""
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Grant:
    """Why a neighbour is unchoked, and its rate limit in bytes/s; None means no limit of its own."""

    reason: str
    rate: float | None = None
    garbage: Garbage = Garbage.NEVER


@dataclass(frozen=True, slots=True)
class Allocation:
    """Which neighbours to unchoke, by key. All others are choked."""

    grants: Mapping[int, Grant] = field(default_factory=dict)
    refusals: Mapping[int, str] = field(default_factory=dict)
    """Why others are choked, for the trace; the reason for those not named here is `not chosen`."""


class Choker(Protocol):
    """Decides which neighbours to serve."""

    def allocate(self, view: ChokingView) -> Allocation:
        """Decide which neighbours to serve until the next call."""


class PieceView(Protocol):
    """The input of a picker: pieces that one neighbour has and we lack, and that nothing was requested of yet."""

    @property
    def have_count(self) -> int:
        """How many pieces we have."""

    @property
    def neighbour(self) -> int:
        """The key of the neighbour that has these pieces."""

    def rarest(self) -> int | None:
        """Return a random piece among those with the fewest copies in our neighbourhood; None if the view is empty."""

    def random(self) -> int | None:
        """Return a random piece; None if the view is empty."""

    def first(self) -> int | None:
        """Return the piece with the lowest index; None if the view is empty."""

    def copies(self, index: int) -> int:
        """Return how many of our neighbours have a piece."""

    def __iter__(self) -> Iterator[int]:
        """Yield all pieces in order of their index."""


class Picker(Protocol):
    """Decides which piece to start. Pieces already started are finished first, without asking the picker."""

    def pick(self, view: PieceView) -> int | None:
        """Return a piece of the view, or None to start no piece with this neighbour now."""


class TransferTotals(NamedTuple):
    """The totals that an announcement to a tracker reports, in bytes."""

    uploaded: int
    downloaded: int
    left: int


class Advertiser(Protocol):
    """Decides which pieces to claim, to which neighbours and when, and which totals to report to trackers.

    Haves are returned as pairs (neighbour, piece); those for a neighbour that has left are dropped.
    """

    def initial_bitfield(self, neighbour: int, have: Bitfield) -> Bitfield:
        """Return the pieces to claim right after the handshake."""

    def announce_to(self, index: int, neighbours: Iterable[int]) -> Iterable[int]:
        """Return the neighbours that are to learn at once that we have completed a piece."""

    def due_haves(self, now: float) -> Iterable[tuple[int, int]]:
        """Return the haves to send now; called about once a second."""

    def answer_have(self, neighbour: int, index: int) -> Iterable[tuple[int, int]]:
        """Return the haves to send because a neighbour has a piece.

        Called for each have, and for each piece of a bitfield.
        """

    def reported_totals(self, true: TransferTotals) -> TransferTotals:
        """Return the totals to report to trackers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressView:
    """How far our download is."""

    now: float
    joined_at: float
    completed_at: float | None
    have_count: int
    piece_count: int
    length: int
    """Bytes of the torrent; 0 while it is not known yet."""
    received: int
    sent: int
    neighbour_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerTargets:
    """What to aim for until the next round."""

    most_neighbours: int
    """A connection beyond this number is refused, unless a useless neighbour gives way to it."""
    dials_up_to: int
    """With this many neighbours, no further ones are dialled."""
    numwant: int
    """How many addresses to ask a tracker for."""
    announce_period: float | None = None
    """Seconds between announcements to trackers; None uses the interval that the tracker asks for."""
    most_per_host: int | None = None
    """A host with more connections than this gives way to other hosts once there are no more places; None uses the
    profile's number."""
    sources: frozenset[int] | None = None
    """The neighbours to download from; we show no interest in others. None means all neighbours.

    Unless it is None, a neighbour that connects between two rounds is not used before the next round.
    """


class PeerPolicy(Protocol):
    """Decides how many neighbours to have, how often to announce, and which neighbours to download from."""

    def targets(self, view: ProgressView, candidates: Sequence[Candidate]) -> PeerTargets:
        """Return what to aim for until the next round."""


class Departure(Protocol):
    """Decides when to leave."""

    def decide(self, view: ProgressView) -> Leave | None:
        """Return how to leave, or None to stay; called at completion and about once a second."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """The decisions of one client. Strategies may share a part; two clients never do, as parts keep state."""

    name: str
    choker: Choker
    picker: Picker
    advertiser: Advertiser
    peer_policy: PeerPolicy
    departure: Departure
    keeps_pieces: bool = True
    """Whether downloaded pieces are kept. If not, each is forgotten on arrival, so the download never ends."""
    identities: int = 1
    """How many peer ids we use in the swarm. Each has its own connections and trackers; all share the pieces."""
