"""The rows of searches: what was asked, what came of it, and what it cost."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from math import nan
from typing import Final

import pandas as pd

from contract.overlay_events import UPKEEP
from testbed.runfolder.overlay_traces import Answer, TracedSearch, Traffic
from testbed.runfolder.trial_data import Row, number
from testbed.tasks.find.plan.laws import flood_messages
from testbed.tasks.find.plan.searches import PlannedSearch
from testbed.tasks.find.plan.theory import DEFAULT_TTL, TTL, number_of
from testbed.tasks.find.tables.reading import FindData
from testbed.tasks.find.trials import theory_of
from testbed.tasks.searches import Judgement

NEVER_BEGAN: Final = "never began"
NEVER_ENDED: Final = "never ended"
_FLAT: Final = "servent"
"""The role in which nodes pass every question on to all neighbours."""


@dataclass(frozen=True)
class Judged:
    """The answers to a search, each of one kind."""

    right: frozenset[str]
    """Different holders that had it and were there."""
    first: float | None
    """When the first right answer came."""
    stale: int
    wrong: int


def query_rows(data: FindData, overlay: pd.DataFrame, downloads: pd.DataFrame) -> Iterator[Row]:
    """Yield a row for each planned search, even if its node never began it."""
    downloaded = dict(zip(downloads["search"], downloads["download_s"], strict=True))
    costs, laws = costs_of(data), _Laws(data, overlay)
    ranks = {thing.name: thing.number + 1 for thing in data.scenario.catalogue.things}
    for search in data.scenario.searches:
        traced = data.trace(search.node).searches.get(search.name)
        existing = data.existing_holders(search)
        judged = judge(data, search, traced, existing)
        cost = costs.get(search.name, Traffic())
        yield {
            "trial": data.record.id,
            "search": search.name,
            "node": search.node,
            "group": data.hosts.groups[search.node],
            "at": search.at,
            "meant": search.meant,
            "rank": ranks.get(search.meant, nan) if search.is_exact else nan,
            "wanted": search.wanted,
            "exact": int(search.is_exact),
            "outcome": NEVER_BEGAN if traced is None else traced.outcome or NEVER_ENDED,
            "existing": len(existing),
            "answers": 0 if traced is None else len(traced.answers),
            "right": len(judged.right),
            "stale": judged.stale,
            "wrong": judged.wrong,
            "success": float(bool(judged.right)) if existing else nan,
            "recall": len(judged.right) / len(existing) if existing else nan,
            **_times(traced, judged),
            "hops_law": laws.hops,
            "messages": cost.messages,
            "messages_law": laws.messages(search.at),
            "bytes": cost.bytes,
            "timeouts": 0 if traced is None else traced.timeouts,
            "download_s": downloaded.get(search.name, nan),
        }


def _times(traced: TracedSearch | None, judged: Judged) -> Row:
    if traced is None:
        return {"latency_s": nan, "took_s": nan, "hops": nan}
    return {
        "latency_s": nan if judged.first is None else judged.first - traced.began,
        "took_s": nan if traced.ended is None else traced.ended - traced.began,
        "hops": number(traced.hops),
    }


def judge(data: FindData, search: PlannedSearch, traced: TracedSearch | None, existing: set[str]) -> Judged:
    """Sort the answers to a search by what is known of who had what, and was there when it was asked."""
    right: dict[str, float] = {}
    count = {"right": 0, "stale": 0, "wrong": 0}
    for answer in traced.answers if traced else ():
        judgement = judgement_of(data, search, answer, existing)
        count[judgement] += 1
        if judgement == "right":
            right.setdefault(data.host_at(answer.holder), answer.t)
    return Judged(frozenset(right), min(right.values(), default=None), count["stale"], count["wrong"])


def judgement_of(data: FindData, search: PlannedSearch, answer: Answer, existing: set[str]) -> Judgement:
    """Say what an answer is worth, if these are the holders that were to be there."""
    holder = data.host_at(answer.holder)
    if not search.fits(answer.item) or holder not in data.scenario.holders_of(search):
        return "wrong"
    return "right" if holder in existing else "stale"


def costs_of(data: FindData) -> Mapping[str, Traffic]:
    """Return what each search made all hosts send: what they counted for it, and what its own node was charged."""
    costs: dict[str, Traffic] = {}
    for trace in data.traces.values():
        for search, sent in chain(trace.sent.items(), trace.charged.items()):
            if search != UPKEEP:
                costs.setdefault(search, Traffic()).add(sent.messages, sent.bytes)
    return costs


class _Laws:
    """What the laws say of the searches of a trial."""

    def __init__(self, data: FindData, overlay: pd.DataFrame) -> None:
        theory, settings = theory_of(data.trial), data.settings
        self.hops: Final = number(theory.hops)
        self._messages: Final = number(theory.messages)
        roles = {node.role for node in data.hosts.nodes}
        self._is_flood: Final = settings.overlay.name == "gnutella" and roles == {_FLAT}
        self._ttl: Final = number_of(settings, TTL, DEFAULT_TTL)
        self._overlay: Final = overlay

    def messages(self, at: float) -> float:
        """Return the messages of a search that begins at a time."""
        if not self._is_flood or self._overlay.empty:
            return self._messages
        then = self._overlay.iloc[min(int(at), len(self._overlay) - 1)]
        return flood_messages(int(then["alive"]), float(then["degree_mean"]), self._ttl)
