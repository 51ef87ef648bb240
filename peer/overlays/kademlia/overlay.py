"""What runs nodes of Kademlia needs of it."""

from typing import Final

from peer.overlays.kademlia.node import KademliaNode
from peer.overlays.kademlia.parameters import Parameters
from peer.overlays.kademlia.wire import decode, encode
from peer.overlays.overlay import DatagramOverlay, Role, Setup


def _node(setup: Setup) -> KademliaNode:
    return KademliaNode(
        setup.address,
        rng=setup.rng,
        record=setup.record,
        items=setup.items,
        known=setup.known,
        parameters=setup.parameters,
    )


KADEMLIA: Final = DatagramOverlay({"node": Role(_node, Parameters)}, encode, decode)
