"""Overlays that form by themselves, in virtual time: trials of experiments, as their plans have them.

Each node is made of the description that its program would read, so seeds, content, questions, links' delays and times
are those of the trial. Links have no rates here, and lose nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from benchmarks.clients import REPOSITORY
from benchmarks.overlays.scale.given import chord_theory, directory_theory, kademlia_theory
from benchmarks.overlays.scale.points import Kind, Law, Point, point_of
from contract.overlay_events import SearchEnded
from peer.overlays.chord.parameters import Parameters as ChordParameters
from peer.overlays.description import read_description
from peer.overlays.registry import overlay_named
from peer.simulation.overlays.described import DescribedOverlay
from testbed.errors import ExplainedError
from testbed.experiment import Trial, make_plan, read_experiment
from testbed.tasks.find.plan.searches import draw_scenario
from testbed.tasks.find.programs.description import Describing
from testbed.tasks.find.trials import hosts_of, settings_of
from testbed.tasks.launches import TrialContext
from testbed.values.costs import ADDRESSES

EXPERIMENT = REPOSITORY / "experiments" / "who-has-it.yaml"
FORMS = {"napster": 60, "gnutella": 120, "chord": 1_000, "kademlia": 3_600}
"""Seconds that nodes have after the last has joined. In Chord's lists of 16 successors, news travels by one node in 30.
Kademlia announces again after 900, and forgets after 2,700 what it stored while there were few nodes."""
JOINS_A_SECOND = 10
ASKS = 60
"""Seconds over which searches are spread."""
PATIENCE = 300.0
"""Seconds after the last search begins in which it has ended: a flood has 240."""


def joining_trial(overlay: str, n: int, searches: int, seed: int) -> Trial:
    """Plan a trial of the shipped experiment with so many nodes, which have long to form, and default parameters."""
    arrives = max(5, n // JOINS_A_SECOND)
    begins = arrives + FORMS[overlay]
    values = {
        "overlay": overlay,
        "nodes.homes.count": n,
        "nodes.homes.arrival": f"{{uniform: {arrives} s}}",
        "content.items": max(50, n // 4),
        "queries.rate": f"{searches / n * 60 / ASKS:g} /min",
        "queries.from": f"{begins} s",
        "queries.until": f"{begins + ASKS} s",
        "time_limit": f"{begins + ASKS + PATIENCE:g} s",
        "repeat": 1,
        "figures": "{}",
        "expect": "[]",
        "seed": seed,
    }
    file = read_experiment(EXPERIMENT, settings=[f"{key}={value}" for key, value in values.items()])
    (trial,) = make_plan(file).trials
    return trial


def addresses_by_place(trial: Trial) -> dict[str, str]:
    """Return an address for each host."""
    return {name: str(ADDRESSES[number]) for number, name in enumerate(hosts_of(trial).positions, start=1)}


def performed(trial: Trial, addresses: Mapping[str, str]) -> DescribedOverlay:
    """Perform a trial in virtual time, to its end."""
    settings, hosts = settings_of(trial), hosts_of(trial)
    if any(host.killed_at is not None for host in hosts.all) or any(node.new_address for node in hosts.nodes):
        raise ExplainedError(f"{trial.id} has failures or second addresses, which are not performed in virtual time")
    roles = overlay_named(settings.overlay.name).roles
    taken = {name: [each.name for each in fields(role.parameters)] for name, role in roles.items()}
    context = TrialContext(trial, addresses, {}, Path(), Path(), 0)
    describing = Describing(context, hosts, draw_scenario(settings, hosts), taken)
    delays = {addresses[host.name]: host.delay for host in hosts.all}
    overlay = DescribedOverlay(
        [read_description(json.dumps(describing.of(host))) for host in hosts.all],
        lambda source, to: delays[source] + delays[to],
    )
    overlay.run(settings.queries.end + PATIENCE)
    return overlay


def planned_point(trial: Trial, addresses: Mapping[str, str], engine: str, start: str) -> Point:
    """Perform a trial in virtual time, and return what became of its searches."""
    overlay, settings, hosts = performed(trial, addresses), settings_of(trial), hosts_of(trial)
    ends = [event for node in overlay.nodes.values() for event in node.events if isinstance(event, SearchEnded)]
    planned = len(draw_scenario(settings, hosts).searches)
    if len(ends) != planned:
        raise ValueError(f"{trial.id}: {planned - len(ends)} of {planned} searches have not ended")
    places = [node.places[-1] for node in overlay.nodes.values() if node.is_here]
    kind = Kind(settings.overlay.name, len(hosts.nodes), engine, start)
    return point_of(kind, overlay.network, places, ends, theory(trial))


def theory(trial: Trial) -> Law:
    """Return the law of a trial's overlay once it has formed; none of graphs that servents make themselves."""
    n, copies = len(hosts_of(trial).nodes), settings_of(trial).content.each
    match settings_of(trial).overlay.name:
        case "napster" if copies is not None:
            return directory_theory(copies)
        case "chord":
            return chord_theory(n, ChordParameters())
        case "kademlia":
            return kademlia_theory(n)
        case _:
            return Law()
