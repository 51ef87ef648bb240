"""What an audit finds: how many events agree, which differences are explained, and which are not."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

KINDS: Final = (
    "connection",
    "choke",
    "unchoke",
    "interested",
    "not interested",
    "request",
    "block",
    "bytes",
    "piece",
    "have",
    "completion",
    "clock",
)
"""What is compared, in the order of tables. `bytes` are those of the blocks of a connection in one direction."""


class Disagreement(NamedTuple):
    """One thing that the trace and the capture tell differently, without an explanation."""

    host: str
    kind: str
    what: str
    t: float
    """Seconds after t = 0."""
    line: int | None = None
    """In the trace."""
    packet: int | None = None
    """In the host's capture."""


@dataclass(slots=True)
class Count:
    """How often something was said, and how often that agrees."""

    traced: int = 0
    seen: int = 0
    agree: int = 0
    explained: int = 0
    disagree: int = 0

    def add(self, other: "Count") -> None:
        """Add the counts of another host or trial."""
        self.traced += other.traced
        self.seen += other.seen
        self.agree += other.agree
        self.explained += other.explained
        self.disagree += other.disagree


class Quantiles(NamedTuple):
    """The distribution of a difference, in seconds."""

    number: int
    """Of differences."""
    low: float
    """5 % are below."""
    median: float
    high: float
    """5 % are above."""
    least: float
    most: float


@dataclass
class Findings:
    """What was found at one host, or at several."""

    counts: dict[str, Count] = field(default_factory=dict)
    explained: Counter[str] = field(default_factory=Counter)
    """Differences by their reason."""
    disagreements: list[Disagreement] = field(default_factory=list)
    more: Counter[str] = field(default_factory=Counter)
    """Disagreements that are counted and not listed, by what they are about: others of that kind are listed."""
    received: "array[float]" = field(default_factory=lambda: array("d"))
    """By how much the trace is later than the packet, for each message that its host received."""
    sent: "array[float]" = field(default_factory=lambda: array("d"))
    """By how much the packet is later than the trace, for each message that its host sent."""
    verified: "array[float]" = field(default_factory=lambda: array("d"))
    """By how much the trace's completion of a piece is later than the packet with its last block."""
    left_out: dict[str, str] = field(default_factory=dict)
    """The hosts that were not audited, and why."""

    def count(self, kind: str) -> Count:
        """Return the counts of a kind, to be added to."""
        return self.counts.setdefault(kind, Count())

    def explain(self, kind: str, reason: str, number: int = 1) -> None:
        """Note differences that have a reason."""
        if number:
            self.explained[reason] += number
            self.count(kind).explained += number

    def disagree(self, found: Disagreement) -> None:
        """Note a difference without one."""
        self.disagreements.append(found)
        self.count(found.kind).disagree += 1

    def add(self, other: "Findings") -> None:
        """Add what was found elsewhere."""
        for kind, count in other.counts.items():
            self.count(kind).add(count)
        self.explained.update(other.explained)
        self.disagreements += other.disagreements
        self.more.update(other.more)
        self.received.extend(other.received)
        self.sent.extend(other.sent)
        self.verified.extend(other.verified)
        self.left_out |= other.left_out

    @property
    def agrees(self) -> bool:
        """Whether nothing is unexplained."""
        return not self.disagreements

    @property
    def disagreeing(self) -> int:
        """How many things disagree, the listed and the others."""
        return len(self.disagreements) + self.more.total()

    @property
    def compared(self) -> int:
        """How many things agree."""
        return sum(count.agree for count in self.counts.values())


def quantiles(differences: Sequence[float]) -> Quantiles | None:
    """Return the distribution of some differences; None if there are none."""
    if not differences:
        return None
    ordered = sorted(differences)
    low, median, high = (_at(ordered, share) for share in (0.05, 0.5, 0.95))
    return Quantiles(len(ordered), low, median, high, ordered[0], ordered[-1])


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def joined(all_findings: Iterable[Findings]) -> Findings:
    """Return the findings of several hosts as one."""
    total = Findings()
    for each in all_findings:
        total.add(each)
    return total
