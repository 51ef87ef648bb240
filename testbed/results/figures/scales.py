"""The axes of figures: places, units, ticks and labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log10
from typing import Final

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from testbed.experiment.schema.figures import AxisUnits, Scales
from testbed.results.figures.layout import AXIS_HEIGHT, place_words, width_of, wrapped
from testbed.results.figures.numbers import Numbers
from testbed.results.figures.pairs import NO_CHANGE, pair_of
from testbed.results.figures.panel import Panel
from testbed.results.figures.rows import FigureError, as_number
from testbed.results.figures.units import PLAIN_NUMBERS, Unit, unit_of, written_unit

_BESIDE: Final = 0.12
_ROOM: Final = 0.6
"""The distance of series and the most that all may take, as shares of the distance between two words."""
_MOST_TICKS: Final = 8
_LEAST_REACH: Final = (0.8, 1.25)
"""An axis of gains has at least this range, so that noise does not look like a difference."""
_GAIN_TICKS: Final = (
    tuple(step / 10 for step in range(5, 21)),
    (0.25, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 2, 2.5, 3),
    (0.125, 0.25, 0.5, 1, 2, 4, 8),
    tuple(float(10**power) for power in range(-6, 7)),
)


@dataclass(frozen=True, slots=True)
class Places:
    """The places of the values of x: numbers and quantities at their value in a unit, words in their order."""

    of: Mapping[object, float]
    unit: Unit = PLAIN_NUMBERS
    is_of_words: bool = False

    @classmethod
    def made(cls, values: Sequence[object], unit: Unit | None = None, wanted: str | None = None) -> "Places":
        """Find the place of each value; swept quantities have the unit in which they are written."""
        distinct = list(dict.fromkeys(values))
        numbers = [as_number(value) for value in distinct]
        if None in numbers:
            return cls({value: float(k) for k, value in enumerate(distinct)}, is_of_words=True)
        unit = unit or written_unit(distinct, wanted)
        return cls({value: (as_number(value) or 0.0) / unit.worth for value in distinct}, unit)

    @property
    def is_geometric(self) -> bool:
        """Whether each value is the same multiple of the one before."""
        places = sorted(self.of.values())
        if self.is_of_words or len(places) < 3 or places[0] <= 0:
            return False
        factors = [after / before for before, after in pairwise(places)]
        return max(factors) < min(factors) * (1 + 1e-6)

    def offset(self, number: int, count: int) -> float:
        """Return how far a series is drawn from its place: series of words stand side by side."""
        return (number - (count - 1) / 2) * min(_BESIDE, _ROOM / count) if self.is_of_words else 0.0


def x_places(panel: Panel) -> Places:
    """Return the places along the x axis: of all panels together if they are numbers, else of the panel's own words."""
    numbers = panel.numbers
    (x,) = numbers.chosen.x
    values = numbers.rows[x].tolist()
    column = numbers.columns.column(x)
    wanted = (numbers.figure.units or AxisUnits()).x
    if column is not None and None not in (found := [as_number(value) for value in values]):
        return Places.made(values, unit_of(column, [value for value in found if value is not None], wanted))
    places = Places.made(values, wanted=wanted)
    return Places.made(panel.rows[x].tolist()) if places.is_of_words else places


def finish_x_axis(axes: Axes, panel: Panel, places: Places) -> None:
    """Set the scale, the ticks and the label of a curve's x axis."""
    (x,) = panel.numbers.chosen.x
    width, font = panel.width, panel.frame.font - 1
    asked = (panel.numbers.figure.scale or Scales()).x
    if places.is_of_words:
        place_words(axes, [panel.numbers.phrases.name(value) for value in places.of], width, font)
        axes.set_xlim(-0.5, len(places.of) - 0.5)
    else:
        is_log = asked == "log" or (asked is None and places.is_geometric)
        _require_above_zero(panel.numbers, "x", min(places.of.values()), is_log=is_log)
        if is_log:
            axes.set_xscale("log")
        _number_ticks(axes, sorted(set(places.of.values())), width, font, is_log=is_log)
    label_x(axes, panel, places.unit.after(x_label(panel.numbers, x)))


def x_label(numbers: Numbers, x: str) -> str:
    """Return the label of the x axis without its unit."""
    chosen = numbers.phrases.chosen("x")
    return numbers.phrases.label(x) if chosen is None else chosen


def label_x(axes: Axes, panel: Panel, label: str) -> None:
    """Write along the x axis."""
    axes.set_xlabel(wrapped(label, panel.width, panel.frame.font))


def _number_ticks(axes: Axes, places: Sequence[float], width: float, font: float, *, is_log: bool) -> None:
    """Put ticks at the values themselves if they have room, else at round numbers."""
    names = [f"{place:.6g}" for place in places]
    scaled = [log10(place) for place in places] if is_log else list(places)
    span = (scaled[-1] - scaled[0]) or 1.0
    room = min((width * 0.9 * (after - before) / span for before, after in pairwise(scaled)), default=width)
    if len(places) <= _MOST_TICKS and room > max(width_of(name, font) for name in names):
        axes.set_xticks(places, names)
        axes.xaxis.set_minor_locator(NullLocator())
    elif is_log:
        _plain_log_ticks(axes.xaxis)
    else:
        is_whole = all(place.is_integer() for place in places)
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=is_whole))


def _plain_log_ticks(axis: Axis) -> None:
    """Write 1, 2, 5, 10, ... and no powers."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}"))


def value_unit(numbers: Numbers) -> Unit:
    """Return the unit of the values of all panels."""
    wanted = (numbers.figure.units or AxisUnits()).y
    return unit_of(numbers.y, numbers.spread(), wanted)


def value_label(numbers: Numbers, unit: Unit) -> str:
    """Return what the values are, with their unit."""
    chosen = numbers.phrases.chosen("y")
    return unit.after(_default_label(numbers) if chosen is None else chosen)


def _default_label(numbers: Numbers) -> str:
    ys, compared = numbers.chosen.ys, numbers.figure.compared
    label = numbers.phrases.label(ys[0])
    if compared is not None:
        first = numbers.phrases.name(pair_of(numbers.plan)[1])
        return f"gain over {first}: {label}" if compared == "gain" else f"{label}, minus that of {first}"
    if len(ys) > 1:
        column = numbers.y
        by_unit = {"bit/s": "rate", "s": "time", "B": "size"}
        return "share" if column and column.is_share else by_unit.get(column.unit if column else "", "number")
    return label


def finish_value_axis(axes: Axes, panel: Panel, unit: Unit) -> None:
    """Set the scale, the range, the ticks and the label of the y axis."""
    numbers = panel.numbers
    spread = numbers.spread() / unit.worth
    asked = (numbers.figure.scale or Scales()).y
    is_log = asked == "log" or (asked is None and numbers.is_gain and bool((spread > 0).all()))
    _require_above_zero(numbers, "y", float(spread.min()), is_log=is_log)
    if is_log:
        axes.set_yscale("log")
    if numbers.is_gain:
        _gain_axis(axes, float(spread.min()), float(spread.max()), is_log=is_log)
    elif is_log:
        _plain_log_ticks(axes.yaxis)
    else:
        _plain_axis(axes, numbers, float(spread.min()), float(spread.max()))
    axes.set_ylabel(wrapped(value_label(numbers, unit), AXIS_HEIGHT, panel.frame.font))


def _gain_axis(axes: Axes, least: float, most: float, *, is_log: bool) -> None:
    """Show 1, where nothing differs, and the values around it."""
    low, high = min(least, _LEAST_REACH[0]), max(most, _LEAST_REACH[1])
    if not is_log:
        axes.set_ylim(min(0.0, low), high * 1.05)
        return
    margin = (high / low) ** 0.05
    low, high = low / margin, high * margin
    axes.set_ylim(low, high)
    by_step = [[tick for tick in ticks if low <= tick <= high] for ticks in _GAIN_TICKS]
    axes.yaxis.set_major_locator(FixedLocator(next((ticks for ticks in by_step if len(ticks) <= 7), by_step[-1])))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}"))


def _plain_axis(axes: Axes, numbers: Numbers, least: float, most: float) -> None:
    """Begin at 0, but at 1 for ratios to a bound, which are never below; differences show where they change sign."""
    if numbers.figure.compared == "difference":
        level = NO_CHANGE["difference"]
        reach = (max(most, level) - min(least, level)) or 1.0
        axes.set_ylim(min(least, level) - 0.05 * reach, max(most, level) + 0.05 * reach)
    elif numbers.chosen.ys[0] in numbers.columns.bound_of_ratio:
        low, high = min(least, 1.0), max(most, 1.1)
        axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    else:
        axes.set_ylim(min(0.0, least * 1.06), max(0.0, most) * 1.06 or 1.0)


def _require_above_zero(numbers: Numbers, axis: str, least: float, *, is_log: bool) -> None:
    if is_log and least <= 0:
        problem = f"its {axis} has values that are not above 0, which no log axis can show"
        raise FigureError(f"figure {numbers.name}: {problem}: write `scale: {{{axis}: linear}}`")
