"""A network of arithmetic: which peer is at which address, and messages that arrive later than they are sent.

What one peer sends to another takes one latency and the delays of both their links. Messages take no bandwidth; blocks
do (links.py).
"""

from collections.abc import Callable
from functools import partial
from itertools import groupby
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

    def after_latency(self, delay: float, do: Callable[[], None]) -> None:
        """Call after one latency and the delays of the links on the way."""
        self.agenda.call_at(self.agenda.now + self.latency + delay, do)

    def deliver(self, letters: list[Letter], delay: float) -> None:
        """Let messages from behind a link with this delay arrive; those that follow each other arrive together."""
        for far_delay, together in groupby(letters, key=lambda letter: letter[0].delay):
            self.after_latency(delay + far_delay, partial(self._arrive, list(together)))

    def _arrive(self, letters: list[Letter]) -> None:
        for far, key, message in letters:
            if key in far.connections:
                far.session.message_received(key, message, self.agenda.now)
                far.act()
