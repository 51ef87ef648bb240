"""The searches that were followed, as they can be shown again."""

from collections.abc import Iterable, Iterator
from typing import Final

from testbed.runfolder.overlay_traces import Message, TracedSearch
from testbed.tasks.find.overlays import overlay_named
from testbed.tasks.find.plan.hosts import DIRECTORY
from testbed.tasks.find.plan.records import PlannedMember, PlannedNode
from testbed.tasks.find.plan.searches import PlannedSearch
from testbed.tasks.find.tables.appearance import appearance_of, key_of, place_of, tier_of
from testbed.tasks.find.tables.queries import judgement_of
from testbed.tasks.find.tables.reading import FindData
from testbed.tasks.searches import Acquaintance, Found, Member, Passed, Presence, ShownSearch, ShownSearches


def shown_searches(data: FindData) -> ShownSearches:
    """Return the searches that were followed, of those that began."""
    hosts = {host.name: host for host in data.hosts.all}
    following = _Following(data, {name: host.delay for name, host in hosts.items()})
    return ShownSearches(
        overlay=_called(data),
        members=tuple(_member(data, host) for host in hosts.values()),
        acquaintances=tuple(acquaintances(data)),
        answering=appearance_of(data.settings).answering,
        searches=tuple(following.searches()),
    )


def _called(data: FindData) -> str:
    name = data.settings.overlay.name
    kind = overlay_named(name)
    return (kind.label if kind else "") or name


def _member(data: FindData, host: PlannedMember) -> Member:
    role = host.role if isinstance(host, PlannedNode) else DIRECTORY
    group = host.group if isinstance(host, PlannedNode) else DIRECTORY
    lives = [Presence(begin, end, place_of(life.node, data.settings)) for begin, end, life in data.lives(host)]
    return Member(host.name, group, role, tier_of(role), tuple(lives))


class _Following:
    """Puts together what all traces say of the searches."""

    def __init__(self, data: FindData, delays: dict[str, float]) -> None:
        self._data: Final = data
        self._delays: Final = delays

    def searches(self) -> Iterator[ShownSearch]:
        for search in self._data.scenario.followed:
            traced = self._data.trace(search.node).searches.get(search.name)
            if traced is not None:
                yield self._search(search, traced)

    def _search(self, search: PlannedSearch, traced: TracedSearch) -> ShownSearch:
        existing = self._data.existing_holders(search)
        return ShownSearch(
            node=search.node,
            wanted=search.wanted,
            key=key_of(search.wanted, self._data.settings),
            began=traced.began,
            ended=traced.ended,
            outcome=traced.outcome,
            hops=traced.hops,
            timeouts=traced.timeouts,
            holders=tuple(sorted(existing, key=list(self._delays).index)),
            answers=tuple(
                Found(answer.t, self._data.host_at(answer.holder), judgement_of(self._data, search, answer, existing))
                for answer in traced.answers
            ),
            messages=tuple(sorted(self._messages(search.name))),
        )

    def _messages(self, search: str) -> Iterator[Passed]:
        """Yield the messages between hosts of the trial."""
        for host, trace in self._data.traces.items():
            for message in trace.messages.get(search, ()):
                other = self._data.host_at(message.other)
                if other in self._delays:
                    yield self._passed(host, other, message)

    def _passed(self, host: str, other: str, message: Message) -> Passed:
        delay = self._delays[host] + self._delays[other]
        if message.has_come:
            return Passed(message.t - delay, message.t, other, host, message.kind)
        return Passed(message.t, message.t + delay, host, other, message.kind)


def acquaintances(data: FindData) -> Iterator[Acquaintance]:
    """Yield when which hosts would have sent to each other, as they said every few seconds."""
    times: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for said in _said(data):
        one, other = sorted((said.one, said.other))
        times.setdefault((one, other), []).append((said.begin, said.end))
    for (one, other), spans in sorted(times.items()):
        yield from (Acquaintance(one, other, begin, end) for begin, end in _merged(spans))


def _said(data: FindData) -> Iterator[Acquaintance]:
    names = {host.name for host in data.hosts.all}
    for host in data.hosts.all:
        states = data.trace(host.name).states
        for begin, end, _ in data.lives(host):
            ours = [state for state in states if begin <= state.t <= end]
            ends = [*(later.t for later in ours[1:]), end]
            for state, until in zip(ours, ends, strict=False):  # without a state, there is nothing to end
                known = {data.host_at(address) for address in state.neighbours}
                for other in sorted(known & names - {host.name}):
                    yield Acquaintance(host.name, other, state.t, until)


def _merged(spans: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yield spans that do not touch each other, in their order."""
    last: tuple[float, float] | None = None
    for begin, end in sorted(spans):
        if last is None or begin > last[1]:
            if last is not None:
                yield last
            last = begin, end
        else:
            last = last[0], max(last[1], end)
    if last is not None:
        yield last
