"""The info dictionary from the swarm (BEP 9): fetching it with only its hash, and sending it to others.

A neighbour states the length of the dictionary in its handshake; it comes in pieces of 16 KiB, which have no hashes of
their own. Only the whole can be checked, so liars are found like this:

    attempt at a size ---- all pieces there ---- hash right --> found
         |  ^                                `-- hash wrong --> its contributors are named; a single one is a liar,
         |  |                                                   and is not asked again
         |  `-- the size that failed least often, then the one that most neighbours state
         `-- no neighbour left that would send a piece --> another attempt, when there is one

The first attempt at a size requests its pieces from all that state it. After a failure each attempt takes all pieces
from one neighbour, so that the next failure shows which one lies. There is one attempt at a time, and so one buffer.
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
"""Outstanding requests, to all neighbours together."""
MOST_ASKED_EACH: Final = 2
PATIENCE: Final = 10.0
"""Seconds within which a piece must come."""
REST: Final = 30.0
"""Seconds for which a neighbour that refused, or was late, is not asked."""
SHARE_PERIOD: Final = 60.0
SPARE_REQUESTS: Final = 8
"""Pieces that a neighbour may request in a period, besides the whole dictionary twice."""


@dataclass(frozen=True, slots=True)
class WrongMetadata:
    """The dictionary was whole and its hash is wrong. A single contributor lied; of several, at least one did."""

    contributors: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UnusableMetadata:
    """The dictionary has the hash of the magnet link and is malformed: the link is of no use."""

    problem: str


Outcome: TypeAlias = Info | WrongMetadata | UnusableMetadata


@dataclass(slots=True, eq=False)
class _Source:
    """A neighbour that states that it has the dictionary."""

    size: int
    asked: dict[int, float] = field(default_factory=dict)
    """Requested pieces, and when each is overdue."""
    overdue: set[int] = field(default_factory=set)
    """Pieces that are requested from others by now; still taken if they come."""
    rests_until: float = -inf
    """Until when it is not asked; -inf if it may be asked."""

    def expects(self, piece: int) -> bool:
        """Whether a piece was requested from it and has not come; each request counts once."""
        if self.asked.pop(piece, None) is not None:
            return True
        was_overdue = piece in self.overdue
        self.overdue.discard(piece)
        return was_overdue


class _Attempt:
    """Pieces of a dictionary of one size; `only` is the one neighbour that is to send them all, if there is one."""

    def __init__(self, size: int, only: int | None) -> None:
        self.size = size
        self.only = only
        self._pieces: dict[int, bytes] = {}
        self._senders: dict[int, int] = {}

    @property
    def contributors(self) -> tuple[int, ...]:
        """The neighbours that sent the pieces."""
        return tuple(dict.fromkeys(self._senders.values()))

    @property
    def is_whole(self) -> bool:
        return len(self._pieces) == piece_count(self.size)

    def missing(self) -> Iterator[int]:
        """Yield the pieces that have not come."""
        return (piece for piece in range(piece_count(self.size)) if piece not in self._pieces)

    def wants(self, key: int, message: MetadataData) -> bool:
        """Whether a neighbour's piece belongs here."""
        is_ours = message.total_size == self.size and self.only in {None, key}
        return is_ours and message.piece not in self._pieces

    def put(self, key: int, message: MetadataData) -> None:
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
        """Record the size that a neighbour states, which answers requests; None if it states none any more."""
        known = self._sources.get(key)
        if known is not None and known.size == size:
            return
        self._sources.pop(key, None)
        if size is not None and 0 < size <= MOST_METADATA and key not in self._liars:
            self._sources[key] = _Source(size)

    def neighbour_left(self, key: int) -> None:
        """Forget a neighbour; its requests go to others."""
        self._sources.pop(key, None)
        self._liars.discard(key)

    def requests(self, now: float) -> list[tuple[int, MetadataRequest]]:
        """Return the requests to send now, and regard them as sent; call this after each message, too."""
        if self._is_over:
            return []
        for source in self._sources.values():
            _update_source(source, now)
        if self._attempt is None or not self._has_helper(self._attempt):
            self._attempt = self._next_attempt() or self._attempt
        return [] if self._attempt is None else list(self._ask(self._attempt, now))

    def received(self, key: int, message: MetadataData | MetadataReject, now: float) -> Outcome | None:
        """Take a neighbour's answer; None if nothing is decided by it. Pieces that were not requested are ignored."""
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

    def _has_helper(self, attempt: _Attempt) -> bool:
        return any(source.asked or source.rests_until == -inf for _, source in self._helpers(attempt))

    def _helpers(self, attempt: _Attempt) -> list[tuple[int, _Source]]:
        sources = self._sources.items()
        return [(key, each) for key, each in sources if each.size == attempt.size and attempt.only in {None, key}]

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
        """Choose at random among the neighbours with the fewest requests."""
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


def _update_source(source: _Source, now: float) -> None:
    """Rest a source that is late, and end the rest of one that has rested."""
    if source.rests_until <= now:
        source.rests_until = -inf
    late = [piece for piece, time in source.asked.items() if time <= now]
    for piece in late:
        del source.asked[piece]
        source.overdue.add(piece)
        source.rests_until = now + REST


class _Requests:
    """How many pieces one neighbour requested in this period."""

    __slots__ = ("count", "ends_at")

    def __init__(self, ends_at: float) -> None:
        self.ends_at = ends_at
        self.count = 0


class MetadataShare:
    """Sends the info dictionary to neighbours; one that requests it all twice in a period is rejected after that."""

    def __init__(self, raw: bytes | None = None) -> None:
        """`raw` is the dictionary; None while we do not have it."""
        self._raw = raw
        self._requests: dict[int, _Requests] = {}

    @property
    def size(self) -> int | None:
        """The size to state in an extension handshake."""
        return None if self._raw is None else len(self._raw)

    def answer(self, key: int, request: MetadataRequest, now: float) -> MetadataData | MetadataReject | None:
        """Answer a request; None leaves it without an answer, for a neighbour that floods us."""
        requests = self._requests.get(key)
        if requests is None or requests.ends_at <= now:
            requests = self._requests[key] = _Requests(now + SHARE_PERIOD)
        requests.count += 1
        size = self.size or 0
        enough = 2 * piece_count(size) + SPARE_REQUESTS
        if requests.count > 2 * enough:
            return None
        if self._raw is None or requests.count > enough or not metadata_piece_size(request.piece, size):
            return MetadataReject(request.piece)
        start = request.piece * METADATA_PIECE
        return MetadataData(request.piece, size, self._raw[start : start + METADATA_PIECE])

    def neighbour_left(self, key: int) -> None:
        self._requests.pop(key, None)


def piece_count(size: int) -> int:
    """Return the number of pieces of a dictionary of `size` bytes."""
    return -(-size // METADATA_PIECE)
