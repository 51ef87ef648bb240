"""What runs nodes of Kademlia needs of it."""

from typing import Final

from peer.overlays.kademlia.attacks.roles import ATTACKERS
from peer.overlays.kademlia.node import node_of
from peer.overlays.kademlia.parameters import Parameters
from peer.overlays.kademlia.wire import decode, encode
from peer.overlays.overlay import DatagramOverlay, Role

KADEMLIA: Final = DatagramOverlay({"node": Role(node_of, Parameters), **ATTACKERS}, encode, decode)
