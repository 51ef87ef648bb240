"""Super-seeding: a seed that hides its pieces, so that it uploads each of them only once.

John Hoffman: BEP 16, Superseeding. 2008.

    claims to have nothing, and announces one piece to each neighbour: the one with the fewest copies
    announces the next piece to it when another neighbour announces that piece
    so a neighbour gets more from the seed if it passes on what it got

It is meant for the only seed of a swarm, which has all pieces from the start; a client that completes later is an
honest seed. It has no parameters of its own, and serves like the seeds of the profile.

Where the specification says nothing: if others had a piece before, the next piece follows when the neighbour has it.
The same holds for all pieces while there is only one neighbour, as no other could announce it. Left out: becoming an
honest seed after a while.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from random import Random
from typing import Final, NamedTuple

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import (
    Allocation,
    Choker,
    ChokingView,
    Strategy,
)
from peer.bittorrent.strategies.parts.advertisers import Honest
from peer.bittorrent.strategies.parts.seed_view import SeedView
from peer.bittorrent.strategies.standard import tit_for_tat
from peer.bittorrent.wire.bitfield import Bitfield


class _Shown(NamedTuple):
    """The last piece announced to a neighbour."""

    piece: int
    was_new: bool
    """Whether no other neighbour had it then."""


class SuperSeed(Honest):
    """The advertiser of such a seed, and also its choker, which sees the neighbours that are still present."""

    def __init__(self, choker: Choker, rng: Random) -> None:
        self._choker: Final = choker
        self._rng: Final = rng
        self._view: Final = SeedView()
        self._shown: dict[int, _Shown] = {}
        self._hides: bool | None = None
        """Whether we started with all pieces; None until the first neighbour connects."""

    def allocate(self, view: ChokingView) -> Allocation:
        """Serve the neighbours that the other choker chooses."""
        for key in self._view.retain({candidate.key for candidate in view.candidates}):
            del self._shown[key]
        return self._choker.allocate(view)

    def initial_bitfield(self, neighbour: int, have: Bitfield) -> Bitfield:
        """Claim one piece; claim all if we started without all."""
        if self._hides is None:
            self._hides = have.is_full
        if not self._hides:
            return have
        self._view.add(neighbour, have.size)
        claimed = Bitfield(have.size)
        for _, index in self._show(neighbour):
            claimed.add(index)
        return claimed

    def answer_have(self, neighbour: int, index: int) -> Iterable[tuple[int, int]]:
        """Announce the next piece to those that waited for this one."""
        self._view.record_have(neighbour, index)
        waiting = [key for key, shown in self._shown.items() if shown.piece == index]
        return self._announce_next(waiting)

    def due_haves(self, now: float) -> Iterable[tuple[int, int]]:  # noqa: ARG002
        """Check all neighbours again: one that is alone now need not wait for others."""
        return self._announce_next(list(self._shown))

    def _announce_next(self, waiting: Iterable[int]) -> Iterator[tuple[int, int]]:
        for key in waiting:
            if self._is_done(key):
                yield from self._show(key)

    def _is_done(self, key: int) -> bool:
        """Whether the piece shown last was passed on; or arrived, if it need not be passed on."""
        piece, was_new = self._shown[key]
        has_it = self._view.has(key, piece)
        if was_new and len(self._view) > 1:
            return self._view.copies[piece] > has_it
        return has_it

    def _show(self, key: int) -> Iterator[tuple[int, int]]:
        """Announce the piece with the fewest copies, including those in transit; ties are broken at random."""
        in_transit = Counter(shown.piece for shown in self._shown.values())
        copies = self._view.copies
        unannounced = self._view.unannounced(key)
        index = min(unannounced, key=lambda each: (copies[each] + in_transit[each], self._rng.random()), default=None)
        if index is not None:
            self._shown[key] = _Shown(index, was_new=copies[index] == 0)
            self._view.record_announced(key, index)
            yield key, index


def super_seeding(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    """Make the standard client, with other announcements as a seed."""
    standard = tit_for_tat(profile, rng, departure=departure, slots=slots)
    seed = SuperSeed(standard.choker, rng)
    return replace(standard, name="super-seeding", advertiser=seed, choker=seed)
