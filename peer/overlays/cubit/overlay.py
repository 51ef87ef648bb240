"""What runs nodes of Cubit needs of it."""

from typing import Final

from peer.overlays.cubit.node import CubitNode
from peer.overlays.cubit.parameters import Parameters
from peer.overlays.cubit.wire import decode, encode
from peer.overlays.overlay import DatagramOverlay, Role, Setup


def _node(setup: Setup) -> CubitNode:
    return CubitNode(
        setup.address,
        _words(setup),
        setup.items,
        setup.known,
        parameters=setup.parameters,
        random=setup.rng,
        record=setup.record,
    )


def _words(setup: Setup) -> list[str]:
    """Return the words that the node may lie at, in the order in which it would take them.

    Its items' words in a random order; a node without any, or whose words are all taken, lies at its address.
    """
    words = sorted({word for item in setup.items for word in item.words})
    setup.rng.shuffle(words)
    return [*words, str(setup.address)]


CUBIT: Final = DatagramOverlay({"node": Role(_node, Parameters)}, encode, decode)
