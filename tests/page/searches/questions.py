"""A run of searches that was made up: a directory, ultrapeers with leaves, and a ring, each asked the same."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from testbed.experiment import Trial
from testbed.results import Report, report
from testbed.tasks.find.plan.searches import PlannedSearch, Scenario, draw_scenario
from testbed.tasks.find.trials import hosts_of, settings_of
from tests.runfolder.runs import Events, Happened, addresses, event, header, write_run, write_trial

EXPERIMENT = """\
title: Who has it?
question: How does a question find its way?
task: find
overlay: napster
directory: {up: 10 Mbit/s, delay: 5 ms}
nodes:
  core: {count: 3, up: 1 Mbit/s, delay: 10 ms, asks: false}
  edge: {count: 9, up: 1 Mbit/s, delay: 10 ms}
content: {items: 10, copies: {each: 2}}
queries: {rate: 10 /min, from: 5 s, until: 20 s}
failures: [{at: 12 s, kill: {core: 33 %}}]
sweep:
  zip:
    overlay: [napster, gnutella, chord]
    nodes.core.role: [client, ultrapeer, node]
    nodes.edge.role: [client, leaf, node]
pair: overlay
"""
END = 24.0
CORE = ("n1", "n2", "n3")


class Told(NamedTuple):
    """A line of a host's trace."""

    host: str
    line: dict[str, Any]


def searched_run(folder: Path, text: str = EXPERIMENT) -> Report:
    """Write a run in which each second search is answered, and report it."""
    for trial in write_run(folder, text).trials:
        write_trial(folder, trial, happened(trial))
    return report(folder)


def scenario_of(trial: Trial) -> Scenario:
    return draw_scenario(settings_of(trial), hosts_of(trial))


def happened(trial: Trial) -> Happened:
    """Everybody takes part from 1 s on. Who asks is answered by the first holder, along the overlay's way."""
    where = addresses(trial)
    lines: dict[str, Events] = {name: [header(-1), *_beginning(trial, name, where)] for name in where}
    for number, search in enumerate(scenario_of(trial).followed):
        for host, line in _search(trial, search, where, is_answered=number % 2 == 0):
            lines[host].append(line)
    killed = {host.name: host.killed_at for host in hosts_of(trial).all if host.killed_at is not None}
    records = {name: {"role": "directory" if name == "directory" else "node"} for name in where}
    for name in killed:
        records[name] |= {"signal": "SIGKILL", "why": "was killed, as planned", "failed": False}
    traces = {name: sorted(each, key=lambda line: line["t"]) for name, each in lines.items()}
    return Happened(traces, list(_counters(where)), END, records)


def _counters(where: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    for t in range(1, int(END) + 1):
        yield from ((float(t), name, 900 * t, 9 * t, 0, 900 * t, 9 * t, 0) for name in where)


def _beginning(trial: Trial, name: str, where: Mapping[str, str]) -> Events:
    node = f"{0x1000 * int(name[1:]):04x}" + 36 * "0" if name[1:].isdigit() else name
    joined = event(1.0, "node_joined", overlay="x", node=node, address=f"{where[name]}:6346", items=0)
    known = [f"{where[other]}:6346" for other in _known(trial, name)]
    return [joined, event(2.0, "node_state", neighbours=known, entries=len(known))]


def _known(trial: Trial, name: str) -> list[str]:
    hosts = hosts_of(trial)
    if settings_of(trial).overlay.name == "napster":
        return [] if name == "directory" else ["directory"]
    if settings_of(trial).overlay.name == "gnutella":
        return [other for other in CORE if other != name] if name in CORE else [_super(name)] if name[0] == "n" else []
    names = [node.name for node in hosts.nodes]
    return [names[(names.index(name) + step) % len(names)] for step in (1, 2, 4)] if name in names else []


def _super(leaf: str) -> str:
    return CORE[int(leaf[1:]) % len(CORE)]


def _search(trial: Trial, search: PlannedSearch, where: Mapping[str, str], *, is_answered: bool) -> Iterator[Told]:
    """Yield the lines of a search whose question makes a step every 30 ms, and its answer too."""
    holders = sorted(scenario_of(trial).holders_of(search))
    t = search.at
    yield Told(search.node, event(t, "search_began", search=search.name, wanted=search.wanted))
    for asker, other, kind, has_come in _way(trial, search.node, holders[0]):
        t += 0.03
        line = {"search": search.name, "message": kind, "sender" if has_come else "to": f"{where[other]}:6346"}
        yield Told(asker, event(t, "message_came" if has_come else "message_sent", **line))
    if is_answered:
        holder = f"{where[holders[0]]}:6346"
        yield Told(
            search.node,
            event(t + 0.02, "answer_came", search=search.name, item=search.meant, holder=holder, hops=2),
        )
    ended = {"outcome": "found" if is_answered else "not_found", "answers": int(is_answered), "hops": 2, "timeouts": 0}
    yield Told(search.node, event(t + 0.5, "search_ended", search=search.name, **ended))


def _way(trial: Trial, node: str, holder: str) -> list[tuple[str, str, str, bool]]:
    """Return who tells of which message to or from whom, and whether it came."""
    match settings_of(trial).overlay.name:
        case "napster":
            return [(node, "directory", "Search", False), ("directory", node, "Result", False)]
        case "gnutella":
            top = _super(node)
            others = [other for other in CORE if other != top]
            flood = [(node, top), *((top, other) for other in others)]
            back = [(others[0], top), (top, node)]
            queries = [(one, other, "Query", False) for one, other in flood]
            return [*queries, *((one, other, "QueryHit", False) for one, other in back)]
        case _:
            middle = "n1" if node != "n1" else "n2"
            asked = [each for each in (middle, holder) if each != node]
            steps = [((node, each, "FindNext", False), (node, each, "Next", True)) for each in asked]
            return [step for both in steps for step in both]
