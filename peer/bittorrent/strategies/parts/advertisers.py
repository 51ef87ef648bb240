"""Which pieces to claim, and which totals to report to trackers: the truth, less than it, or more."""

from collections.abc import Iterable
from random import Random
from typing import Final

from peer.bittorrent.engine.strategy import Advertiser, TransferTotals
from peer.bittorrent.strategies.parts.parameters import number
from peer.bittorrent.wire.bitfield import Bitfield

PRETENDED_RATIO: Final = 2
"""Bytes claimed to be uploaded, for each byte downloaded."""


class Honest:
    """Announces exactly the pieces that we have, to all neighbours, at once."""

    def initial_bitfield(self, neighbour: int, have: Bitfield) -> Bitfield:  # noqa: ARG002
        return have

    def announce_to(self, index: int, neighbours: Iterable[int]) -> Iterable[int]:  # noqa: ARG002
        return neighbours

    def due_haves(self, now: float) -> Iterable[tuple[int, int]]:  # noqa: ARG002
        return ()

    def answer_have(self, neighbour: int, index: int) -> Iterable[tuple[int, int]]:  # noqa: ARG002
        return ()

    def reported_totals(self, true: TransferTotals) -> TransferTotals:
        return true


class ClaimsNothing(Honest):
    """Always looks like a newcomer: no neighbour is interested, and none can tell how much we have downloaded."""

    def initial_bitfield(self, neighbour: int, have: Bitfield) -> Bitfield:  # noqa: ARG002
        return Bitfield(have.size)

    def announce_to(self, index: int, neighbours: Iterable[int]) -> Iterable[int]:  # noqa: ARG002
        return ()


class ClaimsMore(Honest):
    """Claims the pieces that we have and a share of those that we lack; with a share of 1, we look like a seed.

    The false pieces are drawn once and are the same for all neighbours. When one of them arrives, it is not announced
    again.
    """

    def __init__(self, share: float, rng: Random) -> None:
        if number("share", share) > 1:
            raise ValueError(f"share: expected at most 1, found {share:g}")
        self._share: Final = share
        self._rng: Final = rng
        self._false: frozenset[int] | None = None

    def initial_bitfield(self, neighbour: int, have: Bitfield) -> Bitfield:  # noqa: ARG002
        claimed = have.copy()
        for index in self._false_pieces(have):
            claimed.add(index)
        return claimed

    def announce_to(self, index: int, neighbours: Iterable[int]) -> Iterable[int]:
        return () if self._false and index in self._false else neighbours

    def _false_pieces(self, have: Bitfield) -> frozenset[int]:
        if self._false is None:
            missing = list(have.missing())
            self._false = frozenset(self._rng.sample(missing, round(self._share * len(missing))))
        return self._false


class ExaggeratesUploads:
    """Claims the same pieces as another advertiser, and reports uploads to trackers that never happened."""

    def __init__(self, advertiser: Advertiser) -> None:
        self._advertiser: Final = advertiser

    def initial_bitfield(self, neighbour: int, have: Bitfield) -> Bitfield:
        return self._advertiser.initial_bitfield(neighbour, have)

    def announce_to(self, index: int, neighbours: Iterable[int]) -> Iterable[int]:
        return self._advertiser.announce_to(index, neighbours)

    def due_haves(self, now: float) -> Iterable[tuple[int, int]]:
        return self._advertiser.due_haves(now)

    def answer_have(self, neighbour: int, index: int) -> Iterable[tuple[int, int]]:
        return self._advertiser.answer_have(neighbour, index)

    def reported_totals(self, true: TransferTotals) -> TransferTotals:
        return true._replace(uploaded=PRETENDED_RATIO * true.downloaded)
