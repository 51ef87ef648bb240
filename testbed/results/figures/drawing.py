"""One figure of an experiment file: its numbers, its drawing, and the files of both."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from contract.wording import counted, one_or_many
from testbed.experiment import Plan
from testbed.experiment.schema.figures import Figure, Font
from testbed.results.figures.kinds.cdf import CDF
from testbed.results.figures.kinds.curve import CURVE
from testbed.results.figures.kinds.flows import FLOWS
from testbed.results.figures.kinds.heatmap import HEATMAP, add_colour_bar, below
from testbed.results.figures.kinds.timeline import TIMELINE
from testbed.results.figures.layout import Frame, add_legend, height_of, legend_height, legend_names, wrapped
from testbed.results.figures.numbers import MEASURED, Chosen, Numbers, line_id, write_numbers
from testbed.results.figures.pairs import left_out_pairs
from testbed.results.figures.panel import Kind, Panel, panel_widths
from testbed.results.figures.rows import FigureError, FigureSource, as_number
from testbed.results.figures.style import settings
from testbed.results.tables import whole_file
from testbed.runfolder.handles import Folder
from testbed.tasks.tables import tables_of

KINDS: Final[Mapping[str, Kind]] = {
    "curve": CURVE,
    "cdf": CDF,
    "timeline": TIMELINE,
    "flows": FLOWS,
    "heatmap": HEATMAP,
}
FORMS: Final = ("pdf", "svg")
"""The formats of a figure that is kept."""
_LEFT_OUT: Final[Mapping[str, Mapping[str, Any]]] = {
    "pdf": {"CreationDate": None, "ModDate": None},
    "svg": {"Date": None},
}
"""The metadata to leave out: what would differ between two drawings of the same numbers."""
_DOTS: Final = 200
"""Per inch, of images that are made of dots."""
_NOTE_SIZE: Final = 2
"""Points by which notes at the foot are smaller than other letters."""

__all__ = ["FORMS", "FigureError", "choose", "draw", "numbers_of", "save", "write_figure"]


def numbers_of(source: FigureSource) -> Numbers:
    """Return what a figure shows; a FigureError says why it cannot be drawn."""
    figure, plan = source.figure, source.plan
    kind, chosen = KINDS[figure.kind], choose(source.name, figure, plan)
    parts: list[pd.DataFrame] = []
    reasons: list[FigureError] = []
    panels = list(source.panels())
    for panel in panels:
        try:
            parts.append(_of_panel(kind.measure(panel, chosen), panel))
        except FigureError as error:
            reasons.append(error)
    if not parts:
        raise reasons[0]
    values = tuple(panel.panel[1] for panel in panels if panel.panel is not None)
    rows = _ordered(pd.concat(parts, ignore_index=True), figure, chosen)
    left_out = left_out_pairs(source, chosen) if figure.compared is not None else ""
    return Numbers(source.name, figure, plan, chosen, rows, values or None, _doubts(source), left_out)


def _of_panel(rows: pd.DataFrame, source: FigureSource) -> pd.DataFrame:
    if source.panel is None or source.panel[0] in rows:
        return rows
    key, value = source.panel
    return pd.concat([rows, pd.Series([value] * len(rows), name=key, dtype=object)], axis=1)


def choose(name: str, figure: Figure, plan: Plan) -> Chosen:
    """Return the columns that a figure shows."""
    try:
        return KINDS[figure.kind].choose(figure, plan, tables_of(plan).columns)
    except FigureError as error:
        raise FigureError(f"figure {name}: {error}") from error


def _ordered(rows: pd.DataFrame, figure: Figure, chosen: Chosen) -> pd.DataFrame:
    """Return the rows with the columns in the order in which files have them."""
    keys = dict.fromkeys([*filter(None, [figure.panels, chosen.series]), *chosen.x])
    others = [name for name in rows if name not in {*keys, *MEASURED}]
    return rows.reindex(columns=[*keys, *others, *MEASURED])


def write_figure(numbers: Numbers, folder: Folder, forms: Sequence[str] = FORMS) -> list[Path]:
    """Draw a figure, and write it in some formats, and its numbers as CSV."""
    drawings = [f"{numbers.name}.{form}" for form in forms]
    save(numbers, folder, drawings)
    table = f"{numbers.name}.csv"
    with whole_file(folder, table) as file:
        write_numbers(numbers, file)
    return [folder.path / name for name in (*drawings, table)]


def save(numbers: Numbers, folder: Folder, names: Sequence[str]) -> None:
    """Draw a figure, and write it in the formats of some names."""
    canvas = draw(numbers)
    with _style(numbers):
        for name in names:
            form = name.rpartition(".")[2]
            with whole_file(folder, name) as file:
                canvas.savefig(file, format=form, metadata=dict(_LEFT_OUT.get(form, {})), dpi=_DOTS)


def _style(numbers: Numbers) -> AbstractContextManager[None]:
    try:
        return mpl.rc_context(settings(_font(numbers)))
    except FigureError as error:
        raise FigureError(f"figure {numbers.name}: {error}") from error


def _font(numbers: Numbers) -> Font:
    return numbers.figure.font or Font()


def draw(numbers: Numbers) -> Canvas:
    """Draw a figure in its style."""
    with _style(numbers):
        return _drawn(numbers)


def _drawn(numbers: Numbers) -> Canvas:
    """Draw the panels, and around them what belongs to all; a panel without numbers says so."""
    kind = KINDS[numbers.figure.kind]
    frame = kind.frame(numbers, float(_font(numbers).size))
    canvas = Canvas(figsize=(frame.width, sum(frame.heights)))
    FigureCanvasAgg(canvas)
    places = _places(canvas, numbers, frame, shares_y=not kind.is_matrix)
    panels = list(zip(places, numbers.panels(), panel_widths(numbers, frame), strict=False))
    for axes, (value, rows), width in panels:
        if rows.empty:
            axes.text(0.5, 0.5, "no valid data", transform=axes.transAxes, ha="center")
        else:
            kind.draw(axes, Panel(numbers, rows, frame, width))
        axes.set_title(_panel_title(numbers, value))
    used = [axes for axes, _, _ in panels]
    _drop_repeated_labels(used, frame, is_matrix=kind.is_matrix)
    canvas.align_xlabels(used)
    _add_common_parts(canvas, numbers, used, frame)
    return canvas


def _places(canvas: Canvas, numbers: Numbers, frame: Frame, *, shares_y: bool) -> list[Axes]:
    """Return axes for the panels; places that are left over stay empty."""
    widths = panel_widths(numbers, frame)
    ratios = widths if frame.down == 1 and len(widths) == frame.across else None
    grid = canvas.subplots(
        frame.down, frame.across, sharey=shares_y, squeeze=False, width_ratios=ratios, height_ratios=frame.heights
    )
    places = list(grid.flat)
    for empty in places[len(widths) :]:
        empty.remove()
    return places[: len(widths)]


def _panel_title(numbers: Numbers, value: object) -> str:
    """Return the value of a panel, after what it is a value of if it is a number."""
    key, title = numbers.figure.panels, numbers.figure.title or ""
    if key is None:
        return title
    name, chosen = numbers.phrases.name(value), numbers.phrases.chosen("panels")
    if as_number(value) is not None:
        what = numbers.phrases.label(key) if chosen is None else chosen
        return f"{what} = {name}" if what else name
    return f"{chosen}: {name}" if chosen else name


def _drop_repeated_labels(places: Sequence[Axes], frame: Frame, *, is_matrix: bool) -> None:
    """Keep one of several equal labels: the left one of a row, and the lowest of panels one above the other."""
    for number, axes in enumerate(places):
        if number % frame.across and not is_matrix:
            axes.set_ylabel("")
    labels = {axes.get_xlabel() for axes in places}
    ticks = {tuple(label.get_text() for label in axes.get_xticklabels()) for axes in places}
    if frame.across == 1 and len(labels) == 1 and (len(ticks) == 1 or not is_matrix):
        for axes in places[:-1]:
            axes.set_xlabel("")
            if is_matrix:
                axes.tick_params(axis="x", labelbottom=False)


def _add_common_parts(canvas: Canvas, numbers: Numbers, places: Sequence[Axes], frame: Frame) -> None:
    """Add the title of several panels, the legend or the colours, and notes, and make room for them."""
    height, font = float(canvas.get_figheight()), frame.font
    if numbers.figure.panels is not None and numbers.figure.title:
        canvas.suptitle(numbers.figure.title, fontsize=font)
        height += height_of(1, font)
    if any(axes.get_title() for axes in places):
        height += frame.down * height_of(1, font)
    if numbers.figure.kind == "heatmap":
        height += below(numbers, frame)
        add_colour_bar(canvas, numbers, places, sum(frame.heights))
    else:
        height += _add_legend(canvas, numbers, places, font)
    notes = [note for note in (numbers.doubts, numbers.left_out) if note]
    if notes:
        lines = "\n".join(wrapped(note, frame.width, font - _NOTE_SIZE) for note in notes)
        canvas.supxlabel(lines, fontsize=font - _NOTE_SIZE, x=0.99, ha="right")
        height += height_of(lines.count("\n") + 1, font - _NOTE_SIZE)
    canvas.set_figheight(height)


def _add_legend(canvas: Canvas, numbers: Numbers, places: Sequence[Axes], font: float) -> float:
    """Add one legend for all panels if there is something to tell apart; return its height."""
    found = {
        str(line.get_gid()): line for axes in places for line in axes.lines if not str(line.get_label()).startswith("_")
    }
    if len(found) < 2 and not (found and numbers.figure.series):
        return 0.0
    values = numbers.series_values() or [None]
    ids = [line_id(y, value, numbers.chosen.ys) for y in numbers.chosen.ys for value in values]
    ordered = sorted(found, key=lambda gid: ids.index(gid) if gid in ids else len(ids))
    width = float(canvas.get_figwidth())
    names = legend_names([str(found[gid].get_label()) for gid in ordered], width, font - 1)
    title = _legend_title(numbers, has_theory=any(gid not in ids for gid in found))
    add_legend(canvas, [found[gid] for gid in ordered], names, title, font - 1)
    return legend_height(names, width, font - 1, has_title=bool(title))


def _legend_title(numbers: Numbers, *, has_theory: bool) -> str:
    """Return what the series are; by default only where all entries of the legend are series."""
    chosen, series = numbers.phrases.chosen("series"), numbers.chosen.series
    if chosen is not None or series is None or has_theory or len(numbers.chosen.ys) > 1:
        return chosen or ""
    return numbers.phrases.label(series)


def _doubts(source: FigureSource) -> str:
    """Say how many trials are suspect or failed; empty if there are none."""
    verdicts = source.tables.trials["verdict"]
    parts = []
    for verdict, has_be in (("suspect", True), ("failed", False)):
        count = int((verdicts == verdict).sum())
        are = one_or_many(count, "is", "are")
        what = f"{are} {verdict}" if has_be else verdict
        use = "included" if verdict in source.trusted_verdicts else "left out"
        if count:
            parts.append(f"{count} of {counted(len(verdicts), 'trial')} {what} and {are} {use}")
    return "; ".join(parts)
