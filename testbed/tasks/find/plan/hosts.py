"""The hosts of an overlay: each with its link, its role and its lives."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from testbed.tasks.find.overlays import Overlay
from testbed.tasks.find.plan.lives import draw_sessions
from testbed.tasks.find.plan.records import FindHosts, PlannedDirectory, PlannedNode, Session
from testbed.tasks.find.schema.keys import Directory, FindKeys, NodeGroup
from testbed.values.draws import Draws, draw_arrivals, draw_rates, shuffled
from testbed.values.failures import draw_kills
from testbed.values.hosts import AccessLinks

DIRECTORY: Final = "directory"


def draw_hosts(keys: FindKeys, draws: Draws) -> FindHosts:
    """Draw all hosts of a trial."""
    kind = keys.kind
    if kind is None:
        raise ValueError("an experiment with nodes has an overlay")
    directories, members = directory_names(keys), _members(keys)
    killed = draw_kills(keys.failures, {DIRECTORY: directories}, members, draws)
    lives = _draw_lives(keys, members, draws)
    newcomers = _Newcomers(kind, directories, lives, _roles(keys, members, kind), keys.known, draws)
    nodes = [
        PlannedNode(name=name, **values, sessions=lives[name], killed_at=killed.get(name), known=newcomers.known(name))
        for name, values in _nodes(keys, members, kind, draws)
    ]
    servers = [
        PlannedDirectory(name=name, **values, killed_at=killed.get(name))
        for name, values in zip(directories, _directories(keys, draws), strict=True)
    ]
    return FindHosts(
        directories=tuple(servers),
        nodes=tuple(nodes),
        positions=(*directories, *(node.name for node in nodes)),
        draw=draws.number("content and searches"),
    )


def host_names(keys: FindKeys) -> list[str]:
    """Return the names of all hosts of a trial."""
    return [*directory_names(keys), *(name for names in _members(keys).values() for name in names)]


def directory_names(keys: FindKeys) -> list[str]:
    """Return the names of the hosts of the directory; none for an overlay without one."""
    found = keys.hosts.get((DIRECTORY,))
    count = found.count if found is not None else 0
    return [DIRECTORY] if count == 1 else [f"{DIRECTORY}{k}" for k in range(1, count + 1)]


def _members(keys: FindKeys) -> dict[str, list[str]]:
    """Return the names of the nodes of each group."""
    members: dict[str, list[str]] = {}
    first = 1
    for name, group in keys.nodes.items():
        members[name] = [f"n{k}" for k in range(first, first + group.count)]
        first += group.count
    return members


def _roles(keys: FindKeys, members: Mapping[str, Sequence[str]], kind: Overlay) -> dict[str, str]:
    return {name: keys.nodes[group].role or kind.roles[0] for group, names in members.items() for name in names}


def _directories(keys: FindKeys, draws: Draws) -> Iterator[dict[str, Any]]:
    found = keys.hosts.get((DIRECTORY,))
    if isinstance(found, Directory):
        yield from _links(found, found.count, DIRECTORY, draws)


def _nodes(
    keys: FindKeys, members: Mapping[str, Sequence[str]], kind: Overlay, draws: Draws
) -> Iterator[tuple[str, dict[str, Any]]]:
    for group, names in members.items():
        described = keys.nodes[group]
        sharing = _draw_sharing(described, len(names), draws, f"nodes.{group}")
        common = {
            "group": group,
            "role": described.role or kind.roles[0],
            "asks": described.asks,
            "targets": _targets(described, kind),
            "parameters": described.overlay.parameters if described.overlay is not None else {},
            **_leaving(described),
        }
        links = _links(described, len(names), f"nodes.{group}", draws)
        for name, values, shares in zip(names, links, sharing, strict=True):
            yield name, {**values, **common, "shares": shares}


def _targets(group: NodeGroup, kind: Overlay) -> int:
    return (group.targets or 1) if group.role in kind.attackers else 0


def _leaving(group: NodeGroup) -> dict[str, bool]:
    sessions = group.sessions
    return {
        "by_word": sessions is not None and sessions.by_word,
        "new_address": sessions is not None and sessions.new_address,
    }


def _draw_sharing(group: NodeGroup, count: int, draws: Draws, path: str) -> list[bool]:
    order = shuffled(range(count), draws.stream(path, "shares"))
    chosen = set(order[: round(count * group.shares / 100)])
    return [k in chosen for k in range(count)]


def _links(hosts: AccessLinks, count: int, path: str, draws: Draws) -> Iterator[dict[str, Any]]:
    ups = draw_rates(hosts.up, count, draws, path, "up")
    downs: list[int] | list[None] = [None] * count
    if hosts.down is not None:
        downs = draw_rates(hosts.down, count, draws, path, "down")
    common = {"delay": hosts.delay, "jitter": hosts.jitter, "loss": hosts.loss / 100}
    for k, (up, down) in enumerate(zip(ups, downs, strict=True), start=1):
        yield {**common, "up": up, "down": down, "seed": draws.number(path, "seed", k)}


def _draw_lives(keys: FindKeys, members: Mapping[str, Sequence[str]], draws: Draws) -> dict[str, tuple[Session, ...]]:
    lives = {}
    for group, names in members.items():
        described = keys.nodes[group]
        arrivals = draw_arrivals(described.arrival, len(names), draws, f"nodes.{group}")
        for k, (name, arrival) in enumerate(zip(names, arrivals, strict=True), start=1):
            drawn = draw_sessions(described.sessions, arrival, keys.queries.end, draws, f"{group}.{k}")
            lives[name] = tuple(drawn)
    return lives


@dataclass(frozen=True)
class _Newcomers:
    """Whom a node knows when it comes: a directory, or some of those that came before."""

    kind: Overlay
    directories: Sequence[str]
    lives: Mapping[str, Sequence[Session]]
    roles: Mapping[str, str]
    most: int
    draws: Draws

    def known(self, name: str) -> tuple[str, ...]:
        """Draw whom a node knows; the first one knows nobody."""
        if self.kind.has_directory:
            return (self.directories[self._number(name) % len(self.directories)],)
        before = [other for other in self._entries() if self._place(other) < self._place(name)]
        stream = self.draws.stream("known", name)
        return tuple(sorted(stream.sample(before, min(self.most, len(before))), key=self._place))

    def _entries(self) -> Iterable[str]:
        return (name for name in self.lives if self.kind.admits(self.roles[name]))

    def _place(self, name: str) -> tuple[bool, float, int]:
        """Those by whom others can join come first, so that a leaf has somebody to go to."""
        return not self.kind.admits(self.roles[name]), self.lives[name][0][0], self._number(name)

    def _number(self, name: str) -> int:
        return int(name.removeprefix("n"))
