"""Who takes part in a trial: every host with its link, and what it does when."""

from collections.abc import Iterator
from typing import Any

from testbed.experiment.plan.draws import (
    Draws,
    draw_arrivals,
    draw_held,
    draw_rates,
    shuffled,
)
from testbed.experiment.plan.trials import (
    PlannedDeparture,
    PlannedPeer,
    PlannedServer,
    PlannedStrategy,
    PlannedTracker,
    TrialHosts,
)
from testbed.experiment.schema.experiment import Experiment
from testbed.experiment.schema.hosts import (
    After,
    AtRatio,
    Departure,
    Hosts,
    Linger,
    MidWay,
    Named,
)

TRACKER = "tracker"


def draw_hosts(experiment: Experiment, draws: Draws) -> TrialHosts:
    """Draw all hosts of a trial. The tracker has no limits: it must not be in anybody's way."""
    servers = tuple(_servers(experiment, draws))
    drawn = [peer for name in experiment.peers for peer in _peers(experiment, name, draws)]
    peers = tuple(PlannedPeer(name=f"p{k}", **values) for k, values in enumerate(drawn, start=1))
    tracker = _tracker(experiment)
    order = [peer.name for peer in peers]
    if experiment.placement == "drawn":
        order = [order[k] for k in shuffled(range(len(order)), draws.stream("placement"))]
    leading = [*(server.name for server in servers), *([TRACKER] if tracker else [])]
    return TrialHosts(servers=servers, tracker=tracker, peers=peers, positions=(*leading, *order))


def _tracker(experiment: Experiment) -> PlannedTracker | None:
    if experiment.distribution != "bittorrent":
        return None
    return PlannedTracker(name=TRACKER, kind=experiment.tracker.kind, numwant=experiment.tracker.numwant)


def _servers(experiment: Experiment, draws: Draws) -> Iterator[PlannedServer]:
    group = experiment.servers
    if group is None:
        return
    for k, values in enumerate(_hosts(experiment, group, group.count, "servers", draws), start=1):
        yield PlannedServer(name="server" if group.count == 1 else f"server{k}", **values)


def _peers(experiment: Experiment, name: str, draws: Draws) -> Iterator[dict[str, Any]]:
    group = experiment.peers[name]
    key = f"peers.{name}"
    common = {"group": name, "departure": _departure(group.departure)}
    hosts = _hosts(experiment, group, group.count, key, draws)
    arrivals = draw_arrivals(group.arrival, group.count, draws, key)
    held = draw_held(group.start, group.count, draws, key)
    for values, arrival, share in zip(hosts, arrivals, held, strict=True):
        yield {**values, **common, "arrival": arrival, "held": share}


def _hosts(experiment: Experiment, hosts: Hosts, count: int, name: str, draws: Draws) -> Iterator[dict[str, Any]]:
    ups = draw_rates(hosts.up, count, draws, name, "up")
    downs: list[int] | list[None] = [None] * count
    if hosts.down is not None:
        downs = draw_rates(hosts.down, count, draws, name, "down")
    common = {
        "delay": hosts.delay,
        "jitter": hosts.jitter,
        "loss": hosts.loss / 100,
        "profile": hosts.profile or experiment.profile,
        "strategy": _strategy(hosts.strategy),
        "application": hosts.application,
    }
    for k, (up, down) in enumerate(zip(ups, downs, strict=True), start=1):
        yield {**common, "up": up, "down": down, "seed": draws.number(name, "seed", k)}


def _strategy(strategy: Named) -> PlannedStrategy:
    return PlannedStrategy(name=strategy.reference, parameters=strategy.parameters)


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
