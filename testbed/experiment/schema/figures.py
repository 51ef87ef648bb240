"""The keys of figures, and the texts of expectations and conditions."""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, StrictFloat, StrictStr, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from testbed.experiment.language.expressions import names_in, parse_condition, parse_expectation
from testbed.experiment.language.tokens import ExpressionError
from testbed.tasks.planning import TASKS
from testbed.values.parts import Part
from testbed.values.quantities import LIST, PLAIN, Text, forms, needed

EXPRESSION = "expression"


def _readable(parse: Callable[[str], object]) -> AfterValidator:
    def check(text: str) -> str:
        try:
            parse(text)
        except ExpressionError as error:
            raise PydanticCustomError(EXPRESSION, "{text}", {"text": str(error), "offset": error.offset}) from error
        return text

    return AfterValidator(check)


ConditionText: TypeAlias = Annotated[StrictStr, _readable(parse_condition)]
ExpectationText: TypeAlias = Annotated[StrictStr, _readable(parse_expectation)]


CURVES: Final = tuple(dict.fromkeys(name for task in TASKS.values() for name in task.columns.curves))


def _known_curve(name: object) -> object:
    if name not in CURVES:
        *others, last = map(repr, CURVES)
        raise needed(f"{', '.join(others)} or {last}")
    return name


CurveName: TypeAlias = Annotated[
    StrictStr, BeforeValidator(_known_curve), WithJsonSchema({"enum": list(CURVES), "type": "string"})
]
"""What theory can draw, of any task."""


Columns: TypeAlias = Annotated[
    Annotated[Text, Tag(PLAIN)] | Annotated[list[Text], Field(min_length=1), Tag(LIST)],
    forms("a column, or a list of columns"),
]
ScaleName: TypeAlias = Literal["linear", "log"]


class Labels(Part):
    """What a figure writes instead of the words that the testbed has for its columns; "" for nothing."""

    x: StrictStr | None = Field(default=None, description="along the x axis")
    y: StrictStr | None = Field(default=None, description="along the y axis; of a heat map, beside its colours")
    series: StrictStr | None = Field(default=None, description="above the legend; of a heat map, beside its rows")
    panels: StrictStr | None = Field(default=None, description="above each panel, before its value")


class AxisUnits(Part):
    """The units of the axes, where the testbed should not choose them."""

    x: Text | None = Field(default=None, description="of the x axis: Mbit/s, MiB, min, ...")
    y: Text | None = Field(default=None, description="of the y axis")


class Scales(Part):
    """How numbers are placed along the axes."""

    x: ScaleName | None = Field(
        default=None, description="of the x axis; log by default where values grow by a constant factor"
    )
    y: ScaleName | None = Field(default=None, description="of the y axis; log by default for gains")


class Font(Part):
    """The letters of a figure."""

    size: Annotated[StrictFloat, Field(ge=4, le=20)] = Field(default=8.0, description="in points")
    family: Text = Field(
        default="sans", description="sans, serif or times, which look the same everywhere; or an installed font's name"
    )


class Figure(Part):
    """One figure, drawn from the tables of results."""

    kind: Literal["curve", "cdf", "timeline", "flows", "heatmap"] = Field(
        default="curve",
        description="curve: means of y over x, with lines between quantities and none between words; cdf: the share of"
        " peers that had completed; timeline: y over the seconds of a trial; flows: who sent how much to whom; heatmap:"
        " means of y in a matrix, x across and series down",
    )
    source: Literal["traces", "captures"] = Field(
        default="traces", description="of a timeline and of flows: what their rows are counted from"
    )
    x: Text | None = Field(default=None, description="a column; of a curve, most often a key that is swept")
    y: Columns | None = Field(
        default=None, description="a column: distribution_s, payload_ratio, ...; a timeline can have a list of them"
    )
    series: Text | None = Field(default=None, description="a column: one line for each of its values")
    panels: Text | None = Field(default=None, description="a column: one panel for each of its values")
    interval: Literal["bootstrap", "range", "none"] = Field(
        default="bootstrap", description="around each mean: a 95 % interval, the range of values, or nothing"
    )
    theory: list[CurveName] = Field(
        default_factory=list,
        description="to draw beside the measurements: the bounds, and F/u (1 + floor(log2 N)/M) for files in pieces; of"
        " searches, `law`",
    )
    compared: Literal["difference", "gain"] | None = Field(
        default=None,
        description="compare y with that of the pair's trial that has the first value of `pair:`; difference: y minus"
        " that; gain: that divided by y",
    )
    where: ConditionText | None = Field(default=None, description="a condition on the rows to use")
    title: Text | None = Field(default=None, description="above the figure")
    labels: Labels | None = Field(default=None, description="what to write instead of the columns' own words")
    names: dict[Text, StrictStr] | None = Field(
        default=None, description="what to call values of x, series and panels: `VALUE: text`, one a line"
    )
    units: AxisUnits | None = Field(default=None, description="of the axes; chosen by range if left out")
    scale: Scales | None = Field(default=None, description="of the axes")
    size: Literal["column", "wide"] | None = Field(
        default=None,
        description="column: 3.4 in, a column of a paper; wide: 7 in, both; by default the one that it fits into",
    )
    font: Font | None = Field(default=None, description="the letters")

    @property
    def ys(self) -> tuple[str, ...]:
        """The columns of y, as a list; empty for the default of the kind."""
        return () if self.y is None else (self.y,) if isinstance(self.y, str) else tuple(self.y)

    def columns(self, x: str, y: str) -> tuple[str, ...]:
        """Return all columns that the figure reads, given its x and y, which may be defaults of its kind."""
        conditions = names_in(parse_condition(self.where)) if self.where else ()
        return tuple(dict.fromkeys([x, y, *filter(None, [self.series, self.panels]), *conditions]))


def rows_key(chosen: str | None, x: str | None, swept: Iterable[str]) -> str | None:
    """Return the column for the rows of a heat map: the chosen one, or the last swept key other than x."""
    return chosen or next((key for key in reversed(tuple(swept)) if key != x), None)


FROM_ONE_TABLE: Final = frozenset({"cdf", "timeline", "flows"})
"""The kinds for which a task names the table that they are made from."""
_ALWAYS: Final = frozenset({"kind", "where", "title", "labels", "names", "size", "font"})
_AXES: Final = frozenset({"units", "scale"})
USED_BY: Final[Mapping[str, frozenset[str]]] = {
    "curve": _ALWAYS | _AXES | {"x", "y", "series", "panels", "interval", "theory", "compared"},
    "cdf": _ALWAYS | _AXES | {"x", "series", "panels"},
    "timeline": _ALWAYS | _AXES | {"source", "y", "series", "panels"},
    "flows": _ALWAYS | {"source"},
    "heatmap": _ALWAYS | {"x", "y", "series", "panels", "compared", "units"},
}
"""The keys that a figure of each kind uses."""
USED_PARTS: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "cdf": {"units": frozenset({"x"}), "scale": frozenset({"x"})},
    "timeline": {"scale": frozenset({"y"})},
    "flows": {"labels": frozenset({"x", "y"})},
    "heatmap": {"units": frozenset({"y"})},
}
"""By kind: of a key that has parts, those that it uses, if not all."""
