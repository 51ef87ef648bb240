"""Keys of an experiment that distributes a file."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, Tag

from contract.programs import CLIENTS, EncryptionChoice, ProfileName
from testbed.values.failures import WORD, FailureTime, ShareOfAll, ShareOfGroups, forms_of_kill
from testbed.values.hosts import AccessLinks, Arrival
from testbed.values.names import GroupName
from testbed.values.parts import Named, NameOrMapping, Part
from testbed.values.quantities import (
    PLAIN,
    Count,
    CountOrNone,
    Duration,
    Percentage,
    Positive,
    PositiveDuration,
    Size,
    Text,
    forms,
    message,
    needed,
    word,
)

KIB = 1024

Scheme: TypeAlias = Literal["client-server", "bittorrent", "fluid"]

OURS: Final = "ours"
NGINX: Final = "nginx"
OPENTRACKER: Final = "opentracker"
APPLICATIONS: Final[Mapping[Scheme, tuple[str, ...]]] = {
    "client-server": (OURS,),
    "bittorrent": (OURS, *CLIENTS),
    "fluid": (OURS,),
}
"""The applications that can run each scheme; of BitTorrent also those of adapters beside the file, `module:Class`."""


SERVERS_ALSO: Final[Mapping[Scheme, tuple[str, ...]]] = {"client-server": (NGINX,), "bittorrent": (), "fluid": ()}
"""The applications that can only be servers."""


class After(Part):
    """Leave a given time after joining, with the file or without."""

    after: PositiveDuration = Field(description="leave this long after joining, with the file or without")


class Linger(Part):
    """Leave a given time after completion."""

    linger: Duration = Field(description="leave this long after completion")


class AtRatio(Part):
    """Leave after sending enough."""

    share_ratio: Positive = Field(description="leave when complete and having sent this many copies of the file")


class Break(Part):
    """A break in the middle of the download."""

    at: Percentage = Field(description="leave when it has this part of the file")
    back_after: Duration = Field(description="come back after this time, from a new address, with the pieces it had")


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
    """Peers that have a part of the file when they join."""

    peers: Count = Field(description="how many of the group, chosen at random")
    holding: Percentage = Field(alias="with", description="how much of the file each has, chosen at random")


class Hosts(AccessLinks):
    """Hosts that are described together."""

    profile: ProfileName | None = Field(default=None, description="instead of the experiment's")
    strategy: NameOrMapping = Field(
        default_factory=lambda: Named.model_validate({"class": "tit-for-tat"}),
        description="a name, `module:Class`, or a mapping with `class:` and the strategy's parameters",
    )
    application: Text = Field(
        default=OURS, description="the program that runs: ours, another client's name, or an adapter as `module:Class`"
    )
    encryption: EncryptionChoice | None = Field(default=None, description="instead of the experiment's")

    @property
    def is_ours(self) -> bool:
        """Whether our own program runs there."""
        return self.application == OURS


class Servers(Hosts):
    """Hosts that have the whole file from the beginning to the end."""

    count: Count = Field(default=1, description="how many")


class PeerGroup(Hosts):
    """Peers that are described together."""

    count: CountOrNone = Field(description="how many")
    arrival: Arrival = Field(default="flash", description="when each joins; flash: all at t = 0")
    departure: Departure = Field(default="stay", description="when each leaves; at-completion: once it has the file")
    start: Start | None = Field(default=None, description="how many have a part of the file when they join")


def _piece_length(size: int) -> int:
    if size < 16 * KIB or size & (size - 1):
        raise needed("a power of two from 16 KiB on (16 KiB, 32 KiB, 64 KiB, ...)")
    return size


PieceLength: TypeAlias = Annotated[Size, AfterValidator(_piece_length)]

_GROUP_EXAMPLE: Final = "`peers: {homes: {count: 10, up: 1 Mbit/s}}`"


def _groups(value: object) -> object:
    """Refuse peers without groups: what is written is the description of one, a list of them, or nothing."""
    if isinstance(value, Mapping):
        keys = [key for key, inner in value.items() if key in PeerGroup.model_fields and not isinstance(inner, Mapping)]
        if keys:
            raise message(f"the name of a group is missing above `{keys[0]}:`: write {_GROUP_EXAMPLE}")
        return value
    raise needed(f"groups with names of your choice, such as {_GROUP_EXAMPLE}")


def _one_group(value: object) -> object:
    """Refuse servers in groups."""
    if isinstance(value, Mapping) and value and all(isinstance(inner, Mapping) for inner in value.values()):
        if not value.keys() & Servers.model_fields.keys():
            raise message("has no groups: write `up:` and the other keys directly below `servers:`")
    elif isinstance(value, list):
        raise message("is no list: describe all servers together, as in `servers: {count: 2, up: 8 Mbit/s}`")
    return value


class File(Part):
    """What is distributed."""

    size: Size = Field(description="F")
    piece_length: PieceLength = Field(default=256 * KIB, description="a power of two from 16 KiB on")


class TrackerChoice(Part):
    """What introduces peers to one another."""

    kind: Literal["http", "udp"] = Field(default="http", description="its protocol")
    application: Literal["ours", "opentracker"] = Field(default=OURS, description="the program that runs")
    numwant: Count = Field(default=50, description="how many peers to ask it for")
    seeds_meet_seeds: bool = Field(
        default=True, description="whether peers that have everything are named to others that have everything"
    )


KILL_FORMS: Final = (
    "tracker, bootstrap, servers, a percentage of all peers such as 50 %, or a mapping of groups such as {homes: 30 %}"
)
Killed: TypeAlias = Annotated[
    Annotated[Literal["tracker", "bootstrap", "servers"], Tag(WORD)] | ShareOfAll | ShareOfGroups,
    forms_of_kill(KILL_FORMS, "tracker", "bootstrap", "servers"),
]


class HostFailure(FailureTime):
    """Hosts that fail together."""

    kill: Killed = Field(
        description="which: tracker, bootstrap, servers, a part of all peers, or of some groups; their programs get"
        " SIGKILL"
    )


class DistributionKeys(Part):
    """The keys that this task adds to those of every experiment."""

    distribution: Scheme = Field(
        default="bittorrent", description="how the file travels; fluid: the scheme that attains the bound"
    )
    file: File | None = Field(default=None, description="what is distributed")
    servers: Annotated[Servers | None, BeforeValidator(_one_group)] = Field(
        default=None, description="hosts with the whole file"
    )
    peers: Annotated[dict[GroupName, PeerGroup], BeforeValidator(_groups)] = Field(
        default_factory=dict, description="groups of peers, by a name of your choice"
    )
    discovery: Literal["tracker", "dht", "both"] = Field(
        default="tracker",
        description="how peers find one another: by a tracker, by the DHT, which they join by a node that the torrent"
        " names, or by both",
    )
    tracker: TrackerChoice = Field(default_factory=TrackerChoice, description="what introduces peers to one another")
    profile: ProfileName = Field(default="course", description="the constants of the clients")
    encryption: EncryptionChoice | None = Field(
        default=None, description="of BitTorrent's connections (MSE); each client's own choice if left out"
    )
    placement: Literal["in-order", "drawn"] = Field(
        default="in-order", description="peers take their places in the topology in the order of the file, or at random"
    )
    failures: list[HostFailure] = Field(default_factory=list, description="hosts that fail together, in any order")

    @property
    def has_tracker(self) -> bool:
        """Whether there is a tracker."""
        return self.distribution == "bittorrent" and self.discovery != "dht"

    @property
    def has_dht(self) -> bool:
        """Whether peers are nodes of a DHT, with one more to join by."""
        return self.distribution == "bittorrent" and self.discovery != "tracker"

    @property
    def hosts(self) -> Mapping[tuple[str, ...], Servers | PeerGroup]:
        """All groups of hosts that are written, by the path of their key: the servers first."""
        hosts: dict[tuple[str, ...], Servers | PeerGroup] = {}
        if self.servers is not None:
            hosts["servers",] = self.servers
        return hosts | {("peers", name): group for name, group in self.peers.items()}
