"""Floods, walkers and ultrapeers: what searches cost and find, beside their laws.

    .venv/bin/python -m benchmarks.overlays.gnutella --n 1000 10000 --searches 100
    .venv/bin/python -m benchmarks.overlays.gnutella --tables ultrapeers --n 5000 --searches 20 --ultrapeers 8 --homes 1

`flat`: servents of 0.4 on a random graph in which all have the same degree. An item is shared by a share of all
servents, and is looked for by others. Floods have the TTLs that are asked for; the law is what breadth-first search
counts on this graph, and the answers' ways back; the bound sum c(c-1)^(h-1) and the whole graph's 2E - (N - 1) stand
beside it. The walkers' law is in `walk_law`.

`ultrapeers`: one of 31 servents is an ultrapeer, with 30 leaves, and the graph is the one that they make themselves.
Rare and common items are looked for by leaves: by a flood of ultrapeers without and with route tables between them,
and by dynamic queries.

CPU seconds are those of the whole row, and depend on the machine.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from statistics import mean
from time import process_time

from benchmarks.clients import log, markdown
from benchmarks.overlays.graphs import flood_on, neighbours_of, regular, shells
from benchmarks.overlays.searching import Sample, entries_of, percent
from peer.net.address import Address
from peer.overlays.content import Item, Wanted
from peer.overlays.gnutella.node import GnutellaNode
from peer.overlays.gnutella.parameters import (
    DynamicParameters,
    NeighbourParameters,
    Parameters,
    PongParameters,
    SearchParameters,
    TableParameters,
    WalkParameters,
)
from peer.overlays.gnutella.searching.horizon import flood_bound, flood_messages
from peer.overlays.gnutella.wire import size
from peer.simulation.overlays.network import OverlayNetwork, Place

WANTED = "generic band - generic song.mp3"
COMMON = "many have this one.mp3"
LATENCY = 0.05
FLAT = (
    *("N", "way", "success", "recall", "hops mean / 95 %", "messages", "law", "difference"),
    *("c(c-1)^(h-1)", "2E-(N-1)", "bytes", "entries mean / most", "CPU s"),
)
TWO = (
    *("N", "way", "item", "success", "answers", "hops mean / 95 %", "messages", "of the first way"),
    *("bytes", "entries mean / most", "CPU s"),
)
World = tuple[OverlayNetwork[GnutellaNode], list[Place[GnutellaNode]]]
Flat = tuple[World, dict[int, list[int]], list[int]]
"""Servents, the neighbours of each, and who has the item."""


def address_of(number: int) -> Address:
    return Address(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 6346)


def world_of(known: dict[int, list[int]], items: dict[int, list[Item]], parameters: dict[int, Parameters]) -> World:
    network: OverlayNetwork[GnutellaNode] = OverlayNetwork(size, lambda *_: LATENCY)
    places = []
    for number in sorted(known):
        place: Place[GnutellaNode] = Place(address_of(number))
        node = GnutellaNode(
            place.address,
            map(address_of, known[number]),
            items=items.get(number, ()),
            parameters=parameters[number],
            rng=Random(number),
            record=place.record,
        )
        places.append(network.add(place, node))
    for place in places:
        network.input_to(place, lambda node, now: node.start(now))
    return network, places


def ask(world: World, asker: int, text: str, name: str, sample: Sample) -> None:
    network, places = world
    limit = places[asker].node._servent.parameters.search.limit
    network.input_to(places[asker], lambda node, now: node.search(name, Wanted(text), now))
    network.run(network.agenda.now + limit + 5)
    sample.add(network, places[asker], name)


def flat_parameters(degree: int, way: str, ttl: int) -> Parameters:
    return Parameters(
        neighbours=NeighbourParameters(wanted=degree, most=degree),
        pongs=PongParameters(ttl=1),
        search=SearchParameters(way=way, ttl=ttl, silence=20, fetches=False),
        walk=WalkParameters(),
    )


def flat_world(n: int, copies: int, parameters: Parameters, rng: Random) -> Flat:
    """Make servents on a graph in which all have as many neighbours as they want; so many have the item."""
    edges = regular(n, parameters.neighbours.wanted, rng)
    known = dict[int, list[int]]()
    for one, other in edges:
        known.setdefault(one, []).append(other)
        known.setdefault(other, [])
    holders = rng.sample(range(n), copies)
    world = world_of(known, {number: [Item(WANTED)] for number in holders}, dict.fromkeys(known, parameters))
    world[0].run(2)
    return world, neighbours_of(edges), holders


def flat_row(n: int, way: str, ttl: int, chosen: argparse.Namespace) -> list[object]:
    began, rng = process_time(), Random(n)
    parameters = flat_parameters(chosen.degree, way, ttl)
    world, neighbours, holders = flat_world(n, max(1, round(n * chosen.share)), parameters, rng)
    sample, laws = Sample(), []
    for number in range(chosen.searches):
        asker = rng.choice([each for each in rng.sample(range(n), 50) if each not in holders])
        ask(world, asker, WANTED, f"{number:032x}", sample)
        laws.append(
            flood_law(neighbours, asker, ttl, set(holders)) if way == "flood" else walk_law(parameters.walk, n, chosen)
        )
    messages, law = mean(sample.messages), mean(laws)
    bounds = (
        (flood_bound(chosen.degree, ttl), flood_messages(n, n * chosen.degree // 2)) if way == "flood" else ("-", "-")
    )
    recall = mean(sample.answers) / len(holders)
    costs = [f"{messages:.0f}", f"{law:.0f}", percent(messages, law), *bounds, round(mean(sample.bytes))]
    name = f"flood, TTL {ttl}" if way == "flood" else f"{parameters.walk.walkers} walkers"
    seconds = f"{process_time() - began:.1f}"
    hops = sample.hops_text()
    return [n, name, f"{sample.success:.1%}", f"{recall:.1%}", hops, *costs, entries_of(world[1]), seconds]


def flood_law(neighbours: dict[int, list[int]], asker: int, ttl: int, holders: set[int]) -> int:
    """Return the questions of a flood, and the answers' steps back."""
    rings = shells(neighbours, asker, ttl)
    answers = sum(hops * len(holders.intersection(shell)) for hops, shell in enumerate(rings))
    return flood_on(neighbours, asker, ttl) + answers


def walk_law(rules: WalkParameters, n: int, chosen: argparse.Namespace) -> float:
    """Return the messages of a search by walkers that are expected, where all latencies are alike.

    In step h the walkers come to k new servents, or to as many as there are at this distance, less those that were
    visited. The first who has the item answers, h latencies later the querier knows, and with its next check each
    walker: the check that follows the 4j-th step is heard 8j - 1 latencies after the start, if it is every fourth.
    """
    k, every, c = rules.walkers, rules.check_every, chosen.degree
    nowhere, visited, total, answers = 1.0, 0.0, 0.0, [0.0]
    for step in range(1, rules.steps):
        fresh = min(k, c * (c - 1) ** min(step - 1, 20)) * (1 - visited / n)
        visited += fresh
        answers.append(answers[-1] + fresh * chosen.share * step)
        found_here = nowhere * (1 - (1 - chosen.share) ** fresh)
        nowhere -= found_here
        known_after = step + 4 * ((step - 1) // every) + step
        checks = next(j for j in range(1, rules.steps) if j * (every + 4) - 1 >= known_after)
        total += found_here * checks * k * (every + 2)
        if nowhere < 1e-6:
            break
    steps = total / (k * (1 + 2 / every))
    return total + answers[min(len(answers) - 1, round(steps))]


def two_levels(n: int, way: str, *, between: bool, chosen: argparse.Namespace) -> World:
    """Make ultrapeers and leaves, of whom some have the common item, and fewer the rare one."""
    rng, ultrapeers = Random(n), max(4, n // 31)
    base = Parameters(
        neighbours=NeighbourParameters(
            ultrapeers=min(chosen.ultrapeers, ultrapeers - 1),
            leaves=45 * chosen.homes,
            ultrapeers_of_a_leaf=chosen.homes,
        ),
        pongs=PongParameters(ttl=1),
        search=SearchParameters(way=way, ttl=3, silence=60, fetches=False),
        tables=TableParameters(entries=chosen.entries, between_ultrapeers=between),
        dynamic=DynamicParameters(),
    )
    roles = {number: "ultrapeer" if number < ultrapeers else "leaf" for number in range(n)}
    known = {
        number: [each for each in rng.sample(range(ultrapeers), min(60, ultrapeers)) if each != number]
        for number in range(n)
    }
    holders = rng.sample(range(ultrapeers, n), max(1, round(n * chosen.share)))
    items = {number: [Item(WANTED)] for number in holders}
    for number in rng.sample(range(ultrapeers, n), round(n * chosen.common)):
        items.setdefault(number, []).append(Item(COMMON))
    parameters = {number: replace(base, role=roles[number]) for number in range(n)}
    return world_of(known, items, parameters)


def two_rows(n: int, chosen: argparse.Namespace) -> list[list[object]]:
    rows, firsts = list[list[object]](), dict[str, float]()
    ways = (("flood", False, "flood"), ("flood", True, "flood, tables"), ("dynamic", True, "dynamic"))
    for way, between, title in ways:
        began = process_time()
        world = two_levels(n, way, between=between, chosen=chosen)
        world[0].run(200)
        for kind, text in (("rare", WANTED), ("common", COMMON), ("nowhere", "nobody shares that")):
            sample, rng = Sample(), Random(n)
            for number in range(chosen.searches):
                asker = rng.randrange(max(4, n // 31), n)
                ask(world, asker, text, f"{ord(kind[0]):02x}{number:030x}", sample)
            messages = mean(sample.messages)
            law = firsts.setdefault(kind, messages)
            found, spent = f"{mean(sample.answers):.1f}", round(mean(sample.bytes))
            seconds = f"{process_time() - began:.1f}"
            head = [n, title, kind, f"{sample.success:.0%}", found, sample.hops_text(), f"{messages:.0f}"]
            rows.append([*head, percent(messages, law), spent, entries_of(world[1]), seconds])
        log(f"{n} {title}: done")
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", nargs="+", type=int, default=[1_000, 10_000])
    parser.add_argument("--searches", type=int, default=100)
    parser.add_argument("--tables", nargs="+", choices=["flat", "ultrapeers"], default=["flat", "ultrapeers"])
    parser.add_argument("--degree", type=int, default=4, help="neighbours of each servent of the flat graph")
    parser.add_argument("--ttl", nargs="+", type=int, default=[3, 5, 7])
    parser.add_argument("--share", type=float, default=0.01, help="of all servents, who have what is looked for")
    parser.add_argument("--common", type=float, default=0.1, help="of all servents, who have what is common")
    parser.add_argument("--homes", type=int, default=3, help="ultrapeers of each leaf")
    parser.add_argument("--ultrapeers", type=int, default=30, help="neighbours of each ultrapeer")
    parser.add_argument("--entries", type=int, default=4_096, help="of route tables")
    chosen = parser.parse_args(arguments)
    if "flat" in chosen.tables:
        ways = [("flood", ttl) for ttl in chosen.ttl] + [("walk", 7)]
        print(markdown(FLAT, [flat_row(n, way, ttl, chosen) for n in chosen.n for way, ttl in ways]))
    if "ultrapeers" in chosen.tables:
        print(markdown(TWO, [row for n in chosen.n for row in two_rows(n, chosen)]))


if __name__ == "__main__":
    main()
