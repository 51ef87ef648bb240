"""Checks of keys of a search for content that need several values together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from testbed.tasks.find.overlays import OVERLAYS
from testbed.tasks.find.schema.keys import Failure, FindKeys, InTotal, NodeGroup
from testbed.tasks.task import ColumnWords
from testbed.values.failures import unknown_groups
from testbed.values.findings import Finding, KeyPath, did_you_mean
from testbed.values.parts import Nested, Parameter
from testbed.values.units import format_duration

OUTCOMES: Final = ("found", "not_found", "failed", "left", "never ended", "never began")
"""The words of the column `outcome`: those of traces, and two for searches that say nothing of their end."""
RESULTS: Final = ("done", "refused", "failed", "left", "never ended")
"""The words of the column `result`: those of traces, and one for downloads of whose end no trace tells."""
MOST_EDITS: Final = 10


def missing_keys(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the keys that a file needs: `topology:` for a network alone, `overlay:` beside `nodes:`."""
    if document.get("nodes") == {}:
        yield Finding(("nodes",), "has no groups: write one, such as `homes: {count: 10, up: 1 Mbit/s}`")
    if not document.get("nodes"):
        if "topology" not in document and "nodes" not in document:
            yield Finding(("topology",), "is required without `nodes:`")
        return
    if document.get("overlay") is None:
        yield Finding(("overlay",), f"is required with `nodes:`: write {', '.join(OVERLAYS)}")


def check_values(keys: FindKeys) -> Iterator[Finding]:
    """Yield contradictions between values that are valid separately."""
    yield from _check_overlay(keys)
    yield from _check_nodes(keys)
    yield from _check_queries(keys)
    for index, failure in enumerate(keys.failures):
        yield from _check_failure(("failures", index), failure, keys)
    if getattr(keys, "audit", False):
        yield Finding(("audit",), "compares how a file was distributed with the packets: leave this key out")
    if keys.nodes and getattr(keys, "time_scale", 1.0) != 1.0:
        advice = "give the overlay shorter ones, such as `overlay: {class: chord, stabilise_every: 5}`"
        yield Finding(("time_scale",), f"overlays have no periods that it divides: {advice}")


def _check_overlay(keys: FindKeys) -> Iterator[Finding]:
    if keys.overlay is None:
        return
    name = keys.overlay.reference
    if keys.kind is None:
        hint = did_you_mean(name, OVERLAYS)
        yield Finding(("overlay",), f"unknown overlay {name!r}{hint}: write {', '.join(OVERLAYS)}")
        return
    if keys.kind.has_directory and keys.directory is None and keys.nodes:
        yield Finding(("overlay",), f"{name} has a directory, and there is none: add `directory: {{up: 100 Mbit/s}}`")
    if not keys.kind.has_words and keys.queries.what == "words":
        yield Finding(("queries", "what"), f"{name} finds exact names only: write `what: exact`, or another overlay")
    if keys.downloads and not keys.kind.has_files:
        possible = _or(tuple(other for other, kind in OVERLAYS.items() if kind.has_files))
        yield Finding(
            ("downloads",), f"nodes of {name} have no files for each other: leave this key out, or use {possible}"
        )
    yield from _check_parameters(("overlay",), keys.overlay.parameters)
    for group, described in keys.nodes.items():
        if described.overlay is not None:
            yield from _check_own(("nodes", group, "overlay"), described.overlay.parameters, keys)


def _check_own(path: tuple[str, ...], own: Mapping[str, Nested], keys: FindKeys) -> Iterator[Finding]:
    """Yield what is wrong with the parameters of one group."""
    if "class" in own:
        yield Finding(
            (*path, "class"), "all nodes form the overlay of the key `overlay:` at the top: leave this key out"
        )
    if "role" in own and keys.kind is not None and len(keys.kind.roles) > 1:
        yield Finding((*path, "role"), "is a key of the group: write it beside `overlay:`, and not below it")
    yield from _check_parameters(path, own)


def _check_parameters(path: tuple[str, ...], written: Mapping[str, Nested]) -> Iterator[Finding]:
    for inner, value in _parameters(written):
        if isinstance(value, list):
            key = ".".join((*path, *inner))
            problem = f"expected one value, found a list of {len(value)}: to vary it, write `{key}: [...]`"
            yield Finding((*path, *inner), f"{problem} under `sweep:`")


def _parameters(written: Mapping[str, Nested]) -> Iterator[tuple[tuple[str, ...], Parameter]]:
    """Yield each parameter with its path."""
    for key, value in written.items():
        if isinstance(value, dict):
            yield from (((key, inner), each) for inner, each in value.items())
        else:
            yield (key,), value


def _check_nodes(keys: FindKeys) -> Iterator[Finding]:
    if not keys.nodes:
        return
    first = ("nodes", next(iter(keys.nodes)))
    if not any(group.count for group in keys.nodes.values()):
        yield Finding((*first, "count"), "no group has any nodes: at least one group needs some")
    elif not any(group.count and group.asks for group in keys.nodes.values()):
        yield Finding((*first, "asks"), "nobody looks for anything: at least one group must ask")
    for name, group in keys.nodes.items():
        yield from _check_role(("nodes", name), group, keys)
        yield from _check_attackers(("nodes", name), group, keys)
    used = [group for group in keys.nodes.values() if group.count]
    if used and keys.kind is not None and not any(keys.kind.admits(group.role or keys.kind.roles[0]) for group in used):
        yield Finding((*first, "role"), f"nobody can join by such nodes: one group must be {_or(keys.kind.entered_by)}")


def _check_role(path: KeyPath, group: NodeGroup, keys: FindKeys) -> Iterator[Finding]:
    if keys.kind is None or group.role is None or group.role in keys.kind.roles:
        return
    roles = keys.kind.roles
    advice = "its nodes are all alike, so leave this key out" if len(roles) == 1 else f"write {_or(roles)}"
    name = keys.overlay.reference if keys.overlay else ""
    hint = did_you_mean(group.role, roles)
    yield Finding((*path, "role"), f"{name} has no role {group.role!r}{hint}: {advice}")


def _check_attackers(path: KeyPath, group: NodeGroup, keys: FindKeys) -> Iterator[Finding]:
    if keys.kind is None:
        return
    if group.role not in keys.kind.attackers:
        if group.targets is not None:
            yield Finding((*path, "targets"), "these nodes attack nothing: leave this key out, or change `role:`")
        return
    if group.asks or group.shares:
        yield Finding((*path, "role"), f"a {group.role} has nothing and asks nothing: add `asks: false, shares: 0 %`")
    if group.sessions is not None and group.sessions.new_address:
        yield Finding((*path, "sessions", "new_address"), f"a {group.role} stays where its accomplices know it to be")
    if (group.targets or 1) > keys.content.items:
        yield Finding((*path, "targets"), f"expected at most {keys.content.items}, all items (`content.items`)")


def _check_queries(keys: FindKeys) -> Iterator[Finding]:
    queries, content = keys.queries, keys.content
    if not keys.nodes:
        return
    if (queries.rate is None) == (queries.total_rate is None):
        yield Finding(("queries",), "needs either `rate:`, of each node, or `total_rate:`, of all nodes together")
    if queries.end <= queries.begin:
        yield Finding(("queries", "until"), f"expected more than `from:`, which is {format_duration(queries.begin)}")
    limit = getattr(keys, "time_limit", queries.end)
    if limit < queries.end:
        problem = f"expected at most `time_limit:`, which is {format_duration(limit)}"
        yield Finding(("queries", "until"), f"{problem}: ask until earlier, or raise that")
    if queries.what == "words" and queries.words > content.words:
        yield Finding(("queries", "words"), f"expected at most {content.words}, the words in a name (`content.words`)")
    if queries.typos > MOST_EDITS:
        yield Finding(("queries", "typos"), f"expected at most {MOST_EDITS}")
    if content.words > content.vocabulary:
        yield Finding(("content", "words"), f"expected at most {content.vocabulary}, the words that there are")
    if isinstance(content.copies, InTotal) and content.copies.total < 1:
        yield Finding(("content", "copies", "total"), "expected at least 1")


def _check_failure(path: KeyPath, failure: Failure, keys: FindKeys) -> Iterator[Finding]:
    if failure.at >= keys.queries.end:
        until = format_duration(keys.queries.end)
        yield Finding((*path, "at"), f"nothing is looked for after `queries.until`, which is {until}: write less")
    names = tuple(keys.nodes)
    yield from unknown_groups(path, failure, names, f"write {_or(names) or 'a group of `nodes:`'}")
    if failure.kill == "directory" and keys.directory is None:
        yield Finding((*path, "kill"), "there is no directory: write `directory:`, or a percentage of the nodes")


def _or(words: Sequence[str]) -> str:
    *others, last = words or ("",)
    return f"{', '.join(others)} or {last}" if others else last


def column_words(points: Sequence[FindKeys]) -> dict[str, ColumnWords]:
    """Return the words of this task's columns."""
    groups = frozenset(name for point in points for name in point.nodes)
    has_directory = any("directory" in path for point in points for path in point.hosts)
    roles = frozenset(
        group.role or point.kind.roles[0] for point in points if point.kind for group in point.nodes.values()
    )
    return {
        "system": ColumnWords(
            frozenset(point.overlay.reference for point in points if point.overlay), frozenset(OVERLAYS)
        ),
        "group": ColumnWords(groups | (frozenset({"directory"}) if has_directory else frozenset())),
        "role": ColumnWords(roles | (frozenset({"directory"}) if has_directory else frozenset())),
        "outcome": ColumnWords(frozenset(OUTCOMES)),
        "result": ColumnWords(frozenset(RESULTS)),
    }


def refused_theory(_model: str, _points: Sequence[FindKeys]) -> str:
    """Refuse nothing: where an overlay has no law, its column is empty."""
    return ""
