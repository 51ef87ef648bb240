"""What strategies share that lie: about what they have, about what they did, and in what they send."""

from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import Final

from peer.bittorrent.engine.strategy import (
    Advertiser,
    Allocation,
    Choker,
    ChokingView,
    Garbage,
    Tally,
)
from peer.bittorrent.strategies.parts.advertisers import Honest
from peer.bittorrent.strategies.parts.parameters import number
from peer.bittorrent.wire.bitfield import Bitfield

PRETENDED_RATIO: Final = 2
"""Bytes that one claims to have uploaded, for each that one downloaded."""


class ClaimsNothing(Honest):
    """Has just come, for ever: nobody is interested, and nobody can tell how long we have been taking."""

    def first_words(self, neighbour: int, have: Bitfield) -> Bitfield:  # noqa: ARG002
        """Claim nothing."""
        return Bitfield(have.size)

    def completed(self, index: int, neighbours: Iterable[int]) -> Iterable[int]:  # noqa: ARG002
        """Tell nobody."""
        return ()


class ClaimsMore(Honest):
    """Claims what it has and a share of what it lacks, the same to everybody; with all of it, it looks like a seed.

    Which pieces are claimed falsely is drawn once. When one of them really comes, there is nothing to tell.
    """

    def __init__(self, share: float, rng: Random) -> None:
        if number("share", share) > 1:
            raise ValueError(f"share: expected at most 1, found {share:g}")
        self._share: Final = share
        self._rng: Final = rng
        self._false: frozenset[int] | None = None

    def first_words(self, neighbour: int, have: Bitfield) -> Bitfield:  # noqa: ARG002
        """Claim more than there is."""
        claimed = have.copy()
        for index in self._falsely(have):
            claimed.add(index)
        return claimed

    def completed(self, index: int, neighbours: Iterable[int]) -> Iterable[int]:
        """Tell of what was not claimed before."""
        return () if self._false and index in self._false else neighbours

    def _falsely(self, have: Bitfield) -> frozenset[int]:
        if self._false is None:
            missing = list(have.missing())
            self._false = frozenset(self._rng.sample(missing, round(self._share * len(missing))))
        return self._false


class Boasts:
    """Says what another advertiser says, and tells trackers of an upload that never was."""

    def __init__(self, advertiser: Advertiser) -> None:
        self._advertiser: Final = advertiser

    def first_words(self, neighbour: int, have: Bitfield) -> Bitfield:
        """Claim what the other one claims."""
        return self._advertiser.first_words(neighbour, have)

    def completed(self, index: int, neighbours: Iterable[int]) -> Iterable[int]:
        """Tell whom the other one tells."""
        return self._advertiser.completed(index, neighbours)

    def later(self, now: float) -> Iterable[tuple[int, int]]:
        """Tell what the other one tells."""
        return self._advertiser.later(now)

    def heard(self, neighbour: int, index: int) -> Iterable[tuple[int, int]]:
        """Answer what the other one answers."""
        return self._advertiser.heard(neighbour, index)

    def tally(self, true: Tally) -> Tally:
        """Tell of more than was given."""
        return true._replace(uploaded=PRETENDED_RATIO * true.downloaded)


class ServesGarbage:
    """Serves whom another choker serves, with random bytes."""

    def __init__(self, choker: Choker, garbage: Garbage) -> None:
        self._choker: Final = choker
        self._garbage: Final = garbage

    def allot(self, view: ChokingView) -> Allocation:
        """Decide as the other one does, of whom to serve."""
        honest = self._choker.allot(view)
        grants = {key: replace(grant, garbage=self._garbage) for key, grant in honest.grants.items()}
        return Allocation(grants, honest.refusals)
