"""One figure of an experiment file, drawn and written."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from testbed.results.figures.cdf import draw_cdf
from testbed.results.figures.curve import draw_curve
from testbed.results.figures.flows import draw_flows
from testbed.results.figures.heatmap import draw_heatmap
from testbed.results.figures.rows import FigureError, FigureSource
from testbed.results.figures.style import SETTINGS, SIZE
from testbed.results.figures.timeline import draw_timeline
from testbed.results.tables import whole_file
from testbed.runfolder.handles import Folder

KINDS: Final[Mapping[str, Callable[[Axes, FigureSource], None]]] = {
    "curve": draw_curve,
    "cdf": draw_cdf,
    "timeline": draw_timeline,
    "flows": draw_flows,
    "heatmap": draw_heatmap,
}
_STACKED: Final = frozenset({"heatmap"})
"""Kinds whose panels are wide, and so are stacked."""
_FORMATS: Final[Mapping[str, Mapping[str, Any]]] = {
    "pdf": {"CreationDate": None, "ModDate": None},
    "svg": {"Date": None},
}
"""The formats, and the metadata to leave out: what would differ between two drawings of the same numbers."""

__all__ = ["FigureError", "draw", "styled_figure", "write_figure"]


def write_figure(source: FigureSource, folder: Folder) -> list[Path]:
    """Draw a figure and write it in each format; a FigureError says why it cannot be drawn."""
    files = []
    with mpl.rc_context(SETTINGS):
        canvas = draw(source)
        for form, metadata in _FORMATS.items():
            name = f"{source.name}.{form}"
            with whole_file(folder, name) as file:
                canvas.savefig(file, format=form, metadata=dict(metadata))
            files.append(folder.path / name)
    return files


def styled_figure(source: FigureSource) -> Canvas:
    """Draw a figure in the style of the written ones."""
    with mpl.rc_context(SETTINGS):
        return draw(source)


def draw(source: FigureSource) -> Canvas:
    """Draw a figure with axes for each panel; a panel without rows says so."""
    panels = list(source.panels())
    is_stacked = source.figure.kind in _STACKED
    down, across = (len(panels), 1) if is_stacked else (1, len(panels))
    canvas = Canvas(figsize=(SIZE[0] * across, SIZE[1] * down))
    FigureCanvasAgg(canvas)
    places = canvas.subplots(down, across, sharey=not is_stacked, squeeze=False).flat
    reasons: list[FigureError] = []
    for axes, (name, panel) in zip(places, panels, strict=True):
        try:
            KINDS[source.figure.kind](axes, panel)
        except FigureError as error:
            reasons.append(error)
            axes.text(0.5, 0.5, "no valid data", transform=axes.transAxes, ha="center")
        axes.set_title(", ".join(filter(None, [source.figure.title, name])))
        if axes.get_legend_handles_labels()[1]:
            axes.legend()
    if len(reasons) == len(panels):
        raise reasons[0]
    if note := _note(source):
        canvas.supxlabel(note, fontsize=6, x=0.99, ha="right")
    return canvas


def _note(source: FigureSource) -> str:
    """Return the note on suspect trials at the foot of the figure; empty if there are none."""
    suspect = int((source.tables.trials["verdict"] == "suspect").sum())
    if not suspect:
        return ""
    what = "are included" if source.with_suspect else "are left out"
    return f"{suspect} of {len(source.tables.trials)} trials are suspect and {what}"
