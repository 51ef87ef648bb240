"""Keys of hosts that any task may have: access links, arrivals, and the CSV files that give values for them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, Tag, model_validator

from testbed.values.findings import Finding, KeyPath
from testbed.values.parts import Part
from testbed.values.quantities import (
    LIST,
    PLAIN,
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


class Between(Part):
    """Two rates."""

    least: Rate = Field(alias="from", description="the least")
    most: Rate = Field(alias="to", description="the most")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least > self.most:
            raise message("`from:` is greater than `to:`: write the smaller rate first")
        return self


class Spread(Part):
    """A lognormal distribution."""

    median: Rate = Field(description="half of the hosts have less")
    sigma: Positive = Field(description="the standard deviation of the logarithm: 0.5 is mild, 1 is wide")


def _weights(value: object) -> object:
    if not isinstance(value, Mapping):
        raise needed("rates with their weights, such as {1 Mbit/s: 3, 8 Mbit/s: 1}")
    return value


class Choice(Part):
    """One of several rates, by weight."""

    choice: Annotated[dict[Rate, Positive], Field(min_length=1), BeforeValidator(_weights)] = Field(
        description="`RATE: weight`, one a line"
    )


class Uniform(Part):
    """Any rate between two."""

    uniform: Between = Field(description="all rates between two are equally likely")


class Lognormal(Part):
    """Many small rates and few large ones."""

    lognormal: Spread = Field(description="many small rates and few large ones")


class CsvColumn(Part):
    """Values from rows of a CSV file that are drawn at random; `up` and `down` of one host come from the same row."""

    csv: Text = Field(description="a CSV file with a line of headings, beside the experiment file")
    column: Text | None = Field(default=None, description="its column; by default the one with the key's name")


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

    poisson: Frequency = Field(description="the average number a minute, from t = 0 on")


class UniformArrival(Part):
    """Arrivals spread over a time."""

    uniform: PositiveDuration = Field(description="each at a random moment in this time, from t = 0 on")


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


def _limited(value: object) -> object:
    if isinstance(value, str) and value.lower() in {"none", "no", "off", "inf", "infinite", "unlimited"}:
        raise message(f"{value!r} is not a rate: for no limit, leave out `down:`")
    return value


class AccessLinks(Part):
    """The access links of hosts that are described together."""

    up: Rates = Field(description="how fast each can send")
    down: Annotated[Rates | None, BeforeValidator(_limited)] = Field(
        default=None, description="how fast each can receive; no limit if left out"
    )
    delay: Delay = Field(default=0.0, description="of the access link, each way: a round trip takes four of them")
    jitter: Delay = Field(default=0.0, description="by how much the delay varies")
    loss: Percentage = Field(default=0.0, description="of the access link, each way")


_FROM_TABLES: Final = (("up",), ("down",), ("arrival",), ("sessions", "length"), ("sessions", "pause"))
"""The keys of hosts that can come from a CSV file: rates, and then times."""
OF_RATES: Final = frozenset({"up", "down"})


@dataclass(frozen=True)
class Group:
    """Hosts that are described together, the path of their description, and their number."""

    path: KeyPath
    hosts: AccessLinks
    count: int

    def csv_columns(self) -> Iterator[tuple[tuple[str, ...], CsvColumn]]:
        """Yield the keys whose values come from a CSV file, each as its path below the group."""
        for path in _FROM_TABLES:
            value: object = self.hosts
            for key in path:
                value = getattr(value, key, None)
            if isinstance(value, CsvColumn):
                yield path, value

    def check(self) -> Iterator[Finding]:
        """Yield what is wrong with values that are valid by themselves."""
        for key, rates in (("up", self.hosts.up), ("down", self.hosts.down)):
            if isinstance(rates, list):
                yield from self._check_length((key,), rates)
        if self.hosts.jitter and not self.hosts.delay:
            yield Finding((*self.path, "jitter"), "needs a delay: add `delay:`")
        arrival = getattr(self.hosts, "arrival", None)
        if isinstance(arrival, At) and isinstance(arrival.at, list):
            yield from self._check_length(("arrival", "at"), arrival.at)

    def _check_length(self, keys: KeyPath, values: Sequence[object]) -> Iterator[Finding]:
        if len(values) != self.count:
            needs = "expected one value" if self.count == 1 else f"expected one value for each of {self.count} hosts"
            advice = "a list has a value for each host, and values to compare are written under `sweep:`"
            yield Finding((*self.path, *keys), f"{needs}, found {len(values)}: {advice}")
