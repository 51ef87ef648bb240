"""Networks of servents for tests: graphs that are given, and those that servents make."""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from benchmarks.overlays.graphs import Edge
from contract.events import TraceEvent
from peer.net.address import Address
from peer.overlays.content import Item, Wanted
from peer.overlays.gnutella.node import GnutellaNode
from peer.overlays.gnutella.parameters import NeighbourParameters, Parameters
from peer.overlays.gnutella.wire import size
from peer.simulation.overlays.network import OverlayNetwork, Place

LATENCY = 0.05
PORT = 6346


def address_of(number: int) -> Address:
    return Address(f"198.18.{number >> 8}.{number & 255}", PORT)


class World:
    """Servents by number, on a network."""

    def __init__(self) -> None:
        self.network: OverlayNetwork[GnutellaNode] = OverlayNetwork(size, lambda *_: LATENCY)
        self.places: dict[int, Place[GnutellaNode]] = {}

    def add(
        self,
        number: int,
        known: Iterable[int] = (),
        items: Sequence[Item] = (),
        parameters: Parameters | None = None,
        *,
        downloads: bool = False,
    ) -> Place[GnutellaNode]:
        place: Place[GnutellaNode] = Place(address_of(number))
        node = GnutellaNode(
            place.address,
            [address_of(each) for each in known],
            items=items,
            parameters=parameters,
            rng=Random(number),
            record=place.record,
            downloads=downloads,
        )
        self.places[number] = place
        return self.network.add(place, node)

    def start(self, *numbers: int) -> None:
        for number in numbers or list(self.places):
            self.network.input_to(self.places[number], lambda node, now: node.start(now))

    def wait(self, seconds: float) -> None:
        self.network.run(self.network.agenda.now + seconds)

    def search(self, number: int, text: str, name: str = "ab" * 16, *, is_exact: bool = False) -> str:
        self.network.input_to(self.places[number], lambda node, now: node.search(name, Wanted(text, is_exact), now))
        return name

    def events(self, number: int, kind: type[TraceEvent]) -> list[Any]:
        return [event for _, event in self.places[number].events if isinstance(event, kind)]

    def messages(self, search: str) -> int:
        return self.network.ledger.by_search[search].messages

    def close(self) -> None:
        """Let nothing happen any more."""
        for place in self.places.values():
            place.is_here = False


def given_graph(edges: Iterable[Edge], items: dict[int, list[Item]], parameters: Parameters | None = None) -> World:
    """Make servents whose neighbours are those of a graph, and nobody else."""
    world, known = World(), dict[int, list[int]]()
    degrees: dict[int, int] = {}
    for one, other in edges:
        known.setdefault(one, []).append(other)
        known.setdefault(other, [])
        for each in (one, other):
            degrees[each] = degrees.get(each, 0) + 1
    for number, others in sorted(known.items()):
        world.add(number, others, items.get(number, []), with_degree(parameters or Parameters(), degrees[number]))
    world.start()
    world.wait(1)
    return world


def with_degree(parameters: Parameters, degree: int) -> Parameters:
    kept = NeighbourParameters(wanted=degree, most=degree)
    return Parameters(neighbours=kept, search=parameters.search, walk=parameters.walk, capability=parameters.capability)


def ring(length: int) -> list[Edge]:
    return [(number, (number + 1) % length) for number in range(length)]


def path(length: int) -> list[Edge]:
    return [(number, number + 1) for number in range(length - 1)]
