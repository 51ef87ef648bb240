"""The overlays by name. Each is imported when it is used; one of your own is `module:NAME`."""

from importlib import import_module
from typing import Final

from peer.overlays.overlay import DatagramOverlay, Overlay, StreamOverlay

OVERLAYS: Final = {
    "chord": "peer.overlays.chord.overlay:CHORD",
    "cubit": "peer.overlays.cubit.overlay:CUBIT",
    "gnutella": "peer.overlays.gnutella.overlay:GNUTELLA",
    "kademlia": "peer.overlays.kademlia.overlay:KADEMLIA",
    "keywords": "peer.overlays.keywords.overlay:KEYWORDS",
    "napster": "peer.overlays.napster.overlay:NAPSTER",
}
"""Where each is: the module and the name in it."""


class OverlayError(Exception):
    """There is no such overlay; the message says why in one line."""


def overlay_named(name: str) -> Overlay:
    """Return an overlay; raises OverlayError."""
    module_name, colon, attribute = OVERLAYS.get(name, name).partition(":")
    if not colon:
        raise OverlayError(f"there is no overlay {name}; expected {', '.join((*OVERLAYS, 'module:NAME'))}")
    try:
        found: object = getattr(import_module(module_name), attribute, None)
    except ImportError as error:
        raise OverlayError(f"module {module_name} cannot be imported: {error}") from error
    if not isinstance(found, DatagramOverlay | StreamOverlay):
        raise OverlayError(f"module {module_name} has no DatagramOverlay or StreamOverlay {attribute}")
    return found
