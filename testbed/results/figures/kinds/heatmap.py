"""A matrix of means: one swept key down, the others across, with the number in each cell.

Where trials are compared, the colour of a cell shows the direction and size of the change, and its numbers are bold if
its interval excludes no change.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure as Canvas

from testbed.experiment import Plan
from testbed.experiment.schema.figures import Figure, rows_key
from testbed.results.figures.layout import Frame, height_of, width_of, wrapped, wrapped_words
from testbed.results.figures.numbers import HIGH, LINE, LOW, VALUE, Chosen, N, Numbers
from testbed.results.figures.pairs import NO_CHANGE, compared_rows
from testbed.results.figures.panel import Kind, Panel
from testbed.results.figures.rows import FigureError, FigureSource
from testbed.results.figures.scales import value_label, value_unit
from testbed.results.figures.style import WIDTHS
from testbed.results.statistics import summarise
from testbed.tasks.columns import TableColumns

_LEAST_REACH: Final = 2.0
"""Colours of gains range at least from half to twice as fast, so that they mean the same in most figures."""
_BOLD: Final = 1.25
"""The width of bold digits over that of letters."""
_CELL: Final = 0.55
"""Inches: the width of an interval in letters that are easily read."""
_BESIDE: Final = 1.0
"""Inches that the colour bar and the labels take."""
_LEAST_HEIGHT: Final = 1.1
"""Inches: the label of the colours needs that much."""
_LEAST_FONT: Final = 4.5
"""Points: smaller numbers cannot be read, and intervals are left out instead."""
EMPTY: Final = "n/a"
"""What stands in a cell without a number."""
_GREYS: Final = (0.0, 0.75)
"""The part of the scale of greys that is used: on black, no ink is seen beside a colour bar's outline."""


def choose(figure: Figure, plan: Plan, columns: TableColumns) -> Chosen:
    """Choose the keys of the rows and of the columns: those of the figure, or all other swept keys."""
    down = rows_key(figure.series or plan.pair, figure.x, plan.keys)
    across = [figure.x] if figure.x else [key for key in plan.keys if key not in {down, figure.panels}]
    if down is None or not across:
        raise FigureError("sweep two keys, or write `x:` and `series:`")
    return Chosen(tuple(across), figure.ys or (columns.defaults["heatmap"],), down)


def measure(source: FigureSource, chosen: Chosen) -> pd.DataFrame:
    """Sum up the trials of each cell of one panel; a trial counts as the mean of its rows."""
    (y,), down = chosen.ys, chosen.series or ""
    columns = (y, down, *chosen.x)
    table = source.table_having(*columns)
    rows = source.rows(table, *columns)
    if source.figure.compared is not None:
        rows = compared_rows(source, table, rows, y)
    return pd.DataFrame(list(_cells(rows, down, chosen.x, y)))


def _cells(rows: pd.DataFrame, down: str, across: Sequence[str], y: str) -> Iterator[dict[str, Any]]:
    """Yield the cells, row by row, each in the order of the plan."""
    keys = [down, *across]
    places = list(dict.fromkeys(rows[list(across)].itertuples(index=False, name=None)))
    found = dict(iter(rows.groupby(keys, sort=False, dropna=False)))
    for name in dict.fromkeys(rows[down]):
        for place in places:
            part = found.get((name, *place))
            if part is not None:
                cell = summarise(part.groupby("trial", sort=False)[y].mean(), f"{name} {list(place)} {y}")
                numbers = {LINE: y, VALUE: cell.mean, LOW: cell.low, HIGH: cell.high, N: cell.n}
                yield {**dict(zip(keys, (name, *place), strict=True)), **numbers}


@dataclass(frozen=True)
class _Matrix:
    """The rows, the columns, and the cells of a panel."""

    down: Sequence[object]
    across: Sequence[tuple[object, ...]]
    cells: Mapping[tuple[int, int], "pd.Series[Any]"]

    @classmethod
    def of(cls, panel: Panel) -> "_Matrix":
        """Place the cells of a panel."""
        chosen, rows = panel.numbers.chosen, panel.rows
        down = list(dict.fromkeys(rows[chosen.series]))
        places = list(rows[list(chosen.x)].itertuples(index=False, name=None))
        across = list(dict.fromkeys(places))
        found = zip(rows[chosen.series], places, (row for _, row in rows.iterrows()), strict=True)
        return cls(down, across, {(down.index(name), across.index(place)): row for name, place, row in found})

    def means(self, worth: float) -> Any:
        """The mean of each cell; nan where there is none."""
        means = np.full((len(self.down), len(self.across)), np.nan)
        for place, row in self.cells.items():
            means[place] = row[VALUE] / worth
        return means


@dataclass(frozen=True)
class Colours:
    """How numbers are coloured."""

    name: str
    norm: Normalize
    part: tuple[float, float] = (0.0, 1.0)
    """The part of the colour map that is used."""
    marks: Sequence[float] = ()
    """The numbers beside the scale; empty for the usual ones."""

    @classmethod
    def of(cls, numbers: Numbers, worth: float) -> "Colours":
        """Choose colours: less than the partner is blue, more is red; half and twice as fast are equally dark.

        All panels have the same.
        """
        means = numbers.rows[VALUE].dropna() / worth
        least, most = float(means.min()), float(means.max())
        if numbers.is_gain and least > 0:
            reach = max(most, 1 / least, _LEAST_REACH)
            steps = int(2 * log2(reach))
            return cls("RdBu", LogNorm(1 / reach, reach), marks=[2 ** (step / 2) for step in range(-steps, steps + 1)])
        if numbers.figure.compared == "difference":
            reach = max(-least, most) or 1.0
            return cls("RdBu_r", Normalize(-reach, reach))
        return cls("Greys", Normalize(least, most if most > least else least + 1), _GREYS)

    @property
    def map(self) -> Any:
        """The colour map of the part that is used."""
        return LinearSegmentedColormap.from_list(self.name, colormaps[self.name](np.linspace(*self.part, 256)))

    def ink(self, number: float) -> str:
        """Return the colour of letters, black or white, that has more contrast with the colour of a number."""
        return "black" if luminance(self.map(self.norm(np.array([number])))[0]) > 0.179 else "white"


def luminance(rgba: Sequence[float]) -> float:
    """Return how bright a colour is to the eye (WCAG): black and white letters are equally clear at 0.179."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgba[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def draw(axes: Axes, panel: Panel) -> None:
    """Draw one panel; a cell without a number says so."""
    unit = value_unit(panel.numbers)
    colours, matrix = Colours.of(panel.numbers, unit.worth), _Matrix.of(panel)
    image = axes.imshow(matrix.means(unit.worth), cmap=colours.map, norm=colours.norm, aspect="auto")
    image.set_gid("heatmap")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    _write_cells(axes, panel, matrix, colours, unit.worth)
    _label(axes, panel, matrix)


def _write_cells(axes: Axes, panel: Panel, matrix: _Matrix, colours: Colours, worth: float) -> None:
    room = _matrix_width(panel, matrix) / len(matrix.across) - 0.04
    font, has_intervals = _font(matrix, room, panel.frame.font - 1, worth)
    no_change = NO_CHANGE.get(panel.numbers.figure.compared or "")
    for i in range(len(matrix.down)):
        for j in range(len(matrix.across)):
            row = matrix.cells.get((i, j))
            if row is None or np.isnan(row[VALUE]):
                axes.text(j, i, EMPTY, ha="center", va="center", fontsize=font, color="0.4", fontstyle="italic")
                continue
            is_clear = no_change is not None and _has_interval(row) and not row[LOW] <= no_change <= row[HIGH]
            axes.text(
                j,
                i,
                _words(row, worth, has_interval=has_intervals),
                ha="center",
                va="center",
                fontsize=font,
                color=colours.ink(row[VALUE] / worth),
                fontweight="bold" if is_clear else "normal",
            )


def _font(matrix: _Matrix, room: float, most: float, worth: float) -> tuple[float, bool]:
    """Return the size of numbers that have room in their cells, and whether their intervals do."""
    for has_interval in (True, False):
        written = [_words(row, worth, has_interval=has_interval) for row in matrix.cells.values()]
        widest = max(width_of(words, _BOLD) for words in written)
        if room / widest >= _LEAST_FONT or not has_interval:
            return min(most, room / widest), has_interval
    raise AssertionError


def _has_interval(row: "pd.Series[Any]") -> bool:
    """Whether a mean is of several trials."""
    return not np.isnan(row[LOW])


def _words(row: "pd.Series[Any]", worth: float, *, has_interval: bool) -> str:
    low, high = row[LOW] / worth, row[HIGH] / worth
    interval = f"\n{_rounded(low)}\N{EN DASH}{_rounded(high)}" if has_interval and _has_interval(row) else ""
    return f"{row[VALUE] / worth:#.3g}".removesuffix(".") + interval


def _rounded(number: float) -> str:
    """Return an end of an interval: two decimals are enough, and have room."""
    return f"{number:.2f}" if abs(number) < 10 else f"{number:.3g}"


def _label(axes: Axes, panel: Panel, matrix: _Matrix) -> None:
    """Name the rows and the columns; where several keys are across, each has a line."""
    phrases, chosen, font = panel.numbers.phrases, panel.numbers.chosen, panel.frame.font - 1
    axes.set_yticks(range(len(matrix.down)), [phrases.name(value) for value in matrix.down])
    names = [_column_name(panel.numbers, values) for values in matrix.across]
    if len(chosen.x) == 1:
        names, angle = wrapped_words(names, _matrix_width(panel, matrix), font)
        axes.set_xticks(range(len(names)), names, rotation=angle, ha="right" if angle else "center")
    else:
        room = _matrix_width(panel, matrix) / len(names)
        fits = all(width_of(name, font) <= room for name in names)
        words = names if fits else [name.replace("\n", ", ") for name in names]
        axes.set_xticks(range(len(names)), words, rotation=0 if fits else 90)
    across, down = phrases.chosen("x"), phrases.chosen("series")
    axes.set_xlabel(", ".join(map(phrases.label, chosen.x)) if across is None else across)
    axes.set_ylabel(phrases.label(chosen.series or "") if down is None else down)


def _matrix_width(panel: Panel, matrix: _Matrix) -> float:
    """Return about how wide the matrix is: beside it are the names of the rows and the colour bar."""
    font = panel.frame.font - 1
    names = max(width_of(panel.numbers.phrases.name(value), font) for value in matrix.down)
    return panel.frame.width - names - _BESIDE


def _frame(numbers: Numbers, font: float) -> Frame:
    """Return the size of the figure: as high as its rows, and wide if its columns need it."""
    panels = [rows for _, rows in numbers.panels()]
    columns = max(len(rows[list(numbers.chosen.x)].drop_duplicates()) for rows in panels)
    names = max(width_of(numbers.phrases.name(value), font - 1) for value in numbers.rows[numbers.chosen.series])
    fits = names + _BESIDE + columns * _CELL <= WIDTHS["column"]
    size = numbers.figure.size or ("column" if fits else "wide")
    counts = [rows[numbers.chosen.series].nunique() for rows in panels]
    row = max(height_of(2, font - 1) + 0.07, _LEAST_HEIGHT / sum(counts))
    return Frame(WIDTHS[size], tuple(row * count for count in counts), 1, font)


def below(numbers: Numbers, frame: Frame) -> float:
    """Return the height of what is written below the lowest panel, in inches."""
    rows = numbers.rows
    names = {
        _column_name(numbers, values) for values in rows[list(numbers.chosen.x)].itertuples(index=False, name=None)
    }
    room = (frame.width - _BESIDE) / max(1, len(names))
    font = frame.font - 1
    fits = all(width_of(name, font) <= room for name in names)
    lines = max(name.count("\n") for name in names) + 1
    words = height_of(lines, font) if fits else max(width_of(name.replace("\n", ", "), font) for name in names)
    return words + height_of(1, frame.font) + 0.1


def _column_name(numbers: Numbers, values: tuple[object, ...]) -> str:
    return "\n".join(map(numbers.phrases.name, values))


def add_colour_bar(canvas: Canvas, numbers: Numbers, places: Sequence[Axes], height: float) -> None:
    """Add the scale of colours, which is the same for all panels."""
    unit = value_unit(numbers)
    colours = Colours.of(numbers, unit.worth)
    images = [image for axes in places for image in axes.images]
    label = wrapped(value_label(numbers, unit), height, float(canvas.get_axes()[0].yaxis.label.get_fontsize()))
    bar = canvas.colorbar(images[0], ax=list(places), label=label, pad=0.02, aspect=30, shrink=0.9)
    if colours.marks:
        bar.set_ticks(colours.marks, labels=[f"{mark:.2g}" for mark in colours.marks])
        bar.minorticks_off()


HEATMAP: Final = Kind(choose, measure, draw, _frame, is_matrix=True)
