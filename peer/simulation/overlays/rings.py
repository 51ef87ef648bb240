"""Rings of Chord in virtual time: nodes that join one after the other, or a ring that is perfect from the start."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf
from random import Random
from typing import Final

from contract.overlay_events import SearchEnded
from peer.net.address import Address
from peer.overlays.chord.messages import Message
from peer.overlays.chord.node import ChordNode
from peer.overlays.chord.parameters import Parameters
from peer.overlays.chord.ring import Contact, position_of
from peer.overlays.chord.wire import size
from peer.overlays.content import Item, Wanted
from peer.simulation.overlays.network import OverlayNetwork, Place

PORTS: Final = range(1_024, 65_536)
LATENCY: Final = 0.05
_HOSTS_A_BLOCK: Final = 250

WITHOUT_UPKEEP: Final = {
    "stabilise_every": inf,
    "fix_fingers_every": inf,
    "check_predecessor_every": inf,
    "refresh_every": inf,
    "lifetime": 65_535.0,
}
"""For a ring that is perfect and stays so: then all messages are those of searches."""


def address_of(number: int, port: int) -> Address:
    """Return the address of a node by its number, of 198.18.0.0/15 as long as that has any."""
    block, host = divmod(number, _HOSTS_A_BLOCK)
    return Address(f"{198 + block // 512}.{18 + block // 256 % 2}.{block % 256}.{host + 1}", port)


class Ring:
    """Nodes of Chord at places of a network, and an oracle that knows whose a key is."""

    def __init__(
        self, parameters: Parameters, random: Random, size_of: Callable[[Message], int] = size, latency: float = LATENCY
    ) -> None:
        self.parameters: Final = parameters
        self.random: Final = random
        self.network: Final[OverlayNetwork[ChordNode]] = OverlayNetwork(size_of, lambda _a, _b: latency)
        self.places: Final[list[Place[ChordNode]]] = []
        self._port: Final = random.choice(PORTS)
        """By chance, as identifiers are hashes of addresses: each ring is another one."""
        self._searches = 0

    def add(
        self, items: Sequence[Item] = (), known: Sequence[Address] = (), address: Address | None = None
    ) -> Place[ChordNode]:
        """Make a node; it does nothing yet."""
        place: Place[ChordNode] = Place(address or address_of(len(self.places), self._port))
        node = ChordNode(
            place.address, items, known, parameters=self.parameters, random=self.random, record=place.record
        )
        self.places.append(place)
        return self.network.add(place, node)

    def start_at(self, place: Place[ChordNode], when: float) -> None:
        self.network.agenda.call_at(when, lambda: self.network.input_to(place, ChordNode.start))

    def join(self, count: int, every: float, items: Callable[[int], Sequence[Item]] = lambda _: ()) -> None:
        """Let nodes join one after the other, each by one that is there."""
        for number in range(count):
            known = [self.random.choice(self.places).address] if self.places else []
            self.start_at(self.add(items(number), known), self.network.agenda.now + number * every)

    def build(self, count: int) -> None:
        """Make a perfect ring: all nodes know what they would have found out after long stabilisation."""
        for _ in range(count):
            self.add()
        order = Order(self.places)
        for place in self.places:
            self.network.input_to(place, lambda node, now: order.settle(node, self.parameters, now))

    @property
    def alive(self) -> list[Place[ChordNode]]:
        return [place for place in self.places if place.is_here]

    def keep(self, values: Mapping[bytes, Iterable[bytes]]) -> None:
        """Put the values of keys where they belong, without a message."""
        order = Order(self.alive)
        until = self.network.agenda.now + self.parameters.lifetime
        for key, its_values in values.items():
            for place in order.holders(position_of(key, self.parameters.bits), self.parameters.replicas):
                for value in its_values:
                    place.node.keeping.pairs.keep(key, value, until)

    def search(self, place: Place[ChordNode], text: str) -> str:
        """Let a node search now; returns the search's name."""
        self._searches += 1
        name = f"{self._searches:032x}"
        self.network.input_to(place, lambda node, now: node.search(name, Wanted(text), now))
        return name

    def run_for(self, seconds: float) -> None:
        self.network.run(self.network.agenda.now + seconds)

    def ends(self) -> list[SearchEnded]:
        """Return how all searches ended."""
        return [event for place in self.places for _, event in place.events if isinstance(event, SearchEnded)]


class Order:
    """Places in the order of the ring."""

    def __init__(self, places: Iterable[Place[ChordNode]]) -> None:
        self.places: Final = sorted(places, key=lambda place: place.node.contact.id)
        self.contacts: Final[list[Contact]] = [place.node.contact for place in self.places]
        self._ids: Final = [contact.id for contact in self.contacts]

    def index_of(self, position: int) -> int:
        """Return which node a position belongs to."""
        return bisect_left(self._ids, position) % len(self._ids)

    def holders(self, position: int, count: int) -> list[Place[ChordNode]]:
        """Return a position's own node and those after it."""
        index = self.index_of(position)
        return [self.places[(index + step) % len(self.places)] for step in range(min(count, len(self.places)))]

    def successors_of(self, contact: Contact, count: int) -> list[Contact]:
        """Return who follows a node, without the node itself."""
        return [place.node.contact for place in self.holders(contact.id, count + 1)[1:]]

    def settle(self, node: ChordNode, parameters: Parameters, now: float) -> None:
        """Let a node take part, with all that it would have found out."""
        successors = self.successors_of(node.contact, parameters.successors)
        node.enter(successors, now)
        if successors:
            node.table.predecessor = self.contacts[self.index_of(node.contact.id) - 1]
        finger = node.table.first_finger()
        while finger < parameters.bits:
            finger = node.table.set_fingers(finger, self.contacts[self.index_of(node.table.start_of(finger))])

    def wrong_successors(self) -> int:
        """Count the nodes whose first successor is not the next node."""
        return sum(
            place.node.table.successors[:1] != self.successors_of(place.node.contact, 1) for place in self.places
        )

    def wrong_fingers(self) -> int:
        """Count the fingers that are not the first node at or after their start."""
        return sum(
            finger != self.contacts[self.index_of(place.node.table.start_of(number))]
            for place in self.places
            for number, finger in place.node.table.fingers.items()
        )
