"""Overlays whose tables are filled at once, from what is known of all nodes: as after long stabilisation.

Only that is not the protocol. It makes sizes possible whose joining would take hours. Then real nodes search.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import log2
from random import Random
from typing import Any

from benchmarks.overlays import chord, chord_law, gnutella, kademlia, kademlia_law, napster
from benchmarks.overlays.graphs import expected_flood, expected_shells
from benchmarks.overlays.scale.points import GIVEN, VIRTUAL, Kind, Law, Point, point_of
from contract.overlay_events import SearchEnded
from peer.overlays.chord.parameters import Parameters as ChordParameters
from peer.overlays.content import Wanted
from peer.overlays.gnutella.parameters import NeighbourParameters, SearchParameters
from peer.overlays.kademlia.parameters import DEFAULT
from peer.simulation.overlays.network import Place
from peer.simulation.overlays.rings import WITHOUT_UPKEEP, Ring

COPIES = 3
"""Of each item, as in experiments/who-has-it.yaml."""
DEGREE = NeighbourParameters().wanted
FLOODS = 20
"""A flood costs as much as some hundred lookups: of so many searches, one is flooded."""


@dataclass(frozen=True, slots=True)
class Size:
    """What is to be measured."""

    n: int
    searches: int
    seed: int


def chord_given(size: Size, overlay: str = "chord", way: str = "2003") -> Point:
    """Measure a perfect ring, whose keys are stored once."""
    parameters = replace(ChordParameters(**WITHOUT_UPKEEP), replicas=1, **chord.WAYS[way])  # type: ignore[arg-type]
    ring = Ring(parameters, Random(size.seed))
    run = chord.search(ring, size.n, 0.0, size.searches)
    return point_of(_kind(overlay, size), ring.network, ring.places, run.ends, chord_theory(size.n, parameters))


def chord_theory(n: int, parameters: ChordParameters) -> Law:
    """Return the law of a ring: two messages for each hop and for the values; fingers beyond the successors."""
    by_list = parameters.successors if parameters.routes_by_successors else 1
    hops = chord_law.hops(n, by_list)
    return Law(hops, 2 * hops + 2, contacts=parameters.successors + 1 + max(0.0, log2(n / parameters.successors)))


def kademlia_given(size: Size) -> Point:
    """Measure nodes with full tables."""
    trial = kademlia.GivenTrial(size.n, DEFAULT, size.seed)
    trial.join()
    ends = trial.share_and_search(size.searches)
    return point_of(_kind("kademlia", size), trial.network, trial.spots, ends, kademlia_theory(size.n))


def kademlia_theory(n: int) -> Law:
    k, alpha = DEFAULT.k, DEFAULT.alpha
    hops = kademlia_law.hops(n, k, alpha)
    return Law(hops, kademlia_law.messages(k, alpha, hops, ends_at_values=False), kademlia_law.entries(n, k))


def gnutella_given(size: Size) -> Point:
    """Measure floods on a random graph in which all have the same degree."""
    parameters, rng = gnutella.flat_parameters(DEGREE, "flood", SearchParameters().ttl), Random(size.seed)
    (network, places), _, holders = gnutella.flat_world(size.n, COPIES, parameters, rng)
    askers = sorted(set(range(size.n)).difference(holders))
    for number in range(max(1, size.searches // FLOODS)):
        asker, name = places[rng.choice(askers)], f"{number:032x}"
        network.input_to(asker, lambda node, now, name=name: node.search(name, Wanted(gnutella.WANTED), now))
        network.run(network.agenda.now + parameters.search.limit + 5)
    return point_of(_kind("gnutella", size), network, places, _ends(places), flood_theory(size.n))


def flood_theory(n: int) -> Law:
    """Return the law of a flood: hops to the nearest holder that it reaches, questions and the answers' ways back."""
    ttl = SearchParameters().ttl
    shells = [count / (n - 1) for count in expected_shells(n, DEGREE, ttl)]
    nowhere, hops, reached = 1.0, 0.0, 0.0
    for distance, share in enumerate(shells[1:], start=1):
        reached += share
        still_nowhere = max(0.0, 1 - reached) ** COPIES
        hops += distance * (nowhere - still_nowhere)
        nowhere = still_nowhere
    answers = COPIES * sum(distance * share for distance, share in enumerate(shells))
    return Law(hops / (1 - nowhere), expected_flood(n, DEGREE, ttl) + answers, float(DEGREE))


def napster_given(size: Size) -> Point:
    """Measure a directory whose clients have all logged in."""
    shares, rng = 1, Random(size.seed)
    network, clients = napster.town(size.n, shares, COPIES, rng)
    names = size.n * shares // COPIES
    for number in range(size.searches):
        name, wanted = f"{number:032x}", Wanted(napster.name_of(rng.randrange(names)))
        network.input_to(
            rng.choice(clients), lambda node, now, name=name, wanted=wanted: node.search(name, wanted, now)
        )
        network.run(network.agenda.now + 1)
    places = [network.places[napster.SERVER], *clients]
    return point_of(_kind("napster", size), network, places, _ends(clients), directory_theory())


def directory_theory(copies: int = COPIES) -> Law:
    """Return the law: a question, a result for each copy, their end, and where to download: question and answer."""
    return Law(hops=1.0, messages=1 + copies + 1 + 2, contacts=1.0)


GIVEN_WORLDS: Mapping[str, Callable[[Size], Point]] = {
    "napster": napster_given,
    "gnutella": gnutella_given,
    "chord": chord_given,
    "chord-2001": partial(chord_given, overlay="chord-2001", way="2001"),
    "kademlia": kademlia_given,
}


def _kind(overlay: str, size: Size) -> Kind:
    return Kind(overlay, size.n, VIRTUAL, GIVEN)


def _ends(places: Sequence[Place[Any]]) -> list[SearchEnded]:
    return [event for place in places for _, event in place.events if isinstance(event, SearchEnded)]
