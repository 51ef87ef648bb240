"""A search for content with every value filled in."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from testbed.tasks.find.overlays import Overlay, overlay_named
from testbed.values.parts import Nested
from testbed.values.records import CommonSettings, GrownRecord, PlannedHost, Record

Session = tuple[float, float | None]
"""When a node joins, and when it leaves; None for never."""


class PlannedOverlay(Record):
    """An overlay's name, and its parameters as they were written."""

    name: str
    parameters: dict[str, Nested] = Field(default_factory=dict)

    def parameters_with(self, own: Mapping[str, Nested]) -> dict[str, Nested]:
        """Return the parameters of nodes that have some of their own, of which inner ones are replaced one by one."""
        return {**self.parameters, **{name: self._joined(name, value) for name, value in own.items()}}

    def _joined(self, name: str, value: Nested) -> Nested:
        common = self.parameters.get(name)
        return {**common, **value} if isinstance(common, dict) and isinstance(value, dict) else value


class PlannedContent(Record):
    """What there is to find. The items, and who has them, are drawn again wherever they are needed."""

    items: int
    size: int
    zipf: float
    each: int | None
    total: int | None
    words: int
    vocabulary: int
    words_zipf: float


class PlannedQueries(Record):
    """What is looked for: rates in 1/s, times in seconds."""

    rate: float | None
    total_rate: float | None
    begin: float
    end: float
    what: Literal["exact", "words"]
    words: int
    typos: int


class PlannedMember(PlannedHost):
    """A host that takes part in the overlay."""

    seed: int
    killed_at: float | None = None
    """When its program gets SIGKILL, in seconds after t = 0."""

    def lives_at(self, t: float) -> bool:
        """Whether it is not killed before."""
        return self.killed_at is None or t < self.killed_at


class PlannedDirectory(PlannedMember):
    """A host that knows who has what."""


class PlannedNode(PlannedMember, GrownRecord):
    """A host that has content, or looks for it."""

    added_later: ClassVar[Mapping[str, object]] = {"parameters": {}, "targets": 0}
    group: str
    role: str
    shares: bool
    asks: bool
    sessions: tuple[Session, ...]
    by_word: bool = False
    new_address: bool = False
    """Whether every other session is at its second address."""
    known: tuple[str, ...] = ()
    """The hosts whose addresses it has at first."""
    targets: int = 0
    """Of an attacker, how many items it attacks: the most popular."""
    parameters: dict[str, Nested] = Field(default_factory=dict)
    """Those of the overlay that its group has instead of the others', as they were written."""

    def is_there(self, t: float) -> bool:
        """Whether it is to take part at a time."""
        return self.lives_at(t) and any(join <= t and (leave is None or t < leave) for join, leave in self.sessions)


class FindHosts(Record):
    """All hosts of a trial."""

    task: Literal["find"] = "find"
    directories: tuple[PlannedDirectory, ...]
    nodes: tuple[PlannedNode, ...]
    positions: tuple[str, ...]
    """The names of all hosts, in the order of their places in the topology."""
    draw: int
    """The seed of the content and of the searches."""

    @property
    def all(self) -> tuple[PlannedMember, ...]:
        """All hosts, in the order of their places in the topology."""
        return (*self.directories, *self.nodes)

    @property
    def arrivals(self) -> dict[str, float]:
        """When each node is to join first, in seconds after t = 0, by its name."""
        return {node.name: node.sessions[0][0] for node in self.nodes}

    @property
    def groups(self) -> dict[str, str]:
        """The group of each node, by its name."""
        return {node.name: node.group for node in self.nodes}


class FindTheory(Record):
    """What the searches of a trial are compared with; None where no law says anything."""

    task: Literal["find"] = "find"
    hops: float | None
    """The mean or most hops of a search."""
    messages: float | None
    """The mean or most messages of a search, where they do not depend on the neighbours that nodes turn out to have."""
    entries: float | None
    """The entries that a node keeps."""
    directory_entries: float | None
    """The entries that the directory keeps."""


class FindSettings(CommonSettings):
    """What holds for a trial as a whole."""

    task: Literal["find"] = "find"
    overlay: PlannedOverlay
    content: PlannedContent
    queries: PlannedQueries
    downloads: bool = False
    """Whether nodes download what they found."""

    def identity(self) -> dict[str, Any]:
        """Return what a trial's id is made from, without a key that is not used: ids stay what they were before it."""
        values = super().identity()
        if not self.downloads:
            del values["downloads"]
        return values

    @property
    def kind(self) -> Overlay:
        """What its overlay is."""
        kind = overlay_named(self.overlay.name)
        if kind is None:
            raise ValueError(f"there is no overlay {self.overlay.name}")
        return kind
