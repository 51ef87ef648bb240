"""Nodes of Cubit in virtual time: they join one after the other, gossip, and share items of one word each."""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Final

from contract.overlay_events import AnswerCame, SearchEnded
from peer.net.address import Address
from peer.overlays.content import Item, Wanted
from peer.overlays.cubit.messages import Message
from peer.overlays.cubit.node import CubitNode
from peer.overlays.cubit.parameters import Parameters
from peer.overlays.cubit.wire import size
from peer.simulation.overlays.network import OverlayNetwork, Place
from peer.simulation.overlays.rings import LATENCY, address_of

PORT: Final = 5_000


class Cubits:
    """A network of nodes whose words are drawn from a vocabulary."""

    def __init__(
        self,
        parameters: Parameters,
        vocabulary: Sequence[str],
        random: Random,
        size_of: Callable[[Message], int] = size,
    ) -> None:
        self.parameters: Final = parameters
        self.vocabulary: Final = vocabulary
        self.random: Final = random
        self.network: Final[OverlayNetwork[CubitNode]] = OverlayNetwork(size_of, lambda _a, _b: LATENCY)
        self.places: Final[list[Place[CubitNode]]] = []
        self._searches = 0

    def add(
        self, items: Sequence[Item] = (), known: Sequence[Address] = (), words: Sequence[str] | None = None
    ) -> Place[CubitNode]:
        """Make a node, with words drawn from the vocabulary; it does nothing yet."""
        place: Place[CubitNode] = Place(address_of(len(self.places), PORT))
        drawn = words or self.random.sample(self.vocabulary, min(8, len(self.vocabulary)))
        node = CubitNode(
            place.address, drawn, items, known, parameters=self.parameters, random=self.random, record=place.record
        )
        self.places.append(place)
        return self.network.add(place, node)

    def join(self, items: Iterable[Sequence[Item]], every: float) -> None:
        """Let nodes join one after the other, each with its items and by one that is there."""
        for number, its_items in enumerate(items):
            known = [self.random.choice(self.places).address] if self.places else []
            self.start_at(self.add(its_items, known), self.network.agenda.now + number * every)

    def start_at(self, place: Place[CubitNode], when: float) -> None:
        self.network.agenda.call_at(when, lambda: self.network.input_to(place, CubitNode.start))

    def run_for(self, seconds: float) -> None:
        self.network.run(self.network.agenda.now + seconds)

    @property
    def alive(self) -> list[Place[CubitNode]]:
        return [place for place in self.places if place.is_here]

    def search(self, place: Place[CubitNode], text: str, *, is_exact: bool = False) -> str:
        """Let a node search now; returns the search's name."""
        self._searches += 1
        name = f"{self._searches:032x}"
        self.network.input_to(place, lambda node, now: node.search(name, Wanted(text, is_exact), now))
        return name

    def answers(self) -> dict[str, list[AnswerCame]]:
        """Return what each search that ended was answered."""
        answers: dict[str, list[AnswerCame]] = {end.search: [] for end in self.ends()}
        for place in self.places:
            for _, event in place.events:
                if isinstance(event, AnswerCame) and event.search in answers:
                    answers[event.search].append(event)
        return answers

    def ends(self) -> list[SearchEnded]:
        """Return how all searches ended."""
        return [event for place in self.places for _, event in place.events if isinstance(event, SearchEnded)]
