"""The `moved` lines of a trace, of which there is one for every second: many are read at once, as arrays.

{"t":8124.402980,"event":"moved","bytes":[[1,1064960,0],[2,0,16384]]}
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import floor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contract.encoding import encode
from contract.events import Moved


def _line_pattern() -> re.Pattern[bytes]:
    """Return the pattern of a line as the contract's encoder writes it: its own line, with other numbers."""
    pattern = re.escape(encode(Moved(((1, 2, 3),)), 4.0))
    triple = rb"\[\d{1,15},\d{1,15},\d{1,15}\]"
    parts = {b"4.000000": rb"(\d+(?:\.\d+)?)", b"[1,2,3]": rb"(" + triple + rb"(?:," + triple + rb")*)"}
    for sample, general in parts.items():
        pattern = pattern.replace(re.escape(sample), general, 1)
    return re.compile(pattern)


_LINE: Final = _line_pattern()
"""A line that matches needs no other check."""


@dataclass(frozen=True)
class MovedBytes:
    """What some lines say; arrays with an entry for each connection of each line."""

    lines: NDArray[np.int64]
    """The number of the line in the file."""
    seconds: NDArray[np.int64]
    """The second in which the line was written."""
    rows: NDArray[np.int64]
    """Connection, received, sent."""

    def only(self, keys: set[int]) -> "MovedBytes":
        """Keep the entries of some connections."""
        chosen = np.isin(self.rows[:, 0], list(keys))
        return MovedBytes(self.lines[chosen], self.seconds[chosen], self.rows[chosen])

    def first_line_beyond(self, keys: set[int]) -> tuple[int, int] | None:
        """Return the first line that names a connection other than these, and that connection."""
        others = np.flatnonzero(~np.isin(self.rows[:, 0], list(keys)))
        return (int(self.lines[others[0]]), int(self.rows[others[0], 0])) if others.size else None

    def by_key(self) -> Iterator[tuple[int, int, int]]:
        """Yield each connection, and what it received and sent."""
        return _sums(self.rows[:, 0], self.rows)

    def by_second(self) -> Iterator[tuple[int, int, int]]:
        """Yield each second, and what was received and sent in it."""
        return _sums(self.seconds, self.rows)


def _sums(names: NDArray[np.int64], rows: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Sum what was received and sent for each name; whole numbers below 2^53 stay exact."""
    distinct, places = np.unique(names, return_inverse=True)
    received, sent = (np.bincount(places, weights=rows[:, column], minlength=len(distinct)) for column in (1, 2))
    for name, taken, given in zip(distinct.tolist(), received.tolist(), sent.tolist(), strict=True):
        yield name, int(taken), int(given)


@dataclass
class MovedLines:
    """Lines that were collected and not read yet."""

    t0: float
    _lines: list[int] = field(default_factory=list, init=False)
    _seconds: list[int] = field(default_factory=list, init=False)
    _rows: list[bytes] = field(default_factory=list, init=False)

    def collect(self, number: int, line: bytes) -> float | None:
        """Collect a line and return its time; None for a line that the encoder would not write like this."""
        matched = _LINE.fullmatch(line)
        if matched is None:
            return None
        t = float(matched[1]) - self.t0
        self._lines.append(number)
        self._seconds.append(floor(t))
        self._rows.append(matched[2])
        return t

    def read(self) -> MovedBytes:
        """Read the collected lines, and forget them."""
        text = b",".join(self._rows).translate(None, b"[]")
        rows = np.fromstring(text, dtype=np.int64, sep=",").reshape(-1, 3)
        counts = [row.count(b"[") for row in self._rows]
        moved = MovedBytes(
            np.repeat(np.array(self._lines, dtype=np.int64), counts), np.repeat(self._seconds, counts), rows
        )
        self._lines, self._seconds, self._rows = [], [], []
        return moved
