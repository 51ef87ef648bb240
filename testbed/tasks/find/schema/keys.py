"""Keys of an experiment in which the nodes of an overlay look for content."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, Tag

from testbed.tasks.find.overlays import Overlay, overlay_named
from testbed.values.failures import WORD, FailureTime, ShareOfAll, ShareOfGroups, forms_of_kill
from testbed.values.hosts import AccessLinks, Arrival, CsvColumn
from testbed.values.names import GroupName
from testbed.values.parts import Nested, Part, as_named
from testbed.values.quantities import (
    PLAIN,
    Count,
    CountOrNone,
    Duration,
    Frequency,
    Percentage,
    Positive,
    PositiveDuration,
    Size,
    Text,
    forms,
    message,
    needed,
)

Exponent: TypeAlias = Annotated[StrictFloat, Field(ge=0, le=10, allow_inf_nan=False)]


class Exponential(Part):
    """Times without memory."""

    exponential: PositiveDuration = Field(description="times without memory, of which half are shorter than this")


class HeavyTail(Part):
    """Many short times and few very long ones."""

    median: PositiveDuration = Field(description="half of the times are shorter")
    shape: Positive = Field(default=2.0, description="the exponent of the tail: at 1 and below, the mean is infinite")


class Pareto(Part):
    """Times of a Pareto distribution."""

    pareto: HeavyTail = Field(description="many short times and few very long ones")


SPAN_FORMS: Final = "a time such as 5 min, or a mapping with exponential, pareto or csv"
Span: TypeAlias = Annotated[
    Annotated[PositiveDuration, Tag(PLAIN)]
    | Annotated[Exponential, Tag("<exponential>")]
    | Annotated[Pareto, Tag("<pareto>")]
    | Annotated[CsvColumn, Tag("<csv>")],
    forms(SPAN_FORMS),
]


class Sessions(Part):
    """How long nodes stay, and how long they are away before they come back."""

    length: Span = Field(description="how long a node stays; of a table, each takes random rows")
    pause: Span | None = Field(default=None, description="how long it is away; it never comes back if left out")
    by_word: StrictBool = Field(default=False, description="whether it tells others that it leaves")
    new_address: StrictBool = Field(
        default=False, description="whether it comes back from another address: it has two, and takes them in turn"
    )


class Directory(AccessLinks):
    """The hosts that know who has what, in an overlay that has such hosts."""

    count: Count = Field(default=1, description="how many; nodes are spread over them")


class OwnParameters(Part):
    """Parameters of the overlay that one group has; inner keys replace those of the overlay one by one."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Nested]
    outline: ClassVar[str] = "a mapping of the overlay's parameters, such as {search: {ttl: 4}}"

    @property
    def parameters(self) -> dict[str, Nested]:
        """The parameters as they are written."""
        return dict(self.__pydantic_extra__)


class NodeGroup(AccessLinks):
    """Nodes that are described together."""

    count: CountOrNone = Field(description="how many")
    arrival: Arrival = Field(default="flash", description="when each joins first; flash: all at t = 0")
    role: Text | None = Field(
        default=None,
        description="what they are in the overlay: of gnutella servent, ultrapeer, leaf or elected; of kademlia node,"
        " sybil, poisoner or pretender",
    )
    targets: Count | None = Field(
        default=None, description="how many items sybils and pretenders attack, the most popular; 1 if left out"
    )
    overlay: OwnParameters | None = Field(
        default=None, description="parameters of the overlay that these nodes have instead of those above"
    )
    shares: Percentage = Field(default=100.0, description="of the nodes, those that share anything, chosen at random")
    asks: StrictBool = Field(default=True, description="whether they look for anything")
    sessions: Sessions | None = Field(default=None, description="how long they stay; to the end if left out")


class EachItem(Part):
    """The same number of copies of each item."""

    each: Count = Field(description="copies of each item")


class InTotal(Part):
    """Copies by popularity."""

    total: Count = Field(
        description="copies of all items together, by popularity; each item has one at least, if that is enough"
    )


COPIES_FORMS: Final = "a mapping with each or total"
Copies: TypeAlias = Annotated[
    Annotated[EachItem, Tag("<each>")] | Annotated[InTotal, Tag("<total>")], forms(COPIES_FORMS)
]


class Content(Part):
    """What there is to find."""

    items: Count = Field(default=100, description="how many different ones")
    size: Size = Field(default=1_000_000, description="of each")
    zipf: Exponent = Field(default=0.8, description="the popularity of the k-th item is in proportion to 1/k^zipf")
    copies: Copies = Field(
        default_factory=lambda: EachItem(each=3),
        description="how many nodes have an item, at random among those that share",
    )
    words: Annotated[StrictInt, Field(ge=1, le=20)] = Field(default=3, description="in the name of an item")
    vocabulary: Annotated[StrictInt, Field(ge=1, le=100_000)] = Field(
        default=300, description="the words that names are made of"
    )
    words_zipf: Exponent = Field(
        default=1.0, description="how common words are: the k-th in proportion to 1/k^words_zipf"
    )


class Queries(Part):
    """What is looked for, and how often."""

    rate: Frequency | None = Field(
        default=None, description="of each node that asks, while it is there; at random moments"
    )
    total_rate: Frequency | None = Field(default=None, description="of all nodes together, instead of `rate`")
    begin: Duration = Field(
        alias="from", default=10.0, description="no query before: the overlay has this long to form"
    )
    end: PositiveDuration = Field(alias="until", default=60.0, description="no query after")
    what: Literal["exact", "words"] = Field(default="exact", description="an item's whole name, or some of its words")
    words: Count = Field(default=2, description="how many words of the name, where words are asked for")
    typos: CountOrNone = Field(default=0, description="letters that are wrong, missing or too many in each query")


KILL_FORMS: Final = "directory, a percentage of all nodes such as 50 %, or a mapping of groups such as {homes: 30 %}"
Killed: TypeAlias = Annotated[
    Annotated[Literal["directory"], Tag(WORD)] | ShareOfAll | ShareOfGroups, forms_of_kill(KILL_FORMS, "directory")
]


class Failure(FailureTime):
    """Hosts that fail together."""

    kill: Killed = Field(
        description="which: directory, a part of all nodes, or of some groups; their programs get SIGKILL"
    )


_GROUP_EXAMPLE: Final = "`nodes: {homes: {count: 10, up: 1 Mbit/s}}`"


def _groups(value: object) -> object:
    """Refuse nodes without groups: what is written is the description of one, a list of them, or nothing."""
    if isinstance(value, Mapping):
        keys = [key for key, inner in value.items() if key in NodeGroup.model_fields and not isinstance(inner, Mapping)]
        if keys:
            raise message(f"the name of a group is missing above `{keys[0]}:`: write {_GROUP_EXAMPLE}")
        return value
    raise needed(f"groups with names of your choice, such as {_GROUP_EXAMPLE}")


class OverlayChoice(Part):
    """The overlay that nodes form, and its parameters, some of which are mappings of others."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Nested]

    reference: Text = Field(alias="class", description="its name; every other key is a parameter of the overlay")

    @property
    def parameters(self) -> dict[str, Nested]:
        """The parameters as they are written."""
        return dict(self.__pydantic_extra__)


OverlayOrName: TypeAlias = Annotated[
    OverlayChoice, BeforeValidator(as_named, json_schema_input_type=str | OverlayChoice)
]


class FindKeys(Part):
    """The keys that this task adds to those of every experiment."""

    overlay: OverlayOrName | None = Field(
        default=None,
        description="napster, gnutella, chord, kademlia, cubit or keywords; or a mapping with `class:` and parameters",
    )
    directory: Directory | None = Field(
        default=None, description="the hosts that know who has what; overlays without a directory do not use it"
    )
    nodes: Annotated[dict[GroupName, NodeGroup], BeforeValidator(_groups)] = Field(
        default_factory=dict, description="groups of nodes, by a name of your choice"
    )
    known: Count = Field(default=3, description="how many nodes that came before it a newcomer knows, at random")
    content: Content = Field(default_factory=Content, description="what there is to find")
    queries: Queries = Field(default_factory=Queries, description="what is looked for, and how often")
    downloads: StrictBool = Field(
        default=False,
        description="whether nodes download what a search found first, from the holder that this answer names",
    )
    failures: list[Failure] = Field(default_factory=list, description="hosts that fail together, in any order")

    @property
    def kind(self) -> Overlay | None:
        """What the overlay is; None for one that does not exist."""
        return None if self.overlay is None else overlay_named(self.overlay.reference)

    @property
    def hosts(self) -> Mapping[tuple[str, ...], Directory | NodeGroup]:
        """All groups of hosts that the overlay has, by the path of their key: the directory first."""
        hosts: dict[tuple[str, ...], Directory | NodeGroup] = {}
        if self.directory is not None and self.kind is not None and self.kind.has_directory:
            hosts["directory",] = self.directory
        return hosts | {("nodes", name): group for name, group in self.nodes.items()}
