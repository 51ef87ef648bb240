"""A whole overlay in virtual time, from what the programs of its nodes read: the same nodes, with the same chance.

A program's life is told in peer/overlays/hands/program.py; here it is the same, but for sockets, clocks and signals. So
what differs between the two is what a real network adds.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any, Final

from contract.events import TraceEvent
from peer.net.address import Address
from peer.overlays.description import Description, Search, Session, parameters_for
from peer.overlays.overlay import Overlay, Setup
from peer.overlays.registry import overlay_named
from peer.simulation.overlays.network import Latency, OverlayNetwork, Place


class DescribedOverlay:
    """Nodes of one overlay that live as they are described. Times are seconds after the start."""

    def __init__(self, descriptions: Sequence[Description], latency: Latency) -> None:
        names = {each.overlay for each in descriptions}
        if len(names) != 1:
            raise ValueError(f"expected nodes of one overlay, found {', '.join(sorted(names)) or 'none'}")
        overlay = overlay_named(names.pop())
        self.network: Final[OverlayNetwork[Any]] = OverlayNetwork(lambda message: len(overlay.encode(message)), latency)
        self.nodes: Final[Mapping[Address, DescribedNode]] = {
            each.address: DescribedNode(each, overlay, self.network) for each in descriptions
        }
        """By the address of their descriptions."""

    def run(self, until: float) -> None:
        self.network.run(until)


class DescribedNode:
    """A node through all its lives. There is none before the first, nor between two."""

    def __init__(self, description: Description, overlay: Overlay, network: OverlayNetwork[Any]) -> None:
        if description.seed is None:
            raise ValueError(f"{description.address} has no seed: what it draws could not be drawn again")
        self.description: Final = description
        self.places: Final[list[Place[Any]]] = []
        """One for each life that has begun."""
        self._parameters: Final = parameters_for(description, overlay)
        self._make: Final[Callable[[Setup], Any]] = overlay.roles[description.role].make
        self._network: Final = network
        self._rng: Final = Random(f"{description.seed} {description.address}")
        for session in description.sessions:
            network.agenda.call_at(session.join, partial(self._begin, session))
            if session.leave is not None:
                network.agenda.call_at(session.leave, partial(self._end, session))
        for search in description.searches:
            network.agenda.call_at(search.at, partial(self._ask, search))

    @property
    def events(self) -> list[TraceEvent]:
        """Its trace, without times."""
        return [event for place in self.places for _, event in place.events]

    @property
    def is_here(self) -> bool:
        return bool(self.places) and self.places[-1].is_here

    def _begin(self, session: Session) -> None:
        place: Place[Any] = Place(session.address or self.description.address)
        described = self.description
        setup = Setup(place.address, described.known, described.items, self._parameters, self._rng, place.record)
        self.places.append(self._network.add(place, self._make(setup)))
        self._network.input_to(place, lambda node, now: node.start(now))

    def _end(self, session: Session) -> None:
        place = self.places[-1]
        self._network.input_to(place, lambda node, now: node.leave(now, by_word=session.by_word))
        self._network.kill(place)

    def _ask(self, search: Search) -> None:
        self._network.input_to(self.places[-1], lambda node, now: node.search(search.name, search.question, now))
