"""Nodes in virtual time, and what tests ask of them."""

from collections.abc import Iterable
from dataclasses import asdict
from itertools import count
from random import Random
from typing import Any, TypeVar

from contract.events import TraceEvent
from contract.overlay_events import SearchEnded
from peer.net.address import Address
from peer.overlays.content import Item, Wanted
from peer.overlays.kademlia import wire
from peer.overlays.kademlia.node import KademliaNode
from peer.overlays.kademlia.overlay import KADEMLIA
from peer.overlays.kademlia.parameters import DEFAULT, Parameters
from peer.overlays.kademlia.wire.messages import Message
from peer.overlays.node import SendTo
from peer.overlays.overlay import Attack, Setup
from peer.simulation.overlays.network import OverlayNetwork, Place

Kind = TypeVar("Kind", bound=TraceEvent)
Spot = Place[KademliaNode]
LATENCY = 0.05


def address(number: int) -> Address:
    return Address(f"198.18.{number // 250}.{number % 250 + 1}", 6881)


class World:
    """A network of nodes, numbered as they come."""

    def __init__(self, parameters: Parameters = DEFAULT, seed: int = 1) -> None:
        self.parameters = parameters
        self.rng = Random(seed)
        self.network: OverlayNetwork[KademliaNode] = OverlayNetwork(wire.size, lambda _from, _to: LATENCY)
        self.spots: list[Spot] = []
        self._searches = count(1)

    def add(self, items: Iterable[str] = (), known: Iterable[Address] | None = None, **options: Any) -> Spot:
        """Start a node that knows one of the others."""
        spot: Spot = Place(address(len(self.spots)))
        if known is None:
            known = [self.rng.choice(self.spots).address] if self.spots else []
        node = KademliaNode(
            spot.address,
            rng=Random(self.rng.random()),
            record=spot.record,
            items=map(Item, items),
            known=known,
            **{"parameters": self.parameters} | options,
        )
        return self._begin(spot, node)

    def attack(self, role: str, targets: Iterable[str], count: int, **parameters: Any) -> list[Spot]:
        """Start attackers, each of which knows one of the nodes that were here before, one after the other."""
        known = [spot.address for spot in self.spots]
        places: list[Spot] = [Place(address(len(known) + number)) for number in range(count)]
        attack = Attack(tuple(targets), tuple(place.address for place in places))
        kind = KADEMLIA.roles[role]
        chosen = kind.parameters(**asdict(self.parameters) | parameters)
        for place in places:
            rng, entry = Random(self.rng.random()), self.rng.choice(known)
            node: Any = kind.make(Setup(place.address, (entry,), (), chosen, rng, place.record, attack))
            self._begin(place, node)
            self.run(0.2)
        return places

    def _begin(self, spot: Spot, node: KademliaNode) -> Spot:
        self.spots.append(self.network.add(spot, node))
        self.network.input_to(spot, lambda node, now: node.start(now))
        return spot

    def grow(self, size: int) -> "World":
        """Add nodes until there are so many, and let all of them learn of each other."""
        while len(self.spots) < size:
            self.add()
            self.run(0.2)
        self.run(30)
        return self

    def run(self, seconds: float) -> None:
        self.network.run(self.network.agenda.now + seconds)

    def search(self, spot: Spot, name: str, seconds: float = 60) -> SearchEnded:
        """Search, and return how it ended."""
        search = f"{next(self._searches):032x}"
        self.network.input_to(spot, lambda node, now: node.search(search, Wanted(name), now))
        self.run(seconds)
        (end,) = [event for event in events(spot, SearchEnded) if event.search == search]
        return end

    def share(self, spot: Spot, name: str) -> None:
        """Share something more, and let it be announced."""
        self.network.input_to(spot, lambda node, now: node.share(Item(name), now))
        self.network.input_to(spot, lambda node, now: node.tick(now))
        self.run(10)


def events(spot: Spot, kind: type[Kind]) -> list[Kind]:
    return [event for _, event in spot.events if isinstance(event, kind)]


def sent(node: KademliaNode) -> list[tuple[Address, Message]]:
    """Take what a node that nobody runs has sent since the last time."""
    return [(action.to, action.message) for action in node.take_actions() if isinstance(action, SendTo)]
