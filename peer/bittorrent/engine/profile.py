"""The constants of a client: slots, periods, limits. Sources disagree about them, so each result names its profile.

`course` has the numbers of a textbook, `bep3` those of the specification, `mainline` and `libtorrent` those of the
clients' own sources. Where a source says nothing, the number is this peer's own and the same in all profiles.
`testbed` is this peer's own profile: the values that distributed a file fastest in measurements, among those that any
client could choose (docs/peer.md).
"""

from dataclasses import dataclass, field, fields, replace
from math import inf, isqrt
from typing import Final, Self

KIB: Final = 1024
PERIOD: Final = {"period": True}
"""Marks a period of the protocol, which `time_scale` shortens; network time-outs are not marked."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Slots by upload capacity: those of the first step whose bound (KiB/s) is above it, else sqrt(`factor` x rate)."""

    unlimited: int
    steps: tuple[tuple[float, int], ...]
    factor: float

    def slots(self, capacity: float | None) -> int:
        """Return the number of slots for a capacity in bytes/s; None means no limit."""
        if capacity is None:
            return self.unlimited
        rate = capacity / KIB
        below = (slots for bound, slots in self.steps if rate < bound)
        return next(below, isqrt(int(self.factor * rate)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One set of constants. Times are in seconds, lengths in bytes."""

    name: str

    all_slots: int | Ladder
    """How many neighbours are unchoked at a time, including the optimistic ones."""
    optimistic_slots: int = 1
    rechoke_period: float = field(default=10, metadata=PERIOD)
    optimistic_period: float = field(default=30, metadata=PERIOD)
    rate_window: float = field(default=20, metadata=PERIOD)
    newcomer_weight: int = 1
    """How many times likelier the optimistic draw is to pick a neighbour known for less than one optimistic period."""
    snubbed_after: float = field(default=60, metadata=PERIOD)
    """A neighbour that unchokes us and has sent no requested block for this long can get an optimistic slot only."""
    readies_givers: bool = True
    """Whether to also unchoke uninterested neighbours that upload more to us than the slowest one served."""
    served_at_once: int = 0
    """How many of the unchoked neighbours are sent blocks at a time, a piece each in turns; 0 is all of them."""
    seed_choker: str = "fastest"
    """Which neighbours a seed serves: `fastest` (by upload rate) or `round-robin`."""
    seed_turn: float = field(default=60, metadata=PERIOD)
    """Under round-robin, the turn of a neighbour ends after this time and `seed_turn_pieces` pieces."""
    seed_turn_pieces: int = 20

    piece_length: int = 256 * KIB
    block_length: int = 16 * KIB
    random_first_pieces: int = 4
    strict_priority: bool = False
    """Whether every started piece is finished before a new one is started, whichever neighbour started it. If not,
    a neighbour helps with the pieces of others only when it has no new piece to start. It always finishes its own."""
    request_seconds: float = 1.0
    """How many seconds of blocks to keep requested, beyond the round trip."""
    least_requests: int = 2
    most_requests: int = 500
    request_timeout: float = field(default=60, metadata=PERIOD)
    endgame_copies: int | None = None
    """How many neighbours a block is requested from in the endgame; None means all."""

    have_patience: float = field(default=2, metadata=PERIOD)
    """How long a have that its receiver would not act on may wait, to be sent together with others."""
    allowed_fast: int = 0
    """How many pieces a neighbour may fetch while it is choked (BEP 6)."""

    most_neighbours: int = 80
    dials_up_to: int = 40
    """With this many neighbours, none are dialled; incoming ones are accepted up to `most_neighbours`."""
    most_per_host: int = 16
    """Once `most_neighbours` are connected, a host with more connections than this gives way to other hosts."""
    most_half_open: int = 20
    numwant: int = 50
    connect_timeout: float = 20
    handshake_timeout: float = 20
    keep_alive_period: float = field(default=120, metadata=PERIOD)
    silence_timeout: float = field(default=240, metadata=PERIOD)
    exchange_period: float = field(default=60, metadata=PERIOD)
    """Time between two peer exchanges with one neighbour."""

    def slots(self, capacity: float | None) -> int:
        """Return how many neighbours to unchoke at this upload capacity (bytes/s), including the optimistic ones."""
        return self.all_slots.slots(capacity) if isinstance(self.all_slots, Ladder) else self.all_slots

    def scaled(self, time_scale: float) -> Self:
        """Divide every period of the protocol by `time_scale`."""
        if not 0 < time_scale < inf:
            raise ValueError(f"time scale: expected a positive number, found {time_scale}")
        periods = [each.name for each in fields(self) if each.metadata.get("period")]
        return replace(self, **{name: getattr(self, name) / time_scale for name in periods})


MAINLINE_LADDER: Final = Ladder(unlimited=7, steps=((9, 2), (15, 3), (42, 4)), factor=0.6)

PROFILES: Final[dict[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile(name="course", all_slots=5),
        Profile(name="bep3", all_slots=4, newcomer_weight=3),
        Profile(
            name="mainline",
            all_slots=MAINLINE_LADDER,
            rechoke_period=5,
            snubbed_after=30,
            strict_priority=True,
            have_patience=0,
        ),
        Profile(
            name="libtorrent",
            all_slots=8,
            rechoke_period=15,
            rate_window=15,
            readies_givers=False,
            seed_choker="round-robin",
            request_seconds=3,
            endgame_copies=2,
            have_patience=0,
            allowed_fast=5,
        ),
        Profile(name="testbed", all_slots=MAINLINE_LADDER, served_at_once=4, request_seconds=0.5, endgame_copies=2),
    )
}
