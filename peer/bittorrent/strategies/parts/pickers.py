"""Which piece to begin: the standard way, and two to compare it with."""

from typing import Final

from peer.bittorrent.engine.strategy import PieceView


class RarestFirst:
    """The piece with the fewest copies among our neighbours, so that none dies out and everyone has something to give.

    Before we have `random_first` pieces any will do: a rare one comes slowly, and without any we have nothing to give.
    """

    def __init__(self, random_first: int = 4) -> None:
        if random_first < 0:
            raise ValueError(f"random_first: expected 0 or more pieces, found {random_first}")
        self._random_first: Final = random_first

    def pick(self, view: PieceView) -> int | None:
        """Return a piece of the view."""
        return view.random() if view.completed < self._random_first else view.rarest()


class Sequential:
    """From the first piece to the last, as a viewer would want them; neighbours soon have all the same."""

    def pick(self, view: PieceView) -> int | None:
        """Return a piece of the view."""
        return view.first()


class RandomOrder:
    """Any piece, whatever the copies."""

    def pick(self, view: PieceView) -> int | None:
        """Return a piece of the view."""
        return view.random()
