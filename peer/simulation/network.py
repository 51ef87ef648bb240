"""A network of arithmetic: which peer is at which address, and messages that are one latency late.

Messages take no bandwidth; blocks do (links.py).
"""

from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

from peer.bittorrent.tracker.registry import Registry
from peer.bittorrent.wire.handshake import Handshake
from peer.bittorrent.wire.messages import Message
from peer.simulation.agenda import Agenda
from peer.simulation.links import LinkOwner

Letter: TypeAlias = tuple[LinkOwner, int, Handshake | Message]
"""A message, the peer that it is for, and that peer's number for the connection."""
Peer = TypeVar("Peer", bound=LinkOwner)


class Network(Generic[Peer]):
    """Who is where, and when messages arrive."""

    def __init__(self, agenda: Agenda, latency: float, registry: Registry) -> None:
        self.agenda = agenda
        self.latency = latency
        self.registry = registry
        """The tracker's."""
        self.peers_by_host: dict[str, Peer] = {}

    def after_latency(self, do: Callable[[], None]) -> None:
        """Call after one latency."""
        self.agenda.call_at(self.agenda.now + self.latency, do)

    def deliver(self, letters: list[Letter]) -> None:
        """Let messages arrive together, one latency later."""
        if letters:
            self.after_latency(lambda: self._arrive(letters))

    def _arrive(self, letters: list[Letter]) -> None:
        for far, key, message in letters:
            if key in far.connections:
                far.session.message_received(key, message, self.agenda.now)
                far.act()
