"""What an experiment file can say of hosts: the servers, and the groups of peers."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeAlias

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
    model_validator,
)

from contract.programs import ProfileName
from testbed.experiment.schema.quantities import (
    LIST,
    PLAIN,
    Count,
    CountOrNone,
    Delay,
    Duration,
    Frequency,
    Percentage,
    Positive,
    PositiveDuration,
    Rate,
    Text,
    forms,
    message,
    needed,
    word,
)

Scalar: TypeAlias = StrictStr | StrictInt | StrictFloat | StrictBool | None
Parameter: TypeAlias = Scalar | list[Scalar]
"""Those that come with our peer; another one is named `module:Class`, and only the peer knows whether it is there."""


class Part(BaseModel):
    """A mapping of the file; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_alias=True, validate_by_name=True)


class Named(Part):
    """Something with a name, and parameters that only it knows: they are taken as they are written."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Parameter]

    reference: Text = Field(alias="class", description="its name; every other key is a parameter of the strategy")

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters as they are written."""
        return dict(self.__pydantic_extra__)


class Between(Part):
    """Two rates."""

    least: Rate = Field(alias="from", description="the least")
    most: Rate = Field(alias="to", description="the most")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least > self.most:
            raise message("`from:` is more than `to:`: write the smaller rate first")
        return self


class Spread(Part):
    """A lognormal distribution."""

    median: Rate = Field(description="half of the hosts are below")
    sigma: Positive = Field(description="the standard deviation of the logarithm: 0.5 is mild, 1 is wide")


class Choice(Part):
    """One of some rates, by weight."""

    choice: Annotated[dict[Rate, Positive], Field(min_length=1)] = Field(description="`RATE: weight`, one a line")


class Uniform(Part):
    """Any rate between two."""

    uniform: Between = Field(description="all rates between two are as likely")


class Lognormal(Part):
    """Many small rates and few large ones."""

    lognormal: Spread = Field(description="many small rates and few large ones")


class CsvColumn(Part):
    """Values of a column of a CSV file, in rows drawn by chance; `up` and `down` of one host come from the same row."""

    csv: Text = Field(description="a CSV file with a line of headings, beside the experiment file")
    column: Text | None = Field(default=None, description="its column; by default the one called after the key")


RATE_FORMS = "a rate such as 8 Mbit/s, a list of rates, or a mapping with choice, uniform, lognormal or csv"
Rates: TypeAlias = Annotated[
    Annotated[Rate, Tag(PLAIN)]
    | Annotated[list[Rate], Tag(LIST)]
    | Annotated[Choice, Tag("<choice>")]
    | Annotated[Uniform, Tag("<uniform>")]
    | Annotated[Lognormal, Tag("<lognormal>")]
    | Annotated[CsvColumn, Tag("<csv>")],
    forms(RATE_FORMS),
]


class Poisson(Part):
    """Arrivals at random moments."""

    poisson: Frequency = Field(description="so many a minute on average, from t = 0 on")


class UniformArrival(Part):
    """Arrivals spread over a time."""

    uniform: PositiveDuration = Field(description="each at any moment of this time, from t = 0 on")


Times: TypeAlias = Annotated[
    Annotated[Duration, Tag(PLAIN)] | Annotated[list[Duration], Tag(LIST)], forms("a time such as 5 s, or a list")
]


class At(Part):
    """Arrivals at given times."""

    at: Times = Field(description="a time after t = 0, or a list with one for each peer")


ARRIVAL_FORMS = "flash, or a mapping with poisson, uniform, at or csv"
Arrival: TypeAlias = Annotated[
    Annotated[Literal["flash"], word(ARRIVAL_FORMS, "flash"), Tag(PLAIN)]
    | Annotated[Poisson, Tag("<poisson>")]
    | Annotated[UniformArrival, Tag("<uniform>")]
    | Annotated[At, Tag("<at>")]
    | Annotated[CsvColumn, Tag("<csv>")],
    forms(ARRIVAL_FORMS),
]


class After(Part):
    """Leave a time after joining, with the file or without."""

    after: PositiveDuration = Field(description="leave this long after joining, with the file or without")


class Linger(Part):
    """Leave a time after completion."""

    linger: Duration = Field(description="leave this long after completion")


class AtRatio(Part):
    """Leave when enough was given back."""

    share_ratio: Positive = Field(description="leave when complete and this many copies of the file were sent")


class Break(Part):
    """A break in the middle of the download."""

    at: Percentage = Field(description="leave with this part of the file")
    back_after: Duration = Field(description="come back after this time, from a new address, with what was there")


class MidWay(Part):
    """Leave once in the middle of the download, and come back."""

    mid_way: Break = Field(description="leave once in the middle of the download, and come back")


DEPARTURE_FORMS = "stay, at-completion, or a mapping with after, linger, share_ratio or mid_way"
Departure: TypeAlias = Annotated[
    Annotated[Literal["stay", "at-completion"], word(DEPARTURE_FORMS, "stay", "at-completion"), Tag(PLAIN)]
    | Annotated[After, Tag("<after>")]
    | Annotated[Linger, Tag("<linger>")]
    | Annotated[AtRatio, Tag("<share_ratio>")]
    | Annotated[MidWay, Tag("<mid_way>")],
    forms(DEPARTURE_FORMS),
]


class Start(Part):
    """Peers that hold a part of the file at first."""

    peers: Count = Field(description="how many of the group; which ones is drawn")
    holding: Percentage = Field(alias="with", description="how much of the file each of them has; which part is drawn")


def _named(value: object) -> object:
    """Let a name alone stand for something without parameters."""
    if isinstance(value, str):
        return {"class": value}
    if isinstance(value, Mapping | Named):
        return value
    raise needed("a name, or a mapping with `class:` and parameters")


NameOrMapping: TypeAlias = Annotated[Named, BeforeValidator(_named, json_schema_input_type=str | Named)]


class Hosts(Part):
    """Hosts that are described together."""

    up: Rates = Field(description="what each can send")
    down: Rates | None = Field(default=None, description="what each can receive; no limit where it is left out")
    delay: Delay = Field(default=0.0, description="of the access link, each way: a round trip takes four of them")
    jitter: Delay = Field(default=0.0, description="by how much the delay varies")
    loss: Percentage = Field(default=0.0, description="of the access link, each way")
    profile: ProfileName | None = Field(default=None, description="instead of the experiment's")
    strategy: NameOrMapping = Field(
        default_factory=lambda: Named.model_validate({"class": "tit-for-tat"}),
        description="a name, `module:Class`, or a mapping with `class:` and the strategy's parameters",
    )
    application: Text = Field(default="ours", description="the program that runs: ours, or the name of another client")


class Servers(Hosts):
    """Who has the whole file from the beginning to the end."""

    count: Count = Field(default=1, description="how many")


class PeerGroup(Hosts):
    """Peers that are described together."""

    count: CountOrNone = Field(description="how many")
    arrival: Arrival = Field(default="flash", description="when each joins; flash: all at t = 0")
    departure: Departure = Field(default="stay", description="when each leaves; at-completion: as soon as it has all")
    start: Start | None = Field(default=None, description="how many hold a part of the file at first")
