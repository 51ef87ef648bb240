"""The info dictionary from the swarm (BEP 9): fetching it with nothing but its hash, and giving it to others.

A neighbour says in its handshake how long the dictionary is; it comes in pieces of 16 KiB, which have no hashes of
their own. Only the whole can be checked, so liars are found like this:

    attempt at a size ---- all pieces there ---- hash right --> found
         |  ^                                `-- hash wrong --> its contributors are named; a single one is a liar,
         |  |                                                   and is asked no more
         |  `-- the size that failed least often, then the one that most neighbours state
         `-- nobody left who would send a piece --> another attempt, when there is somebody

The first attempt at a size spreads its pieces over all that state it. After a failure each attempt takes all pieces
from one neighbour, so that the next failure tells who lies. There is one attempt at a time, and so one buffer.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha1
from math import inf
from random import Random
from typing import Final, TypeAlias

from peer.bittorrent.wire.extensions import (
    METADATA_PIECE,
    MetadataData,
    MetadataReject,
    MetadataRequest,
    metadata_piece_size,
)
from peer.bittorrent.wire.metainfo.metainfo import Info, decode_info
from peer.errors import WireError

MOST_METADATA: Final = 8 << 20
MOST_ASKED: Final = 8
"""Requests on their way, of all neighbours together."""
MOST_ASKED_EACH: Final = 2
PATIENCE: Final = 10.0
"""Seconds within which a piece is to come."""
REST: Final = 30.0
"""Seconds for which a neighbour is not asked that refused, or let us wait."""
SHARE_PERIOD: Final = 60.0
SPARE_REQUESTS: Final = 8
"""In a period, a neighbour may ask for the whole twice and for so many pieces more."""


@dataclass(frozen=True, slots=True)
class WrongMetadata:
    """The dictionary was whole and its hash is wrong. A single contributor has lied; of several, one has or more."""

    contributors: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UnusableMetadata:
    """The dictionary is what the magnet link asked for, and makes no sense: the link is of no use."""

    problem: str


Outcome: TypeAlias = Info | WrongMetadata | UnusableMetadata


@dataclass(slots=True, eq=False)
class _Source:
    """A neighbour that says it has the dictionary."""

    size: int
    asked: dict[int, float] = field(default_factory=dict)
    """Pieces on their way, and when each is overdue."""
    overdue: set[int] = field(default_factory=set)
    """Pieces that others are asked for by now; welcome all the same."""
    rests_until: float = -inf
    """Until when it is not asked; -inf while it is."""

    def expects(self, piece: int) -> bool:
        """Whether a piece was asked of it and has not come; it is expected once."""
        if self.asked.pop(piece, None) is not None:
            return True
        was_overdue = piece in self.overdue
        self.overdue.discard(piece)
        return was_overdue


class _Attempt:
    """Pieces of a dictionary of one size; `only` is the neighbour they are all to come from, if there is one."""

    def __init__(self, size: int, only: int | None) -> None:
        self.size = size
        self.only = only
        self._pieces: dict[int, bytes] = {}
        self._senders: dict[int, int] = {}

    @property
    def contributors(self) -> tuple[int, ...]:
        """Who sent the pieces."""
        return tuple(dict.fromkeys(self._senders.values()))

    @property
    def is_whole(self) -> bool:
        """Whether no piece is missing."""
        return len(self._pieces) == piece_count(self.size)

    def missing(self) -> Iterator[int]:
        """Yield the pieces that have not come."""
        return (piece for piece in range(piece_count(self.size)) if piece not in self._pieces)

    def wants(self, key: int, message: MetadataData) -> bool:
        """Whether a neighbour's piece belongs here."""
        is_ours = message.total_size == self.size and self.only in {None, key}
        return is_ours and message.piece not in self._pieces

    def put(self, key: int, message: MetadataData) -> None:
        """Take a piece in."""
        self._pieces[message.piece] = message.data
        self._senders[message.piece] = key

    def whole(self) -> bytes:
        """Return the dictionary."""
        return b"".join(self._pieces[piece] for piece in range(piece_count(self.size)))


class MetadataFetch:
    """Fetches one info dictionary from neighbours, known by their keys."""

    def __init__(self, info_hash: bytes, rng: Random) -> None:
        self._info_hash = info_hash
        self._rng = rng
        self._sources: dict[int, _Source] = {}
        self._liars: set[int] = set()
        self._failures: Counter[int] = Counter()
        """Attempts at each size that ended with a wrong hash."""
        self._attempt: _Attempt | None = None
        self._is_over = False

    def offered(self, key: int, size: int | None) -> None:
        """Take note of the size that a neighbour states, which answers requests; None if it states none any more."""
        known = self._sources.get(key)
        if known is not None and known.size == size:
            return
        self._sources.pop(key, None)
        if size is not None and 0 < size <= MOST_METADATA and key not in self._liars:
            self._sources[key] = _Source(size)

    def parted(self, key: int) -> None:
        """Forget a neighbour; others are asked for what it was asked for."""
        self._sources.pop(key, None)
        self._liars.discard(key)

    def requests(self, now: float) -> list[tuple[int, MetadataRequest]]:
        """Return what to ask of whom now, and regard it as asked; to be called whenever anything was heard, too."""
        if self._is_over:
            return []
        for source in self._sources.values():
            _look_at_clock(source, now)
        if self._attempt is None or not self._has_helper(self._attempt):
            self._attempt = self._next_attempt() or self._attempt
        return [] if self._attempt is None else list(self._ask(self._attempt, now))

    def received(self, key: int, message: MetadataData | MetadataReject, now: float) -> Outcome | None:
        """Take a neighbour's answer; None if it settles nothing. What was not asked of it is left aside."""
        source = self._sources.get(key)
        if source is None or not source.expects(message.piece):
            return None
        if isinstance(message, MetadataReject):
            source.rests_until = now + REST
            return None
        attempt = self._attempt
        if attempt is None or not attempt.wants(key, message):
            return None
        attempt.put(key, message)
        return self._check(attempt) if attempt.is_whole else None

    def next_deadline(self) -> float:
        """Return when to call `requests` again, if nothing is heard before."""
        if self._is_over:
            return inf
        sources = self._sources.values()
        overdue = (time for source in sources for time in source.asked.values())
        rested = (source.rests_until for source in sources if source.rests_until > -inf)
        return min([*overdue, *rested], default=inf)

    def _has_helper(self, attempt: _Attempt) -> bool:
        return any(source.asked or source.rests_until == -inf for _, source in self._helpers(attempt))

    def _helpers(self, attempt: _Attempt) -> list[tuple[int, _Source]]:
        everybody = self._sources.items()
        return [(key, each) for key, each in everybody if each.size == attempt.size and attempt.only in {None, key}]

    def _next_attempt(self) -> _Attempt | None:
        willing = {key: source.size for key, source in self._sources.items() if source.rests_until == -inf}
        if not willing:
            return None
        votes = Counter(willing.values())
        size = min(votes, key=lambda size: (self._failures[size], -votes[size]))
        if not self._failures[size]:
            return _Attempt(size, None)
        return _Attempt(size, self._rng.choice([key for key, its_size in willing.items() if its_size == size]))

    def _ask(self, attempt: _Attempt, now: float) -> Iterator[tuple[int, MetadataRequest]]:
        helpers = self._helpers(attempt)
        asked = {piece for _, source in helpers for piece in source.asked}
        for piece in attempt.missing():
            if len(asked) >= MOST_ASKED:
                return
            if piece not in asked:
                key = self._least_busy(helpers)
                if key is None:
                    return
                self._sources[key].asked[piece] = now + PATIENCE
                asked.add(piece)
                yield key, MetadataRequest(piece)

    def _least_busy(self, helpers: list[tuple[int, _Source]]) -> int | None:
        """Choose whom to ask, by chance among those with the fewest requests."""
        awake = [(len(source.asked), key) for key, source in helpers if source.rests_until == -inf]
        free = [(count, key) for count, key in awake if count < MOST_ASKED_EACH]
        if not free:
            return None
        fewest = min(free)[0]
        return self._rng.choice([key for count, key in free if count == fewest])

    def _check(self, attempt: _Attempt) -> Outcome:
        raw = attempt.whole()
        if sha1(raw, usedforsecurity=False).digest() != self._info_hash:
            return self._failed(attempt)
        self._is_over = True
        self._attempt = None
        try:
            return decode_info(raw)
        except WireError as error:
            return UnusableMetadata(f"the torrent behind this magnet link cannot be used: {error}")

    def _failed(self, attempt: _Attempt) -> WrongMetadata:
        self._failures[attempt.size] += 1
        self._attempt = None
        if len(attempt.contributors) == 1:
            liar = attempt.contributors[0]
            self._sources.pop(liar, None)
            self._liars.add(liar)
        return WrongMetadata(attempt.contributors)


def _look_at_clock(source: _Source, now: float) -> None:
    """Let a source rest that keeps us waiting, and end the rest of one that has rested."""
    if source.rests_until <= now:
        source.rests_until = -inf
    late = [piece for piece, time in source.asked.items() if time <= now]
    for piece in late:
        del source.asked[piece]
        source.overdue.add(piece)
        source.rests_until = now + REST


class _Customer:
    """How much of the dictionary one neighbour asked for in this period."""

    __slots__ = ("count", "ends_at")

    def __init__(self, ends_at: float) -> None:
        self.ends_at = ends_at
        self.count = 0


class MetadataShare:
    """Gives the info dictionary to neighbours; one that asks for it all twice in a period has had enough."""

    def __init__(self, raw: bytes | None = None) -> None:
        """`raw` is the dictionary, None as long as we do not have it."""
        self._raw = raw
        self._customers: dict[int, _Customer] = {}

    @property
    def size(self) -> int | None:
        """What to state in an extension handshake."""
        return None if self._raw is None else len(self._raw)

    def answer(self, key: int, request: MetadataRequest, now: float) -> MetadataData | MetadataReject | None:
        """Answer a request; None leaves it without an answer, as a neighbour that floods us deserves."""
        customer = self._customers.get(key)
        if customer is None or customer.ends_at <= now:
            customer = self._customers[key] = _Customer(now + SHARE_PERIOD)
        customer.count += 1
        size = self.size or 0
        enough = 2 * piece_count(size) + SPARE_REQUESTS
        if customer.count > 2 * enough:
            return None
        if self._raw is None or customer.count > enough or not metadata_piece_size(request.piece, size):
            return MetadataReject(request.piece)
        start = request.piece * METADATA_PIECE
        return MetadataData(request.piece, size, self._raw[start : start + METADATA_PIECE])

    def parted(self, key: int) -> None:
        """Forget a neighbour that is gone."""
        self._customers.pop(key, None)


def piece_count(size: int) -> int:
    """Return in how many pieces a dictionary of so many bytes travels."""
    return -(-size // METADATA_PIECE)
