"""What runs nodes of Gnutella needs of it."""

from typing import Final

from peer.overlays.gnutella.node import GnutellaNode
from peer.overlays.gnutella.parameters import Parameters
from peer.overlays.gnutella.wire import encode
from peer.overlays.gnutella.wire.decoder import Decoder
from peer.overlays.overlay import Role, Setup, StreamOverlay


def _servent(setup: Setup) -> GnutellaNode:
    return GnutellaNode(
        setup.address,
        setup.known,
        items=setup.items,
        parameters=setup.parameters,
        rng=setup.rng,
        record=setup.record,
    )


GNUTELLA: Final = StreamOverlay(
    roles={"node": Role(_servent, Parameters)},
    encode=encode,
    decoder=lambda is_outgoing: Decoder(is_outgoing=is_outgoing),
)
