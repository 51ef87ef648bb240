"""The seam of strategies: five kinds of decision, what each may see, and what it returns.

    Choker     whom to serve, and how fast     allot(ChokingView)      -> Allocation
    Picker     which piece to begin            pick(PieceView)         -> piece or None
    Advertiser     what to say that we have,
               and have moved                  first_words(...), ...   -> pieces, Tally
    PeerPolicy   how many neighbours, which
               to ask, how often to announce   wish(ProgressView, ...) -> PeerTargets
    Departure  when to go                      decide(ProgressView)    -> Leave or None

A strategy decides and never acts: it gets values, keeps what it likes of them, and returns a value. The session makes
it true. Nothing here does I/O or knows a clock; `now` and the random source come in.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from peer.bittorrent.engine.actions import Leave
from peer.bittorrent.wire.bitfield import Bitfield


class Trigger(StrEnum):
    """Why a choker is asked."""

    ROUND = "round"
    """A rechoke period has passed."""
    CHANGE = "change"
    """In between: somebody became interested, lost interest, or left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What a strategy sees of a neighbour: a snapshot. Rates in bytes/s over the profile's window, times in seconds."""

    key: int
    host: str = ""
    known_for: float = 0
    """Since the handshake."""
    is_interested: bool = False
    """It wants something that we have."""
    interests_us: bool = False
    is_unchoked: bool = False
    """By us."""
    unchoked_for: float = 0
    """Since we unchoked it; 0 while choked."""
    sent_since_unchoked: int = 0
    unchokes_us: bool = False
    is_snubbed: bool = False
    """It unchoked us, we asked, and for `snubbed_after` no block came."""
    is_seed: bool = False
    have_count: int = 0
    have_rate: float = 0
    """Pieces/s that it announced: an estimate of how fast it downloads."""
    received: int = 0
    """Bytes of blocks, ever."""
    sent: int = 0
    received_rate: float = 0
    sent_rate: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChokingView:
    """What a choker sees."""

    now: float
    trigger: Trigger
    candidates: Sequence[Candidate]
    """All neighbours that shook hands, in the order in which they came."""
    is_seed: bool
    """We have everything."""
    capacity: float | None
    """Our upload in bytes/s, if we were told."""
    sent_rate: float = 0
    piece_length: int = 0
    piece_count: int = 0
    have_count: int = 0
    """Our pieces."""


class Garbage(StrEnum):
    """Which blocks hold random bytes instead of the file's."""

    NEVER = "never"
    """A piece that we lack is not served, whatever we claim."""
    MISSING = "missing"
    """Those of pieces that we lack."""
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Grant:
    """Why a neighbour is unchoked, and at which rate (bytes/s) at most; None is no limit of its own."""

    reason: str
    rate: float | None = None
    garbage: Garbage = Garbage.NEVER


@dataclass(frozen=True, slots=True)
class Allocation:
    """Whom to serve. Who is not in it is choked."""

    grants: Mapping[int, Grant] = field(default_factory=dict)
    refusals: Mapping[int, str] = field(default_factory=dict)
    """Why others are choked, for the trace; unnamed ones were `not chosen`."""


class Choker(Protocol):
    """Decides whom to serve."""

    def allot(self, view: ChokingView) -> Allocation:
        """Decide for the time until the next call."""


class PieceView(Protocol):
    """The pieces that one neighbour has, that we lack and that nobody was asked for yet: what a picker sees."""

    @property
    def completed(self) -> int:
        """How many pieces we have."""

    @property
    def neighbour(self) -> int:
        """Whose pieces these are."""

    def rarest(self) -> int | None:
        """Return one of those with the fewest copies among our neighbours, by chance; None if there is no piece."""

    def random(self) -> int | None:
        """Return any of them, by chance."""

    def first(self) -> int | None:
        """Return the one with the lowest index."""

    def copies(self, index: int) -> int:
        """Return how many neighbours have a piece."""

    def __iter__(self) -> Iterator[int]:
        """Yield them all, in order."""


class Picker(Protocol):
    """Decides which piece to begin. A piece once begun is finished first: that is not the picker's."""

    def pick(self, view: PieceView) -> int | None:
        """Return a piece of the view, or None to ask this neighbour for nothing new now."""


class Tally(NamedTuple):
    """What a tracker is told of us, in bytes."""

    uploaded: int
    downloaded: int
    left: int


class Advertiser(Protocol):
    """Decides what to say that we have, and have moved."""

    def first_words(self, neighbour: int, have: Bitfield) -> Bitfield:
        """Return what to claim in the first message."""

    def completed(self, index: int, neighbours: Iterable[int]) -> Iterable[int]:
        """Return whom to tell at once that we have a new piece."""

    def later(self, now: float) -> Iterable[tuple[int, int]]:
        """Return the haves to send now, as (neighbour, piece); asked about once a second.

        What is for a neighbour that has gone is dropped.
        """

    def heard(self, neighbour: int, index: int) -> Iterable[tuple[int, int]]:
        """Return the haves to send because a neighbour has a piece, as (neighbour, piece).

        Asked for each piece of a bitfield, and for each have.
        """

    def tally(self, true: Tally) -> Tally:
        """Return what to tell trackers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressView:
    """How far we are."""

    now: float
    joined_at: float
    completed_at: float | None
    have_count: int
    piece_count: int
    length: int
    """Bytes of the torrent; 0 until known."""
    received: int
    sent: int
    neighbour_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerTargets:
    """What to strive for until the next round."""

    most_neighbours: int
    dials_up_to: int
    numwant: int
    announce_period: float | None = None
    """Seconds between announcements, whatever the tracker says; None leaves it to the tracker."""
    sources: frozenset[int] | None = None
    """The neighbours to ask for blocks, so that in others we show no interest; None is all.

    Unless it is None, whoever comes between two rounds is asked for nothing before the next.
    """


class PeerPolicy(Protocol):
    """Decides how many neighbours to have, how often to announce, and whom to ask."""

    def targets(self, view: ProgressView, candidates: Sequence[Candidate]) -> PeerTargets:
        """Decide for the time until the next round."""


class Departure(Protocol):
    """Decides when to go."""

    def decide(self, view: ProgressView) -> Leave | None:
        """Return how to leave, or None to stay; asked at completion and about once a second."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """One client's decisions. Each part may be shared with other strategies, never with another client."""

    name: str
    choker: Choker
    picker: Picker
    advertiser: Advertiser
    peer_policy: PeerPolicy
    departure: Departure
    keeps: bool = True
    """Whether pieces are kept. Without it each is forgotten as soon as it is here, and there is always all to take."""
    identities: int = 1
    """As how many clients we are in the swarm: each has connections and trackers of its own; all share the pieces."""
