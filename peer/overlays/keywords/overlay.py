"""What runs nodes of keyword lists needs of them: they stand on a ring of Chord, and send nothing but its messages."""

from dataclasses import dataclass, field
from typing import Final

from peer.overlays.chord import parameters as chord
from peer.overlays.chord.node import ChordNode
from peer.overlays.chord.wire import decode, encode
from peer.overlays.keywords import node as keywords
from peer.overlays.keywords.node import KeywordNode
from peer.overlays.overlay import DatagramOverlay, Role, Setup


@dataclass(frozen=True, slots=True)
class Parameters:
    """Of the lists, and of the ring that keeps them."""

    lists: keywords.Parameters = field(default_factory=keywords.Parameters)
    ring: chord.Parameters = field(default_factory=chord.Parameters)


def _node(setup: Setup) -> KeywordNode:
    parameters: Parameters = setup.parameters
    below = ChordNode(setup.address, (), setup.known, parameters=parameters.ring, random=setup.rng, record=setup.record)
    return KeywordNode(below, setup.address, setup.items, parameters.lists, setup.record)


KEYWORDS: Final = DatagramOverlay({"node": Role(_node, Parameters)}, encode, decode, common=frozenset({"ring.bits"}))
