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
from testbed.results.figures.rows import FigureError, Material
from testbed.results.figures.style import SETTINGS, SIZE
from testbed.results.figures.timeline import draw_timeline
from testbed.results.tables.tables import whole_file

KINDS: Final[Mapping[str, Callable[[Axes, Material], None]]] = {
    "curve": draw_curve,
    "cdf": draw_cdf,
    "timeline": draw_timeline,
    "flows": draw_flows,
    "heatmap": draw_heatmap,
}
_STACKED: Final = frozenset({"heatmap"})
"""Whose panels stand one above the other, and not side by side: they are wide."""
_FORMATS: Final[Mapping[str, Mapping[str, Any]]] = {
    "pdf": {"CreationDate": None, "ModDate": None},
    "svg": {"Date": None},
}
"""With what a file says of itself: nothing that changes from one drawing to the next."""

__all__ = ["FigureError", "draw", "write_figure"]


def write_figure(material: Material, folder: Path) -> list[Path]:
    """Draw a figure, and write it in each format; a FigureError says why it cannot be drawn."""
    files = []
    with mpl.rc_context(SETTINGS):
        canvas = draw(material)
        for form, metadata in _FORMATS.items():
            file = folder / f"{material.name}.{form}"
            with whole_file(file) as unfinished:
                canvas.savefig(unfinished, format=form, metadata=dict(metadata))
            files.append(file)
    return files


def draw(material: Material) -> Canvas:
    """Draw a figure: each panel in axes of its own; one for which there is nothing says so."""
    panels = list(material.panels())
    is_stacked = material.figure.kind in _STACKED
    down, across = (len(panels), 1) if is_stacked else (1, len(panels))
    canvas = Canvas(figsize=(SIZE[0] * across, SIZE[1] * down))
    FigureCanvasAgg(canvas)
    places = canvas.subplots(down, across, sharey=not is_stacked, squeeze=False).flat
    reasons: list[FigureError] = []
    for axes, (name, panel) in zip(places, panels, strict=True):
        try:
            KINDS[material.figure.kind](axes, panel)
        except FigureError as error:
            reasons.append(error)
            axes.text(0.5, 0.5, "nothing valid to show", transform=axes.transAxes, ha="center")
        axes.set_title(", ".join(filter(None, [material.figure.title, name])))
        if axes.get_legend_handles_labels()[1]:
            axes.legend()
    if len(reasons) == len(panels):
        raise reasons[0]
    if note := _note(material):
        canvas.supxlabel(note, fontsize=6, x=0.99, ha="right")
    return canvas


def _note(material: Material) -> str:
    """Say in the figure if it is not of all trials, or of suspect ones too."""
    suspect = int((material.tables.trials["verdict"] == "suspect").sum())
    if not suspect:
        return ""
    what = "are in it" if material.with_suspect else "are left out"
    return f"{suspect} of {len(material.tables.trials)} trials are suspect and {what}"
