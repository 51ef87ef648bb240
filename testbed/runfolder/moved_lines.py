"""The lines `moved` of a trace, of which there is one for every second: read many at once, as arrays.

{"t":8124.402980,"event":"moved","bytes":[[1,1064960,0],[2,0,16384]]}
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import floor
from typing import Final

import numpy as np
from numpy.typing import NDArray

_LINE: Final = re.compile(rb'\{"t":(\d+\.?\d*),"event":"moved","bytes":\[((?:\[\d{1,15},\d{1,15},\d{1,15}\],?)+)\]\}\n')
"""A line as our programs write it, so exact that what matches can be read without another check."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one connection moved, as one line tells it."""

    line: int
    key: int
    received: int
    sent: int


@dataclass(frozen=True)
class Moves:
    """What some lines tell; arrays with an entry for each connection of each line."""

    lines: NDArray[np.int64]
    """Which line of the file it was."""
    seconds: NDArray[np.int64]
    """The second in which it was told."""
    rows: NDArray[np.int64]
    """Connection, received, sent."""

    def only(self, keys: set[int]) -> "Moves":
        """Keep what is of some connections."""
        chosen = np.isin(self.rows[:, 0], list(keys))
        return Moves(self.lines[chosen], self.seconds[chosen], self.rows[chosen])

    def first_line_beyond(self, keys: set[int]) -> tuple[int, int] | None:
        """Return the first line that tells of another connection than these, and which."""
        others = np.flatnonzero(~np.isin(self.rows[:, 0], list(keys)))
        return (int(self.lines[others[0]]), int(self.rows[others[0], 0])) if others.size else None

    def by_key(self) -> Iterator[tuple[int, int, int]]:
        """Yield what each connection received and sent."""
        return _sums(self.rows[:, 0], self.rows)

    def by_second(self) -> Iterator[tuple[int, int, int]]:
        """Yield what was received and sent in each second."""
        return _sums(self.seconds, self.rows)


def _sums(names: NDArray[np.int64], rows: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Sum what was received and sent for each name; whole numbers below 2^53 stay exact."""
    distinct, places = np.unique(names, return_inverse=True)
    received, sent = (np.bincount(places, weights=rows[:, column], minlength=len(distinct)) for column in (1, 2))
    for name, taken, given in zip(distinct.tolist(), received.tolist(), sent.tolist(), strict=True):
        yield name, int(taken), int(given)


@dataclass
class MovedLines:
    """Lines that wait to be read."""

    t0: float
    _lines: list[int] = field(default_factory=list)
    _seconds: list[int] = field(default_factory=list)
    _rows: list[bytes] = field(default_factory=list)

    def took(self, number: int, line: bytes) -> float | None:
        """Take a line, if it is one of ours, and return its time."""
        matched = _LINE.fullmatch(line)
        if matched is None:
            return None
        t = float(matched[1]) - self.t0
        self._lines.append(number)
        self._seconds.append(floor(t))
        self._rows.append(matched[2])
        return t

    def read(self) -> Moves:
        """Read all that wait, and wait for others."""
        text = b",".join(self._rows).translate(None, b"[]")
        rows = np.fromstring(text, dtype=np.int64, sep=",").reshape(-1, 3)
        counts = [row.count(b"[") for row in self._rows]
        moves = Moves(np.repeat(np.array(self._lines, dtype=np.int64), counts), np.repeat(self._seconds, counts), rows)
        self._lines, self._seconds, self._rows = [], [], []
        return moves
