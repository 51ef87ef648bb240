"""The searches of one node, and their events: each ends exactly once."""

from dataclasses import dataclass
from typing import Final

from contract.overlay_events import AnswerCame, SearchBegan, SearchEnded
from peer.overlays.content import Wanted
from peer.overlays.node import Outbox


@dataclass(slots=True)
class _Progress:
    answers: set[tuple[str, str]]
    hops: int | None = None


class Searches:
    """What is asked for now, and what was answered."""

    __slots__ = ("_out", "_under_way")

    def __init__(self, out: Outbox) -> None:
        self._out: Final = out
        self._under_way: Final[dict[str, _Progress]] = {}

    def begin(self, name: str, wanted: Wanted) -> None:
        self._under_way[name] = _Progress(set())
        self._out.record(SearchBegan(name, wanted.text))

    def is_under_way(self, name: str) -> bool:
        return name in self._under_way

    def answer(self, name: str, item: str, holder: str, hops: int | None) -> None:
        """Record that a holder is known, unless it was known before."""
        progress = self._under_way.get(name)
        if progress is None or (item, holder) in progress.answers:
            return
        if not progress.answers:
            progress.hops = hops
        progress.answers.add((item, holder))
        self._out.record(AnswerCame(name, item, holder, hops))

    def end(self, name: str, *, could_ask: bool, hops: int | None, timeouts: int) -> None:
        """Record how a search ended; `hops` are those of a search without an answer."""
        progress = self._under_way.pop(name, None)
        if progress is None:
            return
        without_answer = "not_found" if could_ask else "failed"
        outcome = "found" if progress.answers else without_answer
        made = progress.hops if progress.answers else hops
        self._out.record(SearchEnded(name, outcome, len(progress.answers), made, timeouts))

    def leave(self) -> None:
        """Record that the node left before its searches ended."""
        for name, progress in self._under_way.items():
            self._out.record(SearchEnded(name, "left", len(progress.answers), progress.hops, 0))
        self._under_way.clear()
