"""Lines and tables that fit the terminal: the least important columns go first, and no word is broken."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, TextIO

Row = Sequence[str]

_WORD: Final = re.compile(r"\s*\S+")
"""With the space before it, which may align columns."""
_GAP: Final = "  "
_USUAL_WIDTH: Final = 80
"""Of a terminal that does not know its own."""


@dataclass(frozen=True)
class Column:
    """A column of a table on the terminal."""

    heading: str
    rank: int = 0
    """Where there is no room for all columns, those of the lowest rank are shown; those of rank 0 always are."""


def line_width(stream: TextIO) -> int | None:
    """Return how long a line can be: as wide as the terminal, or of any length (None) in a file or a pipe."""
    if not stream.isatty():
        return None
    with suppress(OSError):
        return os.get_terminal_size(stream.fileno()).columns or _USUAL_WIDTH
    return _USUAL_WIDTH


def wrapped(text: str, width: int | None, *, indent: int = 2) -> str:
    """Break a text that is too long for a line between words; the lines after the first are indented."""
    if width is None or len(text) <= width:
        return text
    lines = [""]
    for word in _WORD.findall(text):
        if not lines[-1] or len(lines[-1]) + len(word) <= width:
            lines[-1] += word
        else:
            lines.append(" " * indent + word.lstrip())
    return "\n".join(lines)


def filled(text: str, width: int | None) -> str:
    """Break the paragraphs of a text anew if they are too wide; indented lines, such as drawings, stay as they are."""
    return "\n\n".join(_filled(paragraph, width) for paragraph in text.split("\n\n"))


def _filled(paragraph: str, width: int | None) -> str:
    if paragraph.startswith(" ") or width is None or all(len(line) <= width for line in paragraph.splitlines()):
        return paragraph
    return wrapped(" ".join(paragraph.split()), width, indent=0)


def listed(meanings: Mapping[str, str], width: int | None) -> str:
    """List names with their meanings in two columns."""
    longest = max(map(len, meanings))
    lines = (f"{name:{longest}}  {meaning}" for name, meaning in meanings.items())
    return "\n".join(wrapped(line, width, indent=longest + 2) for line in lines)


def format_table(header: Sequence[str | Column], rows: Iterable[Row], width: int | None = None) -> str:
    """Align the columns, numbers to the right and words to the left, and make lines no longer than `width`.

    To fit, headings are broken between words, then columns are left out, then cells with words are broken. The last
    line names the columns that are left out. A single word that is too long still makes its line too long.
    """
    lines = list(rows)
    columns = [
        _FilledColumn(heading if isinstance(heading, Column) else Column(heading), [line[k] for line in lines])
        for k, heading in enumerate(header)
    ]
    kept = columns if width is None else _kept(columns, width)
    widths = [column.full for column in kept] if width is None else _widths(kept, width)
    blocks = [column.blocks(own) for column, own in zip(kept, widths, strict=True)]
    text = "\n".join(line for row in zip(*blocks, strict=True) for line in _beside(row, widths))
    gone = ", ".join(column.head.heading for column in columns if column not in kept)
    return f"{text}\n{wrapped(f'(no room for: {gone})', width)}" if gone else text


@dataclass(frozen=True, eq=False)
class _FilledColumn:
    """A column with its cells, and the widths that it can have."""

    head: Column
    cells: Sequence[str]

    @property
    def is_numeric(self) -> bool:
        return all(not cell or cell[0].isdigit() or cell[0] in "-+." for cell in self.cells)

    @property
    def full(self) -> int:
        """The width at which nothing is broken."""
        return max(map(len, [self.head.heading, *self.cells]))

    @property
    def tight(self) -> int:
        """The width at which only the heading is broken."""
        return max(map(len, [*self.head.heading.split(), *self.cells]), default=0)

    @property
    def least(self) -> int:
        """The width at which cells are broken too, unless they are numbers."""
        words = [word for text in (self.head.heading, *self.cells) for word in text.split()]
        return self.tight if self.is_numeric else max(map(len, words), default=0)

    def used_of(self, width: int) -> int:
        """Return how much of a width its lines use, when they are broken."""
        return max(len(line) for block in self.blocks(width) for line in map(str.strip, block))

    def blocks(self, width: int) -> list[list[str]]:
        """Return the heading and the cells, each as lines of this width."""
        broken = [wrapped(text, width, indent=0).split("\n") for text in (self.head.heading, *self.cells)]
        return [[line.rjust(width) if self.is_numeric else line.ljust(width) for line in lines] for lines in broken]


def _kept(columns: Sequence[_FilledColumn], width: int) -> list[_FilledColumn]:
    """Take each column that there is still room for, the most important ones first."""
    kept: list[_FilledColumn] = []
    for column in sorted(columns, key=lambda column: column.head.rank):
        if column.head.rank == 0 or _total(each.tight for each in (*kept, column)) <= width:
            kept.append(column)
    return [column for column in columns if column in kept]


def _widths(columns: Sequence[_FilledColumn], width: int) -> list[int]:
    """Take what is too much from the widest columns: first from their headings, and then from their cells."""
    widths = [column.full for column in columns]
    for limits in ([column.tight for column in columns], [column.least for column in columns]):
        while _total(widths) > width and (loose := [k for k, limit in enumerate(limits) if widths[k] > limit]):
            widths[max(loose, key=lambda k: widths[k])] -= 1
    return [column.used_of(own) for column, own in zip(columns, widths, strict=True)]


def _total(widths: Iterable[int]) -> int:
    return sum(width + len(_GAP) for width in widths) - len(_GAP)


def _beside(blocks: Sequence[Sequence[str]], widths: Sequence[int]) -> list[str]:
    """Put the blocks of a row side by side, with their first lines at the same height."""
    lines = zip_longest(*blocks, fillvalue="")
    return [_GAP.join(map(str.ljust, line, widths)).rstrip() for line in lines]
