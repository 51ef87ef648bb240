"""Checks of keys of a distribution that need several values together."""

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from pathlib import PurePath
from typing import Any, get_args

from contract.programs import STRATEGIES, ProfileName
from testbed.tasks.distribute.schema.keys import (
    APPLICATIONS,
    OPENTRACKER,
    OURS,
    SERVERS_ALSO,
    After,
    AtRatio,
    DistributionKeys,
    HostFailure,
    Hosts,
    MidWay,
    PeerGroup,
    Scheme,
    Servers,
    TrackerChoice,
)
from testbed.tasks.task import ColumnWords
from testbed.theory import Term
from testbed.values.failures import unknown_groups
from testbed.values.findings import Finding, KeyPath, did_you_mean
from testbed.values.units import format_duration


def missing_keys(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the keys that a file needs: `topology:` for a network alone, `file:` and `servers:` beside `peers:`."""
    if document.get("peers") == {}:
        yield Finding(("peers",), "has no groups: write one, such as `homes: {count: 10, up: 1 Mbit/s}`")
    if not document.get("peers"):
        if "topology" not in document and "peers" not in document:
            yield Finding(("topology",), "is required without `peers:`")
        return
    for key in ("file", "servers"):
        if document.get(key) is None:
            yield Finding((key,), "is required with `peers:`")


def check_values(keys: DistributionKeys) -> Iterator[Finding]:
    """Yield contradictions between values that are valid separately."""
    if keys.peers and not any(group.count for group in keys.peers.values()):
        yield Finding(
            ("peers", next(iter(keys.peers)), "count"), "no group has any peers: at least one group needs some"
        )
    for path, hosts in keys.hosts.items():
        yield from _check_application(path, hosts, keys.distribution)
        yield from _check_strategy(path, hosts)
        if keys.distribution == "bittorrent":
            yield from _check_parameters(path, hosts)
        if not hosts.is_ours:
            yield from _check_other_client(path, hosts)
    for name, group in keys.peers.items():
        yield from _check_peers(("peers", name), group)
        if keys.distribution == "fluid":
            yield from _check_fluid(("peers", name), group)
        if keys.distribution == "client-server" and group.count:
            yield from _check_client(("peers", name), group)
    yield from _check_tracker(keys.tracker)
    for index, failure in enumerate(keys.failures):
        yield from _check_failure(("failures", index), failure, keys)
    yield from _check_audit(keys)
    if keys.distribution == "fluid" and keys.servers is not None and keys.servers.count != 1:
        yield Finding(
            ("servers", "count"), f"the fluid scheme has one server, not {keys.servers.count}: leave out this key"
        )


def _check_tracker(tracker: TrackerChoice) -> Iterator[Finding]:
    if tracker.application != OPENTRACKER:
        return
    if "numwant" in tracker.model_fields_set:
        yield Finding(("tracker", "numwant"), "opentracker gives each peer as many as it asks for: leave this key out")
    if not tracker.seeds_meet_seeds:
        yield Finding(("tracker", "seeds_meet_seeds"), "opentracker names seeds to seeds too: leave this key out")


def _check_failure(path: KeyPath, failure: HostFailure, keys: DistributionKeys) -> Iterator[Finding]:
    if keys.distribution != "bittorrent":
        reason = f"programs of {keys.distribution} do not go on without each other, as those of BitTorrent do"
        yield Finding(path, f"{reason}: leave this out, or skip such points with `when:`")
        return
    limit = getattr(keys, "time_limit", inf)
    if failure.at >= limit:
        yield Finding((*path, "at"), f"the trial ends before, at `time_limit:`, which is {format_duration(limit)}")
    names = tuple(keys.peers)
    yield from unknown_groups(path, failure, names, f"write {' or '.join(names) or 'a group of `peers:`'}")
    if failure.kill == "tracker" and not keys.has_tracker:
        yield Finding((*path, "kill"), "there is no tracker: write another host, or `discovery: both`")
    if failure.kill == "bootstrap" and not keys.has_dht:
        yield Finding((*path, "kill"), "there is no DHT to join: write another host, or `discovery: dht`")
    for application in sorted({*_killed_applications(failure, keys)} - {OURS}):
        reason = f"{application} would go on without the program that watches it"
        yield Finding((*path, "kill"), f"only our programs can be killed: {reason}")


def _killed_applications(failure: HostFailure, keys: DistributionKeys) -> Iterator[str]:
    """Yield the applications of the hosts among which a failure chooses."""
    match failure.kill:
        case "tracker":
            yield keys.tracker.application
        case "servers":
            yield keys.servers.application if keys.servers else OURS
        case dict() as shares:
            yield from (keys.peers[name].application for name in shares if name in keys.peers)
        case float():
            yield from (group.application for group in keys.peers.values() if group.count)


def _check_audit(keys: DistributionKeys) -> Iterator[Finding]:
    """Captures of encrypted connections cannot be read. The key is one of every experiment, so it may not be there."""
    chosen = {hosts.encryption or keys.encryption for hosts in keys.hosts.values()}
    if getattr(keys, "audit", False) and keys.distribution == "bittorrent" and chosen & {"prefer", "require"}:
        advice = "leave this key out, or write `encryption: accept`"
        yield Finding(("audit",), f"captures cannot tell what encrypted connections carried: {advice}")


def _check_application(path: KeyPath, hosts: Hosts, scheme: Scheme) -> Iterator[Finding]:
    application, known = hosts.application, APPLICATIONS[scheme]
    if isinstance(hosts, Servers):
        known = (*known, *SERVERS_ALSO[scheme])
    if application in known or (scheme == "bittorrent" and ":" in application):
        return
    if len(known) == 1:
        advice = f"{scheme} has only {known[0]!r}, so leave this key out"
    else:
        own = ", or module:Class for an adapter of your own" if scheme == "bittorrent" else ""
        advice = f"write {', '.join(known)}{own}"
    problem = (
        f"unknown application {application!r}{did_you_mean(application, known)}: {advice}{_other_key(application)}"
    )
    yield Finding((*path, "application"), problem)


def _check_other_client(path: KeyPath, hosts: Hosts) -> Iterator[Finding]:
    """Another client makes its own decisions, and can only be started and ended."""
    program = hosts.application
    written = {key: key in hosts.model_fields_set for key in ("strategy", "profile")}
    for key in (key for key, is_written in written.items() if is_written):
        yield Finding((*path, key), f"only our client has a {key}: leave this key out beside `application: {program}`")
    if not isinstance(hosts, PeerGroup):
        return
    if hosts.start is not None:
        yield Finding((*path, "start"), f"{program} starts with no data: leave this key out")
    if isinstance(hosts.departure, MidWay):
        choices = "write stay, at-completion, or a mapping with after, linger or share_ratio"
        yield Finding((*path, "departure"), f"only our client can leave and come back with its pieces: {choices}")


def _other_key(application: str) -> str:
    """Return how our own client is made to behave as another one, if it can."""
    word = application.lower()
    if word in get_args(ProfileName):
        return f"; for our client with the constants of {application}, write `profile: {word}`"
    return f"; it is a strategy of our client, so write `strategy: {word}`" if word in STRATEGIES else ""


def _check_strategy(path: KeyPath, hosts: Hosts) -> Iterator[Finding]:
    strategy = hosts.strategy.reference
    if hosts.is_ours and strategy not in STRATEGIES and ":" not in strategy:
        hint, known = did_you_mean(strategy, STRATEGIES), ", ".join(STRATEGIES)
        own = (
            _own_strategy(strategy)
            or f"unknown strategy {strategy!r}{hint}: write {known}, or module:Class for your own"
        )
        yield Finding((*path, "strategy"), own)


def _check_parameters(path: KeyPath, hosts: Hosts) -> Iterator[Finding]:
    for name, value in hosts.strategy.parameters.items():
        if isinstance(value, list):
            swept = f"`{'.'.join(map(str, path))}.strategy.{name}: [...]`"
            problem = f"expected one value, found a list of {len(value)}: to vary it, write {swept} under `sweep:`"
            yield Finding((*path, "strategy", name), problem)


def _own_strategy(strategy: str) -> str:
    """Return how to write a strategy that was named as a file, or as Python names a class."""
    module, dot, name = strategy.rpartition(".")
    if dot and name == "py":
        return f"{strategy!r} is a file: write {PurePath(module).name}:Class, with the name of its class"
    return f"unknown strategy {strategy!r}: for a class of your own, write {module}:{name}" if dot else ""


def _check_peers(path: KeyPath, group: PeerGroup) -> Iterator[Finding]:
    if group.start is not None and group.start.peers > group.count:
        yield Finding(
            (*path, "start", "peers"),
            f"expected at most {group.count} peers, the size of the group, found {group.start.peers}",
        )
    if isinstance(group.departure, MidWay) and not 0 < group.departure.mid_way.at < 100:
        yield Finding((*path, "departure", "mid_way", "at"), "expected more than 0 % and less than 100 %")


def _check_fluid(path: KeyPath, group: PeerGroup) -> Iterator[Finding]:
    """The fluid scheme's rates are those of a flash crowd that begins with nothing and stays."""
    reason = "in the fluid scheme all peers join at t = 0 with no data and stay to the end: leave out this key"
    written = {
        "arrival": group.arrival != "flash",
        "departure": group.departure != "stay",
        "start": group.start is not None,
    }
    yield from (Finding((*path, key), reason) for key, is_other in written.items() if is_other)


def _check_client(path: KeyPath, group: PeerGroup) -> Iterator[Finding]:
    if group.start is not None:
        yield Finding((*path, "start"), "a client of client-server has no data at the start: leave out this key")
    if isinstance(group.departure, After | AtRatio | MidWay):
        stays = "a client of client-server leaves when it has the whole file, and sends nothing"
        yield Finding((*path, "departure"), f"{stays}: write stay, at-completion or {{linger: ...}}")


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
        "strategy": ColumnWords(frozenset(each.strategy.reference for each in hosts if each.is_ours)),
        "application": ColumnWords(frozenset(each.application for each in hosts)),
    }


def refused_theory(model: str, points: Sequence[DistributionKeys]) -> str:
    """Return why a figure cannot show a model; only that of pieces has conditions."""
    if model != "pieces" or all(map(has_equal_uploads, points)):
        return ""
    needs = "one server and peers that all have the same constant `up:`, no `down:`, and join at t = 0 with no data"
    return f"the formula for pieces holds only for {needs}"


def has_equal_uploads(keys: DistributionKeys) -> bool:
    """Whether one server and all peers have the same upload, no other limit, and begin together with nothing."""
    server, groups = keys.servers, keys.peers.values()
    if server is None or server.count > 1 or server.down is not None:
        return False
    is_even = all(isinstance(group.up, int) and group.up == server.up and group.down is None for group in groups)
    return is_even and all(group.arrival == "flash" and group.start is None for group in groups)
