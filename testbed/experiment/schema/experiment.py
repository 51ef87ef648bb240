"""What an experiment file can say, checked where each value stands.

What takes several keys together to judge is in `testbed.experiment.file.checks`. A topology's own parameters, and a
strategy's, are taken as they are written: only they know what they mean.
"""

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
    Tag,
    model_validator,
)

from contract.programs import ProfileName
from testbed.experiment.schema.figures import ConditionText, ExpectationText, Figure
from testbed.experiment.schema.hosts import Named, Part, PeerGroup, Servers
from testbed.experiment.schema.quantities import (
    LIST,
    PLAIN,
    Count,
    Positive,
    PositiveDuration,
    Size,
    Text,
    forms,
    message,
    needed,
    word,
)
from testbed.experiment.schema.ranges import RangeError, expand

KIB = 1024


def _piece_length(size: int) -> int:
    if size < 16 * KIB or size & (size - 1):
        raise needed("a power of two from 16 KiB on (16 KiB, 32 KiB, 64 KiB, ...)")
    return size


PieceLength: TypeAlias = Annotated[Size, AfterValidator(_piece_length)]
GroupName: TypeAlias = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,19}$")]
FigureName: TypeAlias = Annotated[StrictStr, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


CAPTURE_FORMS = "none, all, or a list of servers, tracker and names of groups"
Capture: TypeAlias = Annotated[
    Annotated[Literal["none", "all"], word(CAPTURE_FORMS, "none", "all"), Tag(PLAIN)]
    | Annotated[list[Text], Tag(LIST)],
    forms(CAPTURE_FORMS),
]


class TopologyChoice(Named):
    """Which topology to build, and from which parameters."""

    reference: Text = Field(alias="class", description="star, two-isps, tree, a file such as my.py, or module:name")


class File(Part):
    """What is distributed."""

    size: Size = Field(description="F")
    piece_length: PieceLength = Field(default=256 * KIB, description="a power of two from 16 KiB on")


class TrackerChoice(Part):
    """How peers find one another."""

    kind: Literal["http", "udp"] = Field(default="http", description="its protocol")
    numwant: Count = Field(default=50, description="how many peers to ask it for")


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise needed("a number, or a quantity such as 4 MiB,")
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

    zip: dict[str, Axis] = Field(default_factory=dict, description="keys that take their values together")
    when: ConditionText | None = Field(default=None, description="a condition on the values; other points are left out")

    @property
    def axes(self) -> dict[str, tuple[Any, ...]]:
        """The values of each key that goes through its own, in the order of the file."""
        return {path: values_of(axis) for path, axis in self.__pydantic_extra__.items()}

    @property
    def zipped(self) -> dict[str, tuple[Any, ...]]:
        """The values of the keys that go together."""
        return {path: values_of(axis) for path, axis in self.zip.items()}


def values_of(axis: list[Any] | Range) -> tuple[Any, ...]:
    """Return the values of a list or a range."""
    return tuple(expand(axis.first, axis.last, axis.step, axis.factor)) if isinstance(axis, Range) else tuple(axis)


class Experiment(Part):
    """One experiment as its author wrote it."""

    title: StrictStr = Field(default="", description="one line, for tables and figures")
    question: StrictStr = Field(default="", description="what the experiment is to find out")
    distribution: Literal["client-server", "bittorrent", "fluid"] = Field(
        default="bittorrent", description="how the file travels; fluid: the scheme that attains the bound"
    )
    file: File | None = Field(default=None, description="what is distributed")
    servers: Servers | None = Field(default=None, description="who has the whole file")
    peers: dict[GroupName, PeerGroup] = Field(
        default_factory=dict, description="groups of peers, by a name of your choice"
    )
    tracker: TrackerChoice = Field(default_factory=TrackerChoice, description="how peers find one another")
    profile: ProfileName = Field(default="course", description="the constants of the clients")
    topology: TopologyChoice = Field(
        default_factory=lambda: TopologyChoice.model_validate({"class": "star"}),
        description="the network; where there are peers, their hosts are set from the groups",
    )
    placement: Literal["in-order", "drawn"] = Field(
        default="in-order", description="peers stand in the topology in the order of the file, or by chance"
    )
    congestion_control: Literal["cubic", "reno", "bbr"] = Field(default="cubic", description="of every host's TCP")
    time_limit: PositiveDuration = Field(default=600.0, description="a trial that takes longer is stopped")
    time_scale: Positive = Field(
        default=1.0, description="divides every period of the protocol (rechoking, ...), and nothing else"
    )
    sweep: Sweep | None = Field(default=None, description="keys that take several values")
    repeat: Count = Field(default=1, description="trials of each point, each with draws of its own")
    seed: Annotated[StrictInt, Field(ge=0)] = Field(default=1, description="from which every draw comes")
    pair: Text | None = Field(
        default=None, description="a key that is swept: trials that differ only in it share all draws"
    )
    capture: Capture = Field(
        default="none", description="packets to keep: of all hosts, or a list of servers, tracker and names of groups"
    )
    trace_level: Literal["summary", "pieces", "full"] = Field(
        default="summary", description="how much the peers' traces say"
    )
    figures: dict[FigureName, Figure] = Field(
        default_factory=dict, description="what to draw, by a name of your choice"
    )
    expect: list[ExpectationText] = Field(
        default_factory=list, description="what should come out; the run's exit status says whether it did"
    )

    @property
    def peer_count(self) -> int:
        """N."""
        return sum(group.count for group in self.peers.values())
