"""Where the parts of a figure go: panels, legend and words, so that nothing is cut and nothing overlaps."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, radians, sin
from typing import Final

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from testbed.results.figures.style import WIDTHS

_LETTER: Final = 0.56
"""The mean width of a letter over its height, a little too much."""
AXIS_HEIGHT: Final = 1.55
"""Inches: about the height of axes with lines, along which their label stands."""
_LINE: Final = 1.3
"""The height of a line of text over that of its letters."""
_HANDLE: Final = 3.4
"""The width of a legend's line and the space around it, over the height of letters."""
_SLANT: Final = 35
"""Degrees by which words are turned that do not fit side by side."""
_BESIDE: Final = 0.75
"""Inches that the labels of the y axis take."""
_MOST_ACROSS: Final = 3
_FEWEST_LETTERS: Final = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """The size of a figure, and how its panels are placed. Lengths are in inches."""

    width: float
    heights: tuple[float, ...]
    """Of each row of panels."""
    across: int
    font: float

    @classmethod
    def of(cls, size: str | None, panels: int, font: float, height: float) -> "Frame":
        """Place panels side by side if the figure is wide, which it is by default if it has several."""
        chosen = size or ("wide" if panels > 1 else "column")
        across = 1 if chosen == "column" else min(panels, _MOST_ACROSS)
        return cls(WIDTHS[chosen], (height,) * ceil(panels / across), across, font)

    @property
    def down(self) -> int:
        """How many rows of panels there are."""
        return len(self.heights)

    @property
    def panel_width(self) -> float:
        """The width of a panel without the labels of its y axis."""
        return (self.width - _BESIDE) / self.across


def letters(inches: float, font: float) -> int:
    """Return how many letters have room."""
    return max(_FEWEST_LETTERS, int(inches * 72 / (_LETTER * font)))


def width_of(text: str, font: float) -> float:
    """Return about how wide a text is, in inches."""
    return max((len(line) for line in text.split("\n")), default=0) * _LETTER * font / 72


def height_of(lines: int, font: float) -> float:
    """Return how high some lines of text are, in inches."""
    return lines * _LINE * font / 72


def wrapped(text: str, inches: float, font: float) -> str:
    """Break a text into lines that have room."""
    return textwrap.fill(text, letters(inches, font), break_on_hyphens=False, break_long_words=False)


def wrapped_words(names: Sequence[str], inches: float, font: float) -> tuple[list[str], int]:
    """Return names that stand side by side along an axis, broken where they must be, and the angle at which they fit.

    Each has the same room. If even the longest word of one does not fit, all are turned.
    """
    room = inches / max(1, len(names))
    most = int(room * 72 / (_LETTER * font))
    longest = max((len(word) for name in names for word in name.split()), default=0)
    if longest <= most:
        broken = [textwrap.fill(name, max(most, 1), break_on_hyphens=False) for name in names]
        if max(name.count("\n") for name in broken) < 3:
            return broken, 0
    return [name.replace(", ", ",\n") for name in names], _SLANT


def height_of_words(names: Sequence[str], inches: float, font: float) -> float:
    """Return how high names are that stand along an axis."""
    broken, angle = wrapped_words(names, inches, font)
    if angle:
        return max(width_of(name, font) for name in broken) * sin(radians(angle)) + height_of(1, font)
    return height_of(max(name.count("\n") for name in broken) + 1, font)


def place_words(axes: Axes, names: Sequence[str], inches: float, font: float) -> None:
    """Label the ticks of an x axis at 0, 1, 2, ... with words."""
    broken, angle = wrapped_words(names, inches, font)
    axes.set_xticks(range(len(names)), broken)
    if angle:
        axes.tick_params(axis="x", rotation=angle)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor", multialignment="right")


def legend_names(names: Sequence[str], width: float, font: float) -> list[str]:
    """Break the names of a legend that are too long for the figure."""
    return [wrapped(name, width - _HANDLE * font / 72 - 0.1, font) for name in names]


def legend_columns(names: Sequence[str], width: float, font: float) -> int:
    """Return how many entries of a legend have room side by side."""
    widest = max(width_of(name, font) for name in names) + _HANDLE * font / 72
    return max(1, min(len(names), int(width / widest)))


def legend_height(names: Sequence[str], width: float, font: float, *, has_title: bool) -> float:
    """Return how high a legend above a figure is, in inches."""
    rows = ceil(len(names) / legend_columns(names, width, font))
    lines = max(name.count("\n") for name in names) + 1
    return height_of(rows * lines + has_title, font) + 0.08


def add_legend(canvas: Canvas, handles: Sequence[Artist], names: Sequence[str], title: str, font: float) -> None:
    """Put a legend above the panels, where it covers nothing."""
    width = float(canvas.get_figwidth())
    canvas.legend(
        list(handles),
        list(names),
        loc="outside upper center",
        ncols=legend_columns(names, width, font),
        title=title or None,
        borderaxespad=0.1,
        columnspacing=1.2,
        handlelength=2.4,
        labelspacing=0.3,
    )
