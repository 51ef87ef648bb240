"""The constants of a client. Sources disagree about them, so a profile is named in every result.

The numbers of `course` are a textbook's, those of `bep3` the specification's, those of `mainline` and `libtorrent` the
clients' own sources; where a source is silent, the number is this peer's, the same in all profiles. `testbed` is this
peer's own: what was measured to distribute a file fastest among those that any client could choose (docs/peer.md).
"""

from dataclasses import dataclass, field, fields, replace
from math import inf, isqrt
from typing import Final, Self

KIB: Final = 1024
PERIOD: Final = {"period": True}
"""Marks a time that belongs to the protocol and shrinks with `time_scale`; times of the network do not."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Slots by upload capacity: the first step whose bound (KiB/s) is not reached, then the root of `factor` x rate."""

    unlimited: int
    steps: tuple[tuple[float, int], ...]
    factor: float

    def slots(self, capacity: float | None) -> int:
        """Return the number of slots for a capacity in bytes/s; None is no limit."""
        if capacity is None:
            return self.unlimited
        rate = capacity / KIB
        below = (slots for bound, slots in self.steps if rate < bound)
        return next(below, isqrt(int(self.factor * rate)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Times in seconds, lengths in bytes."""

    name: str

    all_slots: int | Ladder
    """Neighbours unchoked at a time, the optimistic ones included."""
    optimistic_slots: int = 1
    rechoke_period: float = field(default=10, metadata=PERIOD)
    optimistic_period: float = field(default=30, metadata=PERIOD)
    rate_window: float = field(default=20, metadata=PERIOD)
    newcomer_weight: int = 1
    """How many times likelier a neighbour of less than one optimistic period is drawn as the optimistic one."""
    snubbed_after: float = field(default=60, metadata=PERIOD)
    """An interesting neighbour that unchoked us and sent no block for so long gets no slot but the optimistic one."""
    readies_givers: bool = True
    """A neighbour that wants nothing now, but gives more than the slowest one served, is unchoked beside the slots."""
    seed_choker: str = "fastest"
    """Whom a peer serves that has everything: `fastest` (by upload rate) or `round-robin`."""
    seed_turn: float = field(default=60, metadata=PERIOD)
    """Under round-robin, a neighbour unchoked for so long, and given `seed_turn_pieces`, makes room."""
    seed_turn_pieces: int = 20

    piece_length: int = 256 * KIB
    block_length: int = 16 * KIB
    random_first_pieces: int = 4
    strict_priority: bool = False
    """A piece that anybody began is finished before another is begun; else only where there is nothing else to begin.
    A neighbour always finishes the piece that it began."""
    request_seconds: float = 1.0
    """How far ahead of the round trip to ask."""
    least_requests: int = 2
    most_requests: int = 500
    request_timeout: float = field(default=60, metadata=PERIOD)
    endgame_copies: int | None = None
    """How many neighbours are asked for one block at the end; None is all."""

    have_patience: float = field(default=2, metadata=PERIOD)
    """A have on which its neighbour would not act now waits up to so long, for others to go with."""
    allowed_fast: int = 0
    """Pieces that a neighbour may fetch while it is choked (BEP 6)."""

    most_neighbours: int = 80
    dials_up_to: int = 40
    """With so many neighbours, no more are looked for; others may still come, up to `most_neighbours`."""
    most_half_open: int = 20
    numwant: int = 50
    connect_timeout: float = 20
    handshake_timeout: float = 20
    keep_alive_period: float = field(default=120, metadata=PERIOD)
    silence_timeout: float = field(default=240, metadata=PERIOD)
    exchange_period: float = field(default=60, metadata=PERIOD)
    """Between two peer exchanges with one neighbour."""

    def slots(self, capacity: float | None) -> int:
        """Return how many neighbours to unchoke, the optimistic ones included, with this upload capacity (bytes/s)."""
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
        Profile(name="testbed", all_slots=MAINLINE_LADDER, request_seconds=0.5, endgame_copies=2),
    )
}
