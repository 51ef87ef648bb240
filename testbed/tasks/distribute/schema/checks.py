"""Checks of keys of a distribution that need several values together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from contract.programs import STRATEGIES, ProfileName
from testbed.tasks.distribute.schema.keys import DistributionKeys, Hosts, MidWay, PeerGroup
from testbed.tasks.task import ColumnWords
from testbed.theory import Term
from testbed.values.findings import Finding, KeyPath, did_you_mean


def missing_keys(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the keys that a file needs: `topology:` for a network alone, `file:` and `servers:` beside `peers:`."""
    if document.get("peers") == {}:
        yield Finding(("peers",), "has no groups: write one, such as `homes: {count: 10, up: 1 Mbit/s}`")
    if not document.get("peers"):
        if "topology" not in document and "peers" not in document:
            yield Finding(("topology",), "is required where there are no `peers:`")
        return
    for key in ("file", "servers"):
        if document.get(key) is None:
            yield Finding((key,), "is required where there are `peers:`")


def check_values(keys: DistributionKeys) -> Iterator[Finding]:
    """Yield contradictions between values that are valid separately."""
    if keys.peers and not any(group.count for group in keys.peers.values()):
        yield Finding(("peers", next(iter(keys.peers)), "count"), "no group has any peers: one needs 1 or more")
    for path, hosts in keys.hosts.items():
        yield from _check_strategy(path, hosts)
    for name, group in keys.peers.items():
        yield from _check_peers(("peers", name), group)
        if keys.distribution == "fluid":
            yield from _check_fluid(("peers", name), group)


def _check_strategy(path: KeyPath, hosts: Hosts) -> Iterator[Finding]:
    strategy = hosts.strategy.reference
    if hosts.application == "ours" and strategy not in STRATEGIES and ":" not in strategy:
        possible = f"{', '.join(STRATEGIES)}, or module:Class for one of your own"
        yield Finding((*path, "strategy"), f"there is no {strategy!r}{did_you_mean(strategy, STRATEGIES)}: {possible}")


def _check_peers(path: KeyPath, group: PeerGroup) -> Iterator[Finding]:
    if group.start is not None and group.start.peers > group.count:
        yield Finding((*path, "start", "peers"), f"{group.start.peers} peers of a group of {group.count} are too many")
    if isinstance(group.departure, MidWay) and not 0 < group.departure.mid_way.at < 100:
        yield Finding((*path, "departure", "mid_way", "at"), "more than 0 % and less than 100 % is needed")


def _check_fluid(path: KeyPath, group: PeerGroup) -> Iterator[Finding]:
    """The fluid scheme's rates are those of a flash crowd that begins with nothing and stays."""
    reason = "the fluid scheme needs all peers from t = 0 to the end, each with nothing at first: leave this key out"
    written = {
        "arrival": group.arrival != "flash",
        "departure": group.departure != "stay",
        "start": group.start is not None,
    }
    yield from (Finding((*path, key), reason) for key, is_other in written.items() if is_other)


def column_words(points: Sequence[DistributionKeys]) -> dict[str, ColumnWords]:
    """Return the words of this task's columns."""
    hosts = [group for point in points for group in point.hosts.values()]
    schemes = get_args(DistributionKeys.model_fields["distribution"].annotation)
    profiles = {*(point.profile for point in points), *(each.profile for each in hosts if each.profile)}
    return {
        "limited_by": ColumnWords(frozenset(get_args(Term))),
        "distribution": ColumnWords(frozenset(point.distribution for point in points), frozenset(schemes)),
        "profile": ColumnWords(frozenset(profiles), frozenset(get_args(ProfileName))),
        "group": ColumnWords(frozenset(name for point in points for name in point.peers)),
        "strategy": ColumnWords(frozenset(each.strategy.reference for each in hosts)),
        "application": ColumnWords(frozenset(each.application for each in hosts)),
    }


def refused_theory(model: str, points: Sequence[DistributionKeys]) -> str:
    """Return why a figure cannot show a model; only that of pieces has conditions."""
    if model != "pieces" or all(map(has_equal_uploads, points)):
        return ""
    needs = "one server and all peers with the same constant `up:`, no `down:`, and all from t = 0 with nothing"
    return f"pieces: that formula holds for {needs}"


def has_equal_uploads(keys: DistributionKeys) -> bool:
    """Whether one server and all peers have the same upload, no other limit, and begin together with nothing."""
    server, groups = keys.servers, keys.peers.values()
    if server is None or server.count > 1 or server.down is not None:
        return False
    is_even = all(isinstance(group.up, int) and group.up == server.up and group.down is None for group in groups)
    return is_even and all(group.arrival == "flash" and group.start is None for group in groups)
