"""Super-seeding: a seed that hides what it has, so that each piece leaves it once.

John Hoffman: BEP 16, Superseeding. 2008.

    claims to have nothing, and tells each neighbour of one piece alone: the one with the fewest copies
    tells it of the next one when another neighbour announces that piece
    so a neighbour gets more from us when it passes on what it got

It is for who has everything at the beginning and is the only one; who completes later is an honest seed. It takes no
parameters of its own, and serves in turns, as the profile's seeds do.

Where the specification is silent: a piece that others had before is followed by the next one when the neighbour has it,
and so is any piece while there is one neighbour only, as nobody else could announce it. Left out: to become an honest
seed after a while.
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
from peer.bittorrent.strategies.parts.seed_view import Audience
from peer.bittorrent.strategies.standard import tit_for_tat
from peer.bittorrent.wire.bitfield import Bitfield


class _Shown(NamedTuple):
    """The piece that a neighbour was told of last."""

    piece: int
    was_new: bool
    """Nobody else had it then."""


class SuperSeed(Honest):
    """The advertiser of such a seed, and its choker, which knows who is still there."""

    def __init__(self, choker: Choker, rng: Random) -> None:
        self._choker: Final = choker
        self._rng: Final = rng
        self._audience: Final = Audience()
        self._shown: dict[int, _Shown] = {}
        self._hides: bool | None = None
        """Whether we began with everything; None before anybody came."""

    def allot(self, view: ChokingView) -> Allocation:
        """Serve whom the other choker would serve."""
        for key in self._audience.keep({candidate.key for candidate in view.candidates}):
            del self._shown[key]
        return self._choker.allot(view)

    def first_words(self, neighbour: int, have: Bitfield) -> Bitfield:
        """Claim one piece."""
        if self._hides is None:
            self._hides = have.is_full
        if not self._hides:
            return have
        self._audience.came(neighbour, have.size)
        claimed = Bitfield(have.size)
        for _, index in self._show(neighbour):
            claimed.add(index)
        return claimed

    def heard(self, neighbour: int, index: int) -> Iterable[tuple[int, int]]:
        """Tell the next piece to those that have waited for this announcement."""
        self._audience.heard(neighbour, index)
        waiting = [key for key, shown in self._shown.items() if shown.piece == index]
        return self._go_on(waiting)

    def later(self, now: float) -> Iterable[tuple[int, int]]:  # noqa: ARG002
        """Look again at all: who is alone now need not wait for others."""
        return self._go_on(list(self._shown))

    def _go_on(self, waiting: Iterable[int]) -> Iterator[tuple[int, int]]:
        for key in waiting:
            if self._is_done(key):
                yield from self._show(key)

    def _is_done(self, key: int) -> bool:
        """Whether the piece shown last was passed on; or arrived, where it needed not be passed on."""
        piece, was_new = self._shown[key]
        has_it = self._audience.has(key, piece)
        if was_new and len(self._audience) > 1:
            return self._audience.copies[piece] > has_it
        return has_it

    def _show(self, key: int) -> Iterator[tuple[int, int]]:
        """Tell a neighbour of the piece with the fewest copies, those under way included; chance decides."""
        under_way = Counter(shown.piece for shown in self._shown.values())
        copies = self._audience.copies
        untold = self._audience.untold(key)
        index = min(untold, key=lambda each: (copies[each] + under_way[each], self._rng.random()), default=None)
        if index is not None:
            self._shown[key] = _Shown(index, was_new=copies[index] == 0)
            self._audience.told(key, index)
            yield key, index


def super_seeding(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    """Make the standard client, but for what it says as a seed."""
    standard = tit_for_tat(profile, rng, departure=departure, slots=slots)
    seed = SuperSeed(standard.choker, rng)
    return replace(standard, name="super-seeding", advertiser=seed, choker=seed)
