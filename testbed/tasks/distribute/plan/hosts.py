"""The hosts of a distribution: each with its link, and when it joins and leaves."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from testbed.tasks.distribute.plan.records import (
    PlannedBootstrap,
    PlannedDeparture,
    PlannedPeer,
    PlannedServer,
    PlannedStrategy,
    PlannedTracker,
    TrialHosts,
)
from testbed.tasks.distribute.schema.keys import (
    After,
    AtRatio,
    Departure,
    DistributionKeys,
    Hosts,
    Linger,
    MidWay,
    Start,
)
from testbed.values.draws import Draws, draw_arrivals, draw_rates, shuffled
from testbed.values.failures import draw_kills

TRACKER: Final = "tracker"
BOOTSTRAP: Final = "bootstrap"


def draw_hosts(keys: DistributionKeys, draws: Draws) -> TrialHosts:
    """Draw all hosts of a trial. The links of those that introduce peers have no limits, so that they delay no peer."""
    named, members = _named(keys), _members(keys)
    killed = draw_kills(keys.failures, named, members, draws)
    drawn = [peer for group in keys.peers for peer in _peers(keys, group, draws)]
    names = [name for of_group in members.values() for name in of_group]
    order = names
    if keys.placement == "drawn":
        order = [names[k] for k in shuffled(range(len(names)), draws.stream("placement"))]
    return TrialHosts(
        servers=tuple(_servers(keys, killed, draws)),
        tracker=_tracker(keys, killed),
        bootstrap=_bootstrap(keys, killed, draws),
        peers=tuple(
            PlannedPeer(name=name, killed_at=killed.get(name), **values)
            for name, values in zip(names, drawn, strict=True)
        ),
        positions=(*(name for hosts in named.values() for name in hosts), *order),
    )


def host_names(keys: DistributionKeys) -> list[str]:
    """Return the names of all hosts of a trial."""
    return [name for names in (*_named(keys).values(), *_members(keys).values()) for name in names]


def _named(keys: DistributionKeys) -> dict[str, list[str]]:
    """Return the names of the hosts that each word of `failures:` stands for, in the order of their places."""
    count = keys.servers.count if keys.servers else 0
    return {
        "servers": [_server_name(k, count) for k in range(1, count + 1)],
        TRACKER: [TRACKER] if keys.has_tracker else [],
        BOOTSTRAP: [BOOTSTRAP] if keys.has_dht else [],
    }


def _members(keys: DistributionKeys) -> dict[str, list[str]]:
    """Return the names of the peers of each group."""
    members: dict[str, list[str]] = {}
    first = 1
    for name, group in keys.peers.items():
        members[name] = [f"p{k}" for k in range(first, first + group.count)]
        first += group.count
    return members


def _server_name(number: int, count: int) -> str:
    return "server" if count == 1 else f"server{number}"


def _tracker(keys: DistributionKeys, killed: Mapping[str, float]) -> PlannedTracker | None:
    if not keys.has_tracker:
        return None
    chosen = keys.tracker
    return PlannedTracker(
        name=TRACKER,
        killed_at=killed.get(TRACKER),
        kind=chosen.kind,
        application=chosen.application,
        numwant=chosen.numwant,
        seeds_meet_seeds=chosen.seeds_meet_seeds,
    )


def _bootstrap(keys: DistributionKeys, killed: Mapping[str, float], draws: Draws) -> PlannedBootstrap | None:
    if not keys.has_dht:
        return None
    return PlannedBootstrap(name=BOOTSTRAP, killed_at=killed.get(BOOTSTRAP), seed=draws.number(BOOTSTRAP, "seed"))


def _servers(keys: DistributionKeys, killed: Mapping[str, float], draws: Draws) -> Iterator[PlannedServer]:
    group = keys.servers
    if group is None:
        return
    for k, values in enumerate(_hosts(keys, group, group.count, "servers", draws), start=1):
        name = _server_name(k, group.count)
        yield PlannedServer(name=name, killed_at=killed.get(name), **values)


def _peers(keys: DistributionKeys, name: str, draws: Draws) -> Iterator[dict[str, Any]]:
    group = keys.peers[name]
    path = f"peers.{name}"
    common = {"group": name, "departure": _departure(group.departure)}
    hosts = _hosts(keys, group, group.count, path, draws)
    arrivals = draw_arrivals(group.arrival, group.count, draws, path)
    held = _draw_held(group.start, group.count, draws, path)
    for values, arrival, share in zip(hosts, arrivals, held, strict=True):
        yield {**values, **common, "arrival": arrival, "held": share}


def _hosts(keys: DistributionKeys, hosts: Hosts, count: int, name: str, draws: Draws) -> Iterator[dict[str, Any]]:
    ups = draw_rates(hosts.up, count, draws, name, "up")
    downs: list[int] | list[None] = [None] * count
    if hosts.down is not None:
        downs = draw_rates(hosts.down, count, draws, name, "down")
    common = {
        "delay": hosts.delay,
        "jitter": hosts.jitter,
        "loss": hosts.loss / 100,
        **_behaviour(keys, hosts),
    }
    for k, (up, down) in enumerate(zip(ups, downs, strict=True), start=1):
        yield {**common, "up": up, "down": down, "seed": draws.number(name, "seed", k)}


def _behaviour(keys: DistributionKeys, hosts: Hosts) -> dict[str, Any]:
    """Return what runs there; only our client has a profile and a strategy, and only BitTorrent encrypts."""
    chosen = (hosts.encryption or keys.encryption or "") if keys.distribution == "bittorrent" else ""
    common = {"application": hosts.application, "encryption": chosen}
    if not hosts.is_ours:
        return {**common, "profile": "", "strategy": PlannedStrategy(name="")}
    strategy = PlannedStrategy(name=hosts.strategy.reference, parameters=hosts.strategy.parameters)
    return {**common, "profile": hosts.profile or keys.profile, "strategy": strategy}


def _departure(departure: Departure) -> PlannedDeparture:
    match departure:
        case After():
            return PlannedDeparture(kind="after", seconds=departure.after)
        case Linger():
            return PlannedDeparture(kind="linger", seconds=departure.linger)
        case AtRatio():
            return PlannedDeparture(kind="share_ratio", ratio=departure.share_ratio)
        case MidWay():
            away = departure.mid_way
            return PlannedDeparture(kind="mid_way", share=away.at / 100, seconds=away.back_after)
        case "stay" | "at-completion":
            return PlannedDeparture(kind=departure)


def _draw_held(start: Start | None, count: int, draws: Draws, group: str) -> list[float]:
    """Draw which of `count` peers have a part of the file when they join, as the share that each has."""
    if start is None:
        return [0.0] * count
    order = shuffled(range(count), draws.stream(group, "start"))
    holders = set(order[: start.peers])
    return [start.holding / 100 if k in holders else 0.0 for k in range(count)]
