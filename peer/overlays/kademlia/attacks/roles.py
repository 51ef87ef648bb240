"""Attackers as nodes: each is a node like all others but for its id, its answers, or what it says to have."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from peer.net.address import Address
from peer.overlays.content import Item
from peer.overlays.kademlia.attacks.places import places_of
from peer.overlays.kademlia.attacks.responders import EclipsingResponder, PoisoningResponder
from peer.overlays.kademlia.node import KademliaNode, node_of
from peer.overlays.kademlia.parameters import Parameters
from peer.overlays.overlay import Role, Setup


@dataclass(frozen=True, slots=True)
class SybilParameters(Parameters):
    """The constants of a sybil."""

    lies: bool = False
    """Whether to name the attackers as peers, instead of saying that there are none."""


def _sybil(setup: Setup) -> KademliaNode:
    """Stand next to a target, so that all who look for it or announce it end at us and at our accomplices."""
    parameters: SybilParameters = setup.parameters
    places = places_of(setup.attack, setup.address, are_secure=parameters.has_secure_ids)
    (own,) = (each for each in places if each.address == setup.address)
    accomplices = tuple(each for each in places if each is not own)
    lies = _false_peers(setup) if parameters.lies else ()
    return node_of(setup, own.id, partial(EclipsingResponder, accomplices=accomplices, lies=lies))


def _poisoner(setup: Setup) -> KademliaNode:
    """Stand anywhere, and name false peers for whatever is looked for."""
    return node_of(setup, None, partial(PoisoningResponder, lies=_false_peers(setup)))


def _pretender(setup: Setup) -> KademliaNode:
    """Announce ourselves as a peer of the targets: a token proves where we receive, and not what we have."""
    return node_of(replace(setup, items=tuple(map(Item, setup.attack.targets))))


def _false_peers(setup: Setup) -> tuple[Address, ...]:
    """Return the attackers, who have nothing, as many as an answer may have."""
    parameters: Parameters = setup.parameters
    return tuple(sorted({*setup.attack.attackers, setup.address}))[: parameters.peers_an_answer]


ATTACKERS: Final = {
    "sybil": Role(_sybil, SybilParameters, least_targets=1),
    "poisoner": Role(_poisoner, Parameters, least_targets=0),
    "pretender": Role(_pretender, Parameters, least_targets=1),
}
