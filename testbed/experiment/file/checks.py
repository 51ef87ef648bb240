"""What takes several keys of an experiment together to judge."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contract.programs import STRATEGIES
from testbed.experiment.file.findings import Finding, did_you_mean
from testbed.experiment.schema.experiment import Experiment
from testbed.experiment.schema.hosts import At, Hosts, MidWay, PeerGroup
from testbed.experiment.schema.keys import Key

FROM_GROUPS = ("n", "names", "up", "down", "delay", "jitter", "loss")
"""Parameters of a topology that are set from the groups, where there are peers."""


def missing_parts(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the keys without which an experiment is none; can be told of a document that has other mistakes too."""
    if document.get("peers") == {}:
        yield Finding(("peers",), "has no groups: write one, such as `homes: {count: 10, up: 1 Mbit/s}`")
    if not document.get("peers"):
        if "topology" not in document and "peers" not in document:
            yield Finding(("topology",), "is required where there are no `peers:`")
        return
    for key in ("file", "servers"):
        if document.get(key) is None:
            yield Finding((key,), "is required where there are `peers:`")


def check_experiment(experiment: Experiment) -> Iterator[Finding]:
    """Yield what is wrong with values that are right by themselves."""
    if experiment.peers and experiment.peer_count == 0:
        yield Finding(("peers", next(iter(experiment.peers)), "count"), "no group has any peers: one needs 1 or more")
    for path, hosts, count in _groups(experiment):
        yield from _check_hosts(path, hosts, count)
    for name, group in experiment.peers.items():
        yield from _check_peers(("peers", name), group)
        if experiment.distribution == "fluid":
            yield from _check_fluid(("peers", name), group)
    yield from _check_topology(experiment)
    yield from _check_capture(experiment)


def _groups(experiment: Experiment) -> Iterator[tuple[tuple[Key, ...], Hosts, int]]:
    if experiment.servers is not None:
        yield ("servers",), experiment.servers, experiment.servers.count
    for name, group in experiment.peers.items():
        yield ("peers", name), group, group.count


def _check_hosts(path: tuple[Key, ...], hosts: Hosts, count: int) -> Iterator[Finding]:
    for key, rates in (("up", hosts.up), ("down", hosts.down)):
        if isinstance(rates, list):
            yield from _check_length((*path, key), rates, count)
    if hosts.jitter and not hosts.delay:
        yield Finding((*path, "jitter"), "varies a delay: write `delay:` too")
    strategy = hosts.strategy.reference
    if hosts.application == "ours" and strategy not in STRATEGIES and ":" not in strategy:
        possible = f"{', '.join(STRATEGIES)}, or module:Class for one of your own"
        yield Finding((*path, "strategy"), f"there is no {strategy!r}{did_you_mean(strategy, STRATEGIES)}: {possible}")


def _check_peers(path: tuple[Key, ...], group: PeerGroup) -> Iterator[Finding]:
    if isinstance(group.arrival, At) and isinstance(group.arrival.at, list):
        yield from _check_length((*path, "arrival", "at"), group.arrival.at, group.count)
    if group.start is not None and group.start.peers > group.count:
        yield Finding((*path, "start", "peers"), f"{group.start.peers} peers of a group of {group.count} are too many")
    if isinstance(group.departure, MidWay) and not 0 < group.departure.mid_way.at < 100:
        yield Finding((*path, "departure", "mid_way", "at"), "more than 0 % and less than 100 % is needed")


def _check_length(path: tuple[Key, ...], values: Sequence[object], count: int) -> Iterator[Finding]:
    if len(values) != count:
        yield Finding(path, f"one value for each of {count} hosts is needed, not {len(values)}")


def _check_fluid(path: tuple[Key, ...], group: PeerGroup) -> Iterator[Finding]:
    """The fluid scheme's rates are those of a flash crowd that begins with nothing and stays."""
    reason = "the fluid scheme needs all peers from t = 0 to the end, and none that holds a part: leave this key out"
    written = {
        "arrival": group.arrival != "flash",
        "departure": group.departure != "stay",
        "start": group.start is not None,
    }
    yield from (Finding((*path, key), reason) for key, is_other in written.items() if is_other)


def _check_topology(experiment: Experiment) -> Iterator[Finding]:
    if experiment.peers:
        for key in FROM_GROUPS:
            if key in experiment.topology.parameters:
                yield Finding(("topology", key), "is set from `servers:` and `peers:`: leave it out")


def _check_capture(experiment: Experiment) -> Iterator[Finding]:
    known = ["servers", "tracker", *experiment.peers]
    if isinstance(experiment.capture, list):
        for index, name in enumerate(experiment.capture):
            if name not in known:
                hint = did_you_mean(name, known)
                yield Finding(("capture", index), f"there is no {name!r}{hint}: write {', '.join(known)}")
