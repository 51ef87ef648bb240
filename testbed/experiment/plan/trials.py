"""A trial with every value filled in: plain records that survive JSON unchanged."""

from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from testbed.experiment.schema.hosts import Parameter

Distribution = Literal["client-server", "bittorrent", "fluid"]
Term = Literal["server", "download", "uploads"]


class Record(BaseModel):
    """A value of a plan."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PlannedStrategy(Record):
    """A strategy's name, and its parameters as they were written."""

    name: str
    parameters: dict[str, Parameter] = Field(default_factory=dict)


class PlannedDeparture(Record):
    """When a peer leaves; the numbers that its kind needs are there, the others are None."""

    kind: Literal["stay", "at-completion", "after", "linger", "share_ratio", "mid_way"] = "stay"
    seconds: float | None = None
    """After joining (`after`), after completion (`linger`), or until it is back (`mid_way`)."""
    ratio: float | None = None
    share: float | None = None
    """The part of the file with which it leaves (`mid_way`), 0 to 1."""


class PlannedHost(Record):
    """A host and its access link. Rates in bit/s, None for no limit; times in seconds; loss is a probability."""

    name: str
    up: int | None = None
    down: int | None = None
    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0


class PlannedServer(PlannedHost):
    """A host that has the whole file."""

    profile: str
    strategy: PlannedStrategy
    application: str
    seed: int


class PlannedPeer(PlannedServer):
    """A host that wants the file."""

    group: str
    arrival: float = 0.0
    held: float = 0.0
    """The share of the file that it holds at first."""
    departure: PlannedDeparture = PlannedDeparture()


class PlannedTracker(PlannedHost):
    """A host that tells peers of one another."""

    kind: Literal["http", "udp"]
    numwant: int


class TrialHosts(Record):
    """All hosts of a trial."""

    servers: tuple[PlannedServer, ...]
    tracker: PlannedTracker | None
    """None where nobody needs one."""
    peers: tuple[PlannedPeer, ...]
    positions: tuple[str, ...]
    """The names of all hosts, in the order in which they stand in the topology."""

    @property
    def all(self) -> tuple[PlannedHost, ...]:
        """All hosts, in the order in which they stand in the topology."""
        everyone: list[PlannedHost] = [*self.servers, *([self.tracker] if self.tracker else []), *self.peers]
        by_name = {host.name: host for host in everyone}
        return tuple(by_name[name] for name in self.positions)


class PlannedTopology(Record):
    """A topology and what was written for it; rates, delays and names of hosts are the hosts' own."""

    reference: str
    parameters: dict[str, Parameter] = Field(default_factory=dict)


class Settings(Record):
    """What holds for a trial as a whole. Sizes in bytes, times in seconds."""

    distribution: Distribution
    file_size: int
    piece_length: int
    profile: str
    topology: PlannedTopology
    congestion_control: Literal["cubic", "reno", "bbr"]
    time_limit: float
    time_scale: float
    capture: tuple[str, ...]
    """`all`, or servers, tracker and names of groups; empty for nothing."""
    trace_level: Literal["summary", "pieces", "full"] = Field(validation_alias=AliasChoices("trace_level", "trace"))
    """How much the peers' traces say. Plans of version 0.1 call it `trace`."""
    modules: dict[str, str] = Field(default_factory=dict)
    """Strategies of one's own that are beside the experiment file: by the module's name, its text."""

    def identity(self) -> dict[str, Any]:
        """Return what a trial's id is made from; it has the names of version 0.1, so that ids stay what they were."""
        values = self.model_dump(mode="json")
        return {"trace" if key == "trace_level" else key: value for key, value in values.items()}


class PlannedBound(Record):
    """A lower bound on the distribution time, and the same where only payload counts."""

    seconds: float
    payload_seconds: float
    limit: Term


class PlannedFluid(Record):
    """The fluid scheme's streams in bit/s of frames, in the order of the peers."""

    limit: Term
    relayed: tuple[float, ...]
    direct: float


class Theory(Record):
    """What a trial is held against."""

    client_server: PlannedBound
    p2p: PlannedBound
    fluid: PlannedFluid | None
    """The streams of the fluid scheme, where that is what is run."""
    pieces_seconds: float | None = None
    """The least time of a file in pieces that are passed on when they are whole, where all uploads are equal."""


class Estimate(Record):
    """What a trial is likely to take."""

    seconds: float
    bits_per_second: float
    """Through the core while all are busy."""
    packets_per_second: float
    """Of data, through the core."""


class Trial(Record):
    """One run of one point with one seed."""

    id: str
    """The same whenever the same values are tried; other values have another."""
    point: dict[str, Any]
    """The swept values, as they were written, by key."""
    repetition: int
    seed: int
    pair: str | None
    """The same for trials that differ only in the paired key."""
    settings: Settings
    hosts: TrialHosts = Field(validation_alias=AliasChoices("hosts", "cast"))
    """Plans of version 0.1 call it `cast`."""
    theory: Theory
    estimate: Estimate

    @property
    def bound(self) -> PlannedBound:
        """The bound of this trial's way to distribute."""
        return self.theory.client_server if self.settings.distribution == "client-server" else self.theory.p2p
