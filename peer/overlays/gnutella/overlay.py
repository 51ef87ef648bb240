"""What runs nodes of Gnutella needs of it."""

from dataclasses import replace
from functools import partial
from typing import Final

from peer.overlays.gnutella.node import GnutellaNode
from peer.overlays.gnutella.parameters import Parameters
from peer.overlays.gnutella.wire import encode
from peer.overlays.gnutella.wire.decoder import Decoder
from peer.overlays.overlay import Role, Setup, StreamOverlay


def _in_role(role: str, setup: Setup) -> GnutellaNode:
    """Make a servent with this role, whatever its parameters say of it."""
    return _servent(replace(setup, parameters=replace(setup.parameters, role=role)))


def _servent(setup: Setup) -> GnutellaNode:
    return GnutellaNode(
        setup.address,
        setup.known,
        items=setup.items,
        parameters=setup.parameters,
        rng=setup.rng,
        record=setup.record,
        downloads=setup.downloads,
    )


GNUTELLA: Final = StreamOverlay(
    roles={
        "node": Role(_servent, Parameters),
        "servent": Role(partial(_in_role, "peer"), Parameters),
        **{role: Role(partial(_in_role, role), Parameters) for role in ("leaf", "ultrapeer", "elected")},
    },
    encode=encode,
    decoder=lambda is_outgoing: Decoder(is_outgoing=is_outgoing),
    has_files=True,
)
