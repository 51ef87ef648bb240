"""What runs nodes of Chord needs of it."""

from typing import Final

from peer.overlays.chord.node import ChordNode
from peer.overlays.chord.parameters import Parameters
from peer.overlays.chord.wire import decode, encode
from peer.overlays.overlay import DatagramOverlay, Role, Setup


def _node(setup: Setup) -> ChordNode:
    return ChordNode(
        setup.address,
        setup.items,
        setup.known,
        parameters=setup.parameters,
        random=setup.rng,
        record=setup.record,
    )


CHORD: Final = DatagramOverlay({"node": Role(_node, Parameters)}, encode, decode, common=frozenset({"bits"}))
