"""The keys of every experiment, and with those of its task the model of a whole file.

Checks that need several keys together are in `testbed.experiment.file.load`, and those of a task beside its keys. The
parameters of a topology or a strategy are taken as they are written: only they know what they mean.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    Tag,
    WithJsonSchema,
    create_model,
    model_validator,
)
from pydantic.json_schema import models_json_schema

from testbed.experiment.schema.captures import Capture
from testbed.experiment.schema.figures import ConditionText, ExpectationText, Figure
from testbed.experiment.schema.keys import OWN_KEYS
from testbed.tasks.planning import DEFAULT_TASK, TASKS, TaskName
from testbed.values.parts import Named, Part
from testbed.values.quantities import (
    LIST,
    Count,
    Positive,
    PositiveDuration,
    Text,
    forms,
    matching,
    message,
    needed,
)
from testbed.values.ranges import RangeError, expand

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_FIGURE_NAME: Final = r"^[a-z0-9][a-z0-9_-]{0,39}$"
_FIGURE_NAME_FORM: Final = "a name of at most 40 lower-case letters, digits, - and _, the first a letter or a digit"
FigureName: TypeAlias = Annotated[
    StrictStr, matching(_FIGURE_NAME, _FIGURE_NAME_FORM), WithJsonSchema({"type": "string", "pattern": _FIGURE_NAME})
]


class TopologyChoice(Named):
    """The topology to build, and its parameters."""

    outline: ClassVar[str] = "a mapping with `class:` and the topology's parameters, such as {class: star}"

    reference: Text = Field(alias="class", description="star, two-isps, tree, a file such as my.py, or module:name")


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise needed("a number, or a quantity such as 4 MiB")
    return value


Number: TypeAlias = Annotated[StrictStr | StrictInt | StrictFloat, BeforeValidator(_number)]


class Range(Part):
    """Numbers or quantities from one to another, in equal steps or by a factor."""

    first: Number = Field(alias="from", description="the first value")
    last: Number = Field(alias="to", description="the last value is this one or before it")
    step: Number | None = Field(default=None, description="what is added each time")
    factor: Positive | None = Field(default=None, description="what is multiplied by each time")

    @model_validator(mode="after")
    def _has_values(self) -> Self:
        try:
            expand(self.first, self.last, self.step, self.factor)
        except RangeError as error:
            raise message(str(error)) from error
        return self


Axis: TypeAlias = Annotated[
    Annotated[list[Any], Field(min_length=1), Tag(LIST)] | Annotated[Range, Tag("<from>")],
    forms("a list of values, or a range with from, to, and step or factor"),
]


class Sweep(Part):
    """Keys that take several values; every combination is a point, and each point is run `repeat` times.

    A key is written as its path, like peers.homes.count or distribution.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Axis]
    outline: ClassVar[str] = "keys with their values, such as `peers.homes.count: [5, 10]`"

    zip: dict[str, Axis] = Field(default_factory=dict, description="keys that take their values together")
    when: ConditionText | None = Field(default=None, description="a condition on the values; other points are skipped")

    @property
    def axes(self) -> dict[str, tuple[Any, ...]]:
        """The values of each key that is combined with all others, in the order of the file."""
        return {path: values_of(axis) for path, axis in self.__pydantic_extra__.items()}

    @property
    def zipped(self) -> dict[str, tuple[Any, ...]]:
        """The values of the zipped keys."""
        return {path: values_of(axis) for path, axis in self.zip.items()}


def values_of(axis: list[Any] | Range) -> tuple[Any, ...]:
    return tuple(expand(axis.first, axis.last, axis.step, axis.factor)) if isinstance(axis, Range) else tuple(axis)


class Experiment(Part):
    """One experiment, as its file describes it."""

    model_config = ConfigDict(json_schema_extra={"patternProperties": {f"^{OWN_KEYS}": {}}})

    title: StrictStr = Field(default="", description="one line, for tables and figures")
    question: StrictStr = Field(default="", description="what the experiment should find out")
    task: TaskName = Field(default=DEFAULT_TASK, description="what the hosts do")
    topology: TopologyChoice = Field(
        default_factory=lambda: TopologyChoice.model_validate({"class": "star"}),
        description="the network; where there are peers, their hosts are set from the groups",
    )
    congestion_control: Literal["cubic", "reno", "bbr"] = Field(default="cubic", description="of every host's TCP")
    time_limit: PositiveDuration = Field(default=600.0, description="a trial that takes longer is stopped")
    time_scale: Positive = Field(
        default=1.0, description="divides every period of the protocol (rechoking, ...), and nothing else"
    )
    sweep: Sweep | None = Field(default=None, description="keys that take several values")
    repeat: Count = Field(default=1, description="trials of each point, each with its own draws")
    seed: Annotated[StrictInt, Field(ge=0)] = Field(default=1, description="the source of all random draws")
    pair: Text | None = Field(
        default=None, description="a key that is swept: trials that differ only in it share all draws"
    )
    capture: Capture = Field(
        default="none", description="packets to keep: of all hosts, of those in a list, or as a mapping says"
    )
    audit: StrictBool = Field(
        default=False, description="compare the traces with the captures after each trial; its outcome is a column"
    )
    trace_level: Literal["summary", "pieces", "full"] = Field(
        default="summary", description="how much detail the peers' traces have"
    )
    figures: dict[FigureName, Figure] = Field(
        default_factory=dict, description="what to draw, by a name of your choice"
    )
    expect: list[ExpectationText] = Field(
        default_factory=list, description="expected results; the run's exit status says whether they hold"
    )


MODELS: Final[Mapping[TaskName, type[Experiment]]] = {
    name: create_model(f"{name.title()}Experiment", __base__=(task.keys, Experiment), __doc__=Experiment.__doc__)
    for name, task in TASKS.items()
}
"""By task: the keys of every experiment, and those of the task."""


def task_named(document: Mapping[str, Any]) -> TaskName:
    """Return the task of a document; the default one, if it names one that does not exist."""
    name = document.get("task")
    return next((known for known in TASKS if known == name), DEFAULT_TASK)


def experiment_schema() -> dict[str, Any]:
    """Return the JSON Schema of experiment files; checks that need several keys together are not in it."""
    return {"$schema": DIALECT, **schema_of(MODELS), "title": "An experiment of the testbed"}


def schema_of(models: Mapping[TaskName, type[Experiment]]) -> dict[str, Any]:
    """Return one schema that chooses by `task:`; a file that names no task has the default one."""
    if len(models) == 1:
        (model,) = models.values()
        return model.model_json_schema(by_alias=True, mode="validation")
    asked: list[tuple[type[BaseModel], Literal["validation"]]] = [(model, "validation") for model in models.values()]
    by_model, schema = models_json_schema(asked, by_alias=True)
    chosen: dict[str, Any] = by_model[models[DEFAULT_TASK], "validation"]
    for name, model in models.items():
        if name != DEFAULT_TASK:
            is_named = {"properties": {"task": {"const": name}}, "required": ["task"]}
            chosen = {"if": is_named, "then": by_model[model, "validation"], "else": chosen}
    return {**schema, **chosen}
