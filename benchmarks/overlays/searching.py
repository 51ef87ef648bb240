"""What benchmarks of overlays count of searches, from the traces of those who asked and the network's ledger."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import mean
from typing import Any

from contract.overlay_events import AnswerCame, SearchEnded
from peer.simulation.overlays.network import OverlayNetwork, Place


@dataclass
class Sample:
    """Searches of one kind."""

    hops: list[int] = field(default_factory=list)
    """Of each first answer."""
    answers: list[int] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    messages: list[int] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)

    def add(self, network: OverlayNetwork[Any], place: Place[Any], name: str) -> None:
        """Take what became of a search that has ended."""
        ended = next(event for _, event in place.events if isinstance(event, SearchEnded) and event.search == name)
        self.outcomes.append(ended.outcome)
        came = [event for _, event in place.events if isinstance(event, AnswerCame) and event.search == name]
        self.answers.append(len(came))
        self.hops += [came[0].hops] if came and came[0].hops is not None else []
        self.messages.append(network.ledger.by_search[name].messages)
        self.bytes.append(network.ledger.by_search[name].bytes)

    @property
    def success(self) -> float:
        return self.outcomes.count("found") / len(self.outcomes)

    def hops_text(self) -> str:
        if not self.hops:
            return "- / -"
        ordered = sorted(self.hops)
        return f"{mean(ordered):.1f} / {ordered[ceil(0.95 * len(ordered)) - 1]}"


def percent(value: float, law: float) -> str:
    """Return how far a value is from its law."""
    return f"{100 * (value / law - 1):+.1f} %" if law else "-"


def entries_of(places: Sequence[Place[Any]]) -> str:
    """Return the mean and the most of what nodes keep of others."""
    kept = [place.node.entries for place in places]
    return f"{mean(kept):.0f} / {max(kept)}"
