"""Which piece to start: the standard rule, and two others to compare it with."""

from typing import Final

from peer.bittorrent.engine.strategy import PieceView


class RarestFirst:
    """The piece with the fewest copies among our neighbours, so that none dies out and all peers have some to give.

    The first `random_first` pieces are random: a rare piece arrives slowly, and without a piece we have none to give.
    """

    def __init__(self, random_first: int = 4) -> None:
        if random_first < 0:
            raise ValueError(f"random_first: expected 0 or more pieces, found {random_first}")
        self._random_first: Final = random_first

    def pick(self, view: PieceView) -> int | None:
        return view.random() if view.have_count < self._random_first else view.rarest()


class Sequential:
    """From the first piece to the last, as a viewer would want them; soon all neighbours have the same pieces."""

    def pick(self, view: PieceView) -> int | None:
        return view.first()


class RandomOrder:
    """A random piece, whatever the number of its copies."""

    def pick(self, view: PieceView) -> int | None:
        return view.random()
