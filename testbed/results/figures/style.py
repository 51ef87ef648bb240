"""The style of figures: series differ by marker, dashes and brightness, and not only by colour."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SETTINGS: Final[dict[Any, Any]] = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that a figure looks the same on every machine
    "font.size": 9,
    "grid.color": "0.9",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "lines.markersize": 5,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "testbed",  # ids in an SVG are drawn from it
}
SIZE: Final = (5.2, 3.4)
"""Inches."""
_LABEL_WIDTH: Final = 45
"""The most characters of a label beside a figure of this height."""

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


def wrapped(label: str) -> str:
    """Break the label of an upright axis, so that it is no longer than the axis."""
    return textwrap.fill(label, _LABEL_WIDTH, break_on_hyphens=False)


def look(number: int) -> Look:
    """Return the look of a figure's n-th series."""
    return Look(_COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)], _DASHES[number % len(_DASHES)])


def theory_look(number: int) -> dict[str, Any]:
    """Return the look of the n-th curve of theory: thin and grey, behind the measured curves."""
    return {**REFERENCE, "linestyle": _THEORY_DASHES[number % len(_THEORY_DASHES)]}
