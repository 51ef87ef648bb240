"""A network of arithmetic: which peer is at which address, and connections over which everything is one latency late.

Messages take no bandwidth; blocks do (links.py).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from peer.bittorrent.engine.download.block_reception import Placement
from peer.bittorrent.engine.session import Session
from peer.bittorrent.tracker.registry import Registry
from peer.bittorrent.wire.handshake import Handshake
from peer.bittorrent.wire.messages import Message, PieceHeader
from peer.simulation.agenda import Agenda

if TYPE_CHECKING:
    from peer.simulation.peer import VirtualPeer

Letter: TypeAlias = tuple["VirtualPeer", int, Handshake | Message]
"""A message, the peer that it is for, and that peer's number for the connection."""


@dataclass(eq=False)
class ConnectionEnd:
    """One end of a connection, as its owner sees it."""

    far: "VirtualPeer"
    far_key: int = 0
    """The far end's number for this connection."""
    far_session: Session | None = None
    """The session at the far end. What was on its way to one that is over does not reach the next one."""
    limit: float | None = None
    """Bytes/s that the owner sends at most."""
    free_at: float = 0.0
    """When the limit lets the next block be sent."""
    wakes_at: float = 0.0
    """The `free_at` at which the uplink will try again."""
    is_queued: bool = False
    """The owner's uplink takes turns with this one."""
    in_flight: deque[tuple[PieceHeader, bool]] = field(default_factory=deque)
    """Blocks that have begun to be sent, and whether they are corrupt; the far end has the header of the first."""
    placement: Placement = Placement.NOWHERE
    """Where the first of them belongs at the far end."""


class Network:
    """Who is where, and when messages arrive."""

    def __init__(self, agenda: Agenda, latency: float, registry: Registry) -> None:
        self.agenda = agenda
        self.latency = latency
        self.registry = registry
        """The tracker's."""
        self.hosts: dict[str, VirtualPeer] = {}

    def soon(self, do: Callable[[], None]) -> None:
        """Call after one latency."""
        self.agenda.call_at(self.agenda.now + self.latency, do)

    def deliver(self, letters: list[Letter]) -> None:
        """Let messages arrive together, one latency later."""
        if letters:
            self.soon(lambda: self._arrive(letters))

    def _arrive(self, letters: list[Letter]) -> None:
        for far, key, message in letters:
            if key in far.connections:
                far.session.message_received(key, message, self.agenda.now)
                far.act()
