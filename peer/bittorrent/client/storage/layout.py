"""Where the files of a torrent are in its bytes: one after the other, without gaps.

files     |--- 0 ---|- 1 -|-- 2 --|         an empty file has no place
pieces    |--0--|--1--|--2--|--3--|
spans of piece 1:   [0: its end] [1: its beginning]
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final


@dataclass(frozen=True, slots=True)
class Span:
    """A part of one file."""

    file: int
    offset: int
    length: int


class Layout:
    """Files by their lengths."""

    def __init__(self, lengths: Iterable[int]) -> None:
        self._ends: Final = tuple(accumulate(lengths))

    def spans(self, start: int, length: int) -> Iterator[Span]:
        """Yield the parts of files that make up `length` bytes from `start`."""
        end = start + length
        file = bisect_right(self._ends, start)
        while start < end:
            begins = self._ends[file - 1] if file else 0
            until = min(end, self._ends[file])
            if until > start:
                yield Span(file, start - begins, until - start)
            start = until
            file += 1
