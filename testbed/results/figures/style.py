"""The style of figures: series differ by marker, dashes and brightness, and not only by colour."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from matplotlib import font_manager

from testbed.experiment.schema.figures import Font
from testbed.results.figures.rows import FigureError
from testbed.values.findings import did_you_mean

WIDTHS: Final[Mapping[str, float]] = {"column": 3.4, "wide": 7.0}
"""Inches: a column of a paper (IEEE, ACM), and the text of both."""

_FAMILIES: Final = {"sans": "DejaVu Sans", "serif": "DejaVu Serif", "times": "STIXGeneral"}
"""They come with matplotlib, so that a figure looks the same on every machine."""
_GLYPHS: Final = "DejaVu Sans"
"""Has what other fonts lack."""

THEORY_COLOUR: Final = "0.45"
_COLOURS: Final = ("#000000", "#d55e00", "#0072b2", "#56b4e9", "#009e73", "#cc79a7", "#7f4f00", "#999999")
_MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")
_DASHES: Final[tuple[Any, ...]] = (
    "solid",
    (0, (5, 2)),
    (0, (1, 1.2)),
    (0, (5, 1.5, 1, 1.5)),
    (0, (8, 2)),
    (0, (3, 1, 1, 1, 1, 1)),
    (0, (2, 2)),
    (0, (8, 2, 2, 2)),
)
_THEORY_DASHES: Final[tuple[Any, ...]] = ((0, (6, 3)), (0, (2, 2)), (0, (6, 2, 1, 2)))
REFERENCE: Final[Mapping[str, Any]] = {"color": THEORY_COLOUR, "linestyle": (0, (2, 2)), "linewidth": 1.0, "zorder": 1}
"""The look of a level that values are compared with."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one series is drawn."""

    color: str
    marker: str
    linestyle: Any

    @property
    def of_points(self) -> dict[str, Any]:
        """For lines through a few points."""
        return {"color": self.color, "linestyle": self.linestyle, "marker": self.marker}

    @property
    def of_marks(self) -> dict[str, Any]:
        """For points with nothing between them."""
        return {"color": self.color, "linestyle": "none", "marker": self.marker}

    @property
    def of_lines(self) -> dict[str, Any]:
        """For lines with too many points to mark."""
        return {"color": self.color, "linestyle": self.linestyle}


def look(number: int, dashes: int | None = None) -> Look:
    """Return the look of a figure's n-th series; `dashes` numbers another property of a line, if it has two."""
    line = number if dashes is None else dashes
    return Look(_COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)], _DASHES[line % len(_DASHES)])


def theory_look(number: int) -> dict[str, Any]:
    """Return the look of the n-th curve of theory: thin and grey, behind the measured curves."""
    return {**REFERENCE, "linestyle": _THEORY_DASHES[number % len(_THEORY_DASHES)]}


def settings(font: Font) -> dict[Any, Any]:
    """Return the settings of matplotlib with which figures are drawn and written."""
    return {
        "axes.grid": True,
        "axes.labelsize": font.size,
        "axes.linewidth": 0.6,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlesize": font.size,
        "figure.constrained_layout.use": True,
        "figure.constrained_layout.h_pad": 0.03,
        "figure.constrained_layout.w_pad": 0.03,
        "font.family": list(dict.fromkeys([_installed(font.family), _GLYPHS])),
        "font.size": font.size,
        "grid.color": "0.9",
        "grid.linewidth": 0.5,
        "legend.fontsize": font.size - 1,
        "legend.frameon": False,
        "legend.title_fontsize": font.size - 1,
        "lines.linewidth": 1.2,
        "lines.markersize": 4,
        "pdf.fonttype": 42,
        "svg.fonttype": "path",
        "svg.hashsalt": "testbed",  # ids in an SVG are drawn from it
        "xtick.labelsize": font.size - 1,
        "ytick.labelsize": font.size - 1,
    }


def _installed(family: str) -> str:
    if family in _FAMILIES:
        return _FAMILIES[family]
    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    if family not in installed:
        hint = did_you_mean(family, [*_FAMILIES, *installed])
        raise FigureError(f"the font {family!r} is not installed{hint}: install it, or write {', '.join(_FAMILIES)}")
    return family
