"""A distribution with every value filled in."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from testbed.tasks.distribute.schema.keys import OURS
from testbed.theory import Term
from testbed.values.parts import Parameter
from testbed.values.records import CommonSettings, GrownRecord, PlannedHost, Record

Distribution = Literal["client-server", "bittorrent", "fluid"]


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


class PlannedProgram(PlannedHost, GrownRecord):
    """A host, and the end of what it runs."""

    added_later: ClassVar[Mapping[str, object]] = {"killed_at": None}
    killed_at: float | None = None
    """When its program gets SIGKILL, in seconds after t = 0."""


class PlannedServer(PlannedProgram):
    """A host that has the whole file."""

    added_later: ClassVar[Mapping[str, object]] = {"killed_at": None, "encryption": ""}
    profile: str
    """Empty for another client than ours, as is the name of the strategy."""
    strategy: PlannedStrategy
    application: str
    encryption: str = ""
    """Empty where each client is to do as it always does."""
    seed: int

    @property
    def is_ours(self) -> bool:
        """Whether our own program runs there."""
        return self.application == OURS


class PlannedPeer(PlannedServer):
    """A host that wants the file."""

    group: str
    arrival: float = 0.0
    held: float = 0.0
    """The share of the file that it has when it joins."""
    departure: PlannedDeparture = PlannedDeparture()


class PlannedTracker(PlannedProgram):
    """A host that introduces peers to one another."""

    added_later: ClassVar[Mapping[str, object]] = {"killed_at": None, "application": OURS, "seeds_meet_seeds": True}
    kind: Literal["http", "udp"]
    application: str = OURS
    numwant: int
    seeds_meet_seeds: bool = True


class PlannedBootstrap(PlannedProgram):
    """A host that has a node of the DHT, and neither has nor wants the file: others join by it."""

    seed: int


class TrialHosts(GrownRecord):
    """All hosts of a trial."""

    added_later: ClassVar[Mapping[str, object]] = {"bootstrap": None}
    servers: tuple[PlannedServer, ...]
    tracker: PlannedTracker | None
    """None where the scheme has none, or the DHT takes its place."""
    bootstrap: PlannedBootstrap | None = None
    """None without a DHT."""
    peers: tuple[PlannedPeer, ...]
    positions: tuple[str, ...]
    """The names of all hosts, in the order of their places in the topology."""

    @property
    def all(self) -> tuple[PlannedProgram, ...]:
        """All hosts, in the order of their places in the topology."""
        everyone: list[PlannedProgram] = [*self.servers, *self.introducers, *self.peers]
        by_name = {host.name: host for host in everyone}
        return tuple(by_name[name] for name in self.positions)

    @property
    def introducers(self) -> tuple[PlannedProgram, ...]:
        """Those by which a newcomer finds others: the tracker, and the node by which it joins the DHT."""
        return tuple(host for host in (self.tracker, self.bootstrap) if host is not None)

    @property
    def shuts_out_newcomers(self) -> bool:
        """Whether peers are to join when everybody is dead by whom they would find others."""
        ends = [host.killed_at for host in self.introducers]
        last = max((peer.arrival for peer in self.peers), default=0.0)
        return bool(ends) and all(end is not None and end <= last for end in ends)

    @property
    def arrivals(self) -> dict[str, float]:
        """When each peer is to join, in seconds after t = 0, by its name."""
        return {peer.name: peer.arrival for peer in self.peers}

    @property
    def groups(self) -> dict[str, str]:
        """The group of each peer, by its name."""
        return {peer.name: peer.group for peer in self.peers}


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
    """What a trial is compared with."""

    client_server: PlannedBound
    p2p: PlannedBound
    fluid: PlannedFluid | None
    """The streams of the fluid scheme, where that is what is run."""
    pieces_seconds: float | None = None
    """The least time of a file in pieces that are passed on when they are whole, where all uploads are equal."""


class Settings(CommonSettings):
    """What holds for a trial as a whole. Sizes in bytes, times in seconds."""

    task: Literal["distribute"] = Field(default="distribute", exclude=True)
    """The default task is not written, as plans had none before there were tasks."""
    distribution: Distribution
    file_size: int
    piece_length: int
    profile: str

    @property
    def exchanges_pieces(self) -> bool:
        """Whether it is BitTorrent that distributes the file."""
        return self.distribution == "bittorrent"

    @property
    def can_be_audited(self) -> bool:
        """Whether traces tell of connections and payload, as those of every scheme do."""
        return True

    def bound_in(self, theory: Theory) -> PlannedBound:
        """Return the bound of this way to distribute."""
        return theory.client_server if self.distribution == "client-server" else theory.p2p
