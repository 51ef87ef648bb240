"""What can be chosen of a servent. The defaults are those of the texts, or else of LimeWire or gtk-gnutella."""

from dataclasses import dataclass, field
from math import inf

from peer.overlays.gnutella.kazaa.participation import MOST_LEVEL, Client


@dataclass(frozen=True, slots=True)
class NeighbourParameters:
    """How many connections of which kind, and how they are looked for."""

    wanted: int = 4
    """Neighbours of a servent without ultrapeers: it dials until it has so many, as the first clients did."""
    most: int = 8
    """It accepts up to so many."""
    ultrapeers: int = 30
    """Of an ultrapeer, to which it dials and up to which it accepts; dynamic queries ask for 15 at least."""
    leaves: int = 30
    """Places that an ultrapeer has for leaves: 10 to 100."""
    ultrapeers_of_a_leaf: int = 3
    """As LimeWire has it; the first text says 1."""
    hosts: int = 1_000
    """Addresses that it remembers."""
    dials: int = 8
    """At a time."""
    patience: float = 10.0
    """Seconds that a handshake may take."""
    first_wait: float = 10.0
    longest_wait: float = 600.0
    """Seconds after which an address that gave no connection is tried again, which double."""


@dataclass(frozen=True, slots=True)
class PongParameters:
    """Rohrs' scheme of cached pongs."""

    lifetime: float = 3.0
    """Seconds that the cache lasts, and between two pings that are taken from a neighbour."""
    most: int = 10
    """Pongs for a ping."""
    ttl: int = 7
    """Of pings."""


@dataclass(frozen=True, slots=True)
class SearchParameters:
    """How searches are asked, and when they end. A flood has no end of its own."""

    way: str = "flood"
    """flood, dynamic (for ultrapeers, and for leaves, whose ultrapeers decide) or walk."""
    ttl: int = 7
    silence: float = 30.0
    """Seconds without an answer after which the search ends."""
    limit: float = 240.0
    """Seconds after which it ends in any case."""
    enough: int = 0
    """Answers after which it ends at once; 0: never."""
    fetches: bool = True
    """Whether the first answer is downloaded."""
    most_results: int = 64
    """That this servent gives for one query."""


@dataclass(frozen=True, slots=True)
class DynamicParameters:
    """Fisk's dynamic queries of ultrapeers."""

    wanted: int = 150
    """Results, of an ultrapeer's own search."""
    wanted_by_leaf: int = 50
    """As a leaf has three ultrapeers."""
    probe_links: int = 3
    probe_ttl: int = 2
    probe_wait: float = 7.2
    """Seconds, which the text asks for at least."""
    most_ttl: int = 3
    hop_wait: float = 2.4
    """Seconds for each hop of a question, before the next neighbour is asked."""
    horizon: int = 200_000
    """Ultrapeers, by the degrees that they say they have, after which nobody else is asked."""
    at_once: int = 100
    """Queries that are led at a time; further ones are not begun."""


@dataclass(frozen=True, slots=True)
class WalkParameters:
    """The k walkers of Lv, Cao, Cohen, Li and Shenker."""

    walkers: int = 32
    check_every: int = 4
    """Steps, after which a walker asks the querier whether to go on."""
    steps: int = 1_024
    """That a walker makes at most, where nobody calls it back."""
    wanted: int = 1
    """Answers after which walkers are called back."""
    knows: bool = True
    """Whether this servent knows walkers at all; one of the time drops them."""
    checks: int = 64
    """That it makes at a time; walkers beyond these end here."""


@dataclass(frozen=True, slots=True)
class TableParameters:
    """Query routing between leaves and ultrapeers, and between ultrapeers."""

    entries: int = 65_536
    infinity: int = 7
    period: float = 60.0
    """Seconds after which an ultrapeer looks whether its table has changed."""
    patch_bytes: int = 1_024
    """Of one message."""
    compresses: bool = True
    between_ultrapeers: bool = True
    """Whether ultrapeers give each other tables, to filter the last hop."""


@dataclass(frozen=True, slots=True)
class Capability:
    """What a servent is able to do, and what it says of itself."""

    upload: float = 1_000.0
    download: float = 1_000.0
    """In kilobytes a second."""
    is_firewalled: bool = False
    level: int = 10
    """Its participation level before it has moved any file, 0 to 1000, which nobody checks."""
    client: str = "kazaa"
    """kazaa says which level it has earned; kazaa-lite says 1000."""

    @property
    def first_claim(self) -> int:
        """The level that it says it has, before it has moved any file."""
        return MOST_LEVEL if self.client == Client.KAZAA_LITE.value else self.level


@dataclass(frozen=True, slots=True)
class UploadParameters:
    """Who gets the files of a servent, and when."""

    slots: int = 4
    """Uploads at a time."""
    most_waiting: int = 100
    """Who comes later, or in order of levels has the lowest, is refused."""
    by_level: bool = False
    """Whether the highest claimed level goes first, as in KaZaA; otherwise who came first."""


@dataclass(frozen=True, slots=True)
class ElectionParameters:
    """Who may be an ultrapeer, or a supernode: the rules of the ultrapeers' text, and a level if one is asked for."""

    upload: float = 10.0
    download: float = 15.0
    """In kilobytes a second."""
    uptime: float = 300.0
    """Seconds; the text says several minutes."""
    level: int = 0
    wait: float = 30.0
    """Seconds without an ultrapeer after which who may be one becomes one."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """All of a servent."""

    role: str = "peer"
    """peer (of 0.4), leaf, ultrapeer, or elected: a leaf that may become an ultrapeer."""
    neighbours: NeighbourParameters = field(default_factory=NeighbourParameters)
    pongs: PongParameters = field(default_factory=PongParameters)
    search: SearchParameters = field(default_factory=SearchParameters)
    dynamic: DynamicParameters = field(default_factory=DynamicParameters)
    walk: WalkParameters = field(default_factory=WalkParameters)
    tables: TableParameters = field(default_factory=TableParameters)
    capability: Capability = field(default_factory=Capability)
    uploads: UploadParameters = field(default_factory=UploadParameters)
    election: ElectionParameters = field(default_factory=ElectionParameters)

    def __post_init__(self) -> None:
        _expect("role", self.role, ("peer", "leaf", "ultrapeer", "elected"))
        _expect("way", self.search.way, ("flood", "dynamic", "walk"))
        _expect("capability.client", self.capability.client, tuple(each.value for each in Client))
        for key, value, least, most in self._ranges():
            if not least <= value <= most:
                raise ValueError(f"{key}: expected {least} to {most}, found {value}")
        if self.tables.entries & (self.tables.entries - 1):
            raise ValueError(f"tables.entries: expected a power of two, found {self.tables.entries}")

    def _ranges(self) -> list[tuple[str, float, float, float]]:
        """Return the least and the most of what would make no sense, or would not fit into a message."""
        search, tables, walk, dynamic = self.search, self.tables, self.walk, self.dynamic
        return [
            ("search.ttl", search.ttl, 1, 255),
            ("search.silence", search.silence, 0, inf),
            ("dynamic.probe_ttl", dynamic.probe_ttl, 1, 7),
            ("dynamic.most_ttl", dynamic.most_ttl, 1, 7),
            ("dynamic.probe_wait", dynamic.probe_wait, 0.001, inf),
            ("dynamic.hop_wait", dynamic.hop_wait, 0.001, inf),
            ("walk.walkers", walk.walkers, 1, 10_000),
            ("walk.check_every", walk.check_every, 1, 0xFFFF),
            ("walk.steps", walk.steps, 1, 0xFFFF),
            ("tables.entries", tables.entries, 8, 1 << 21),
            ("tables.infinity", tables.infinity, 2, 8),
            ("tables.period", tables.period, 0.001, inf),
            ("tables.patch_bytes", tables.patch_bytes, 1, 60_000),
            ("pongs.ttl", self.pongs.ttl, 1, 255),
            ("neighbours.first_wait", self.neighbours.first_wait, 0.001, inf),
            ("capability.level", self.capability.level, 0, MOST_LEVEL),
            ("uploads.slots", self.uploads.slots, 1, 1_000),
            ("uploads.most_waiting", self.uploads.most_waiting, 0, 1_000),
        ]


def _expect(key: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{key}: expected {', '.join(known)}, found {value!r}")
