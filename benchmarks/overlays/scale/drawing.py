"""The figure: hops and messages of a search over the number of nodes, with the laws as lines."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from benchmarks.overlays.scale.points import EMULATED, GIVEN, Row, read_rows
from testbed.experiment.schema.figures import Font
from testbed.results.figures.layout import add_legend
from testbed.results.figures.style import REFERENCE, WIDTHS, Look, look, settings

NAMES = {
    "napster": "Napster",
    "gnutella": "Gnutella, TTL 7",
    "chord": "Chord",
    "chord-2001": "Chord, fingers alone",
    "kademlia": "Kademlia",
}
_FONT = Font()
_HEIGHTS = (1.7, 1.9)
_LEGEND = 0.85


def draw_file(file: Path) -> Canvas:
    """Draw the rows of a CSV file."""
    return draw(read_rows(file))


def draw(rows: Sequence[Row]) -> Canvas:
    """Draw what was measured: filled where tables were given, hollow where nodes joined, crosses on real sockets."""
    with mpl.rc_context(settings(_FONT)):
        canvas = Canvas(figsize=(WIDTHS["column"], sum(_HEIGHTS) + _LEGEND))
        FigureCanvasAgg(canvas)
        hops, messages = canvas.subplots(2, 1, sharex=True, height_ratios=_HEIGHTS)
        looks = {name: look(number) for number, name in enumerate(NAMES)}
        for axes, what in ((hops, "hops"), (messages, "messages")):
            for name in NAMES:
                _draw_overlay(axes, [row for row in rows if row.overlay == name], what, looks[name])
            axes.set_xscale("log")
        hops.set_ylabel("hops of a search")
        hops.set_ylim(bottom=0)
        messages.set_yscale("log")
        messages.set_ylabel("messages of a search")
        messages.set_xlabel("nodes")
        _add_legend(canvas, rows, looks)
        return canvas


def _draw_overlay(axes: Axes, rows: Sequence[Row], what: str, its_look: Look) -> None:
    _draw_law(axes, rows, what)
    for row in rows:
        value = getattr(row, what)
        if not isfinite(value):
            continue
        low, high = getattr(row, f"{what}_low"), getattr(row, f"{what}_high")
        if isfinite(low):
            axes.plot([row.n, row.n], [max(low, value / 2), high], color=its_look.color, linewidth=0.9)
        axes.plot([row.n], [value], **_mark(row, its_look))


def _draw_law(axes: Axes, rows: Sequence[Row], what: str) -> None:
    known = {row.n: getattr(row, f"{what}_law") for row in rows if isfinite(getattr(row, f"{what}_law"))}
    places = sorted(known)
    axes.plot(places, [known[n] for n in places], **REFERENCE)


def _mark(row: Row, its_look: Look) -> dict[str, Any]:
    if row.engine == EMULATED:
        return {"color": its_look.color, "linestyle": "none", "marker": "x", "markersize": 5, "zorder": 4}
    face = its_look.color if row.start == GIVEN else "white"
    return {**its_look.of_marks, "markerfacecolor": face, "zorder": 3}


def _add_legend(canvas: Canvas, rows: Sequence[Row], looks: dict[str, Look]) -> None:
    measured = {row.overlay for row in rows}
    entries = [(Line2D([], [], **looks[name].of_marks), title) for name, title in NAMES.items() if name in measured]
    plain = {"color": "0.3", "linestyle": "none", "marker": "o"}
    if any(row.engine != EMULATED and row.start != GIVEN for row in rows):
        entries.append((Line2D([], [], **plain, markerfacecolor="white"), "hollow: they joined"))
    if any(row.engine == EMULATED for row in rows):
        entries.append((Line2D([], [], **{**plain, "marker": "x"}), "on real sockets"))
    entries.append((Line2D([], [], **REFERENCE), "law"))
    handles, names = zip(*entries, strict=True)
    add_legend(canvas, handles, names, "", float(_FONT.size) - 1)


def save(canvas: Canvas, file: Path) -> None:
    """Write a figure in the format that the name of its file ends with; the same figure is the same file."""
    metadata = {"Date": None} if file.suffix == ".svg" else None
    with mpl.rc_context(settings(_FONT)):
        canvas.savefig(file, metadata=metadata, dpi=200)
