"""The DHT (BEP 5) as one of our identities uses it: when to announce, what it found, and which nodes neighbours have.

    waiting -- due --> announcing: AnnounceToDht -- peers_found ... -- dht_ended --> waiting

An announcement finds peers too. It is due after the period; earlier and earlier again, at growing intervals, as long as
no node of the DHT answers or neighbours are missing.
"""

from math import inf
from typing import Final

from contract.events import Announced, Erred
from peer.bittorrent.engine.actions import AnnounceToDht, MeetDhtNode
from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.context import Context
from peer.bittorrent.wire.messages import Port
from peer.net.address import Address
from peer.net.backoff import backoff

NAME: Final = "dht"
"""In the trace, where a tracker has its URL."""
FIRST_RETRY: Final = 2.0
LONGEST_RETRY: Final = 60.0


class DhtSearch:
    """Announces one identity, and exchanges PORT messages; without a DHT, it does nothing."""

    def __init__(self, context: Context, identity: int) -> None:
        self._use: Final = context.dht
        self._port: Final = context.identities[identity].port
        self._identity: Final = identity
        self._outbox: Final = context.outbox
        self._rng: Final = context.rng
        self.is_on = context.dht is not None
        self._is_announcing = False
        self._found: set[Address] = set()
        self._needs_peers = False
        self._tries = 0
        """Announcements in a row after which nodes or neighbours were missing."""
        self._due_at = -inf
        self._due_in_need_at = -inf

    def find_peers(self, *, needs_peers: bool) -> None:
        """Announce, if that is due."""
        self._needs_peers = needs_peers
        due_at = self._due_in_need_at if needs_peers else self._due_at
        if self.is_on and not self._is_announcing and due_at <= self._outbox.now:
            self._is_announcing = True
            self._found.clear()
            self._outbox.do(AnnounceToDht(self._port, self._identity))

    def found(self, addresses: list[Address]) -> None:
        """Count peers that the DHT told."""
        self._found.update(addresses)

    def ended(self, node_count: int) -> None:
        """The announcement is over; the node then knew so many others."""
        if self._use is None or not self.is_on:
            return
        self._is_announcing = False
        self._tries = self._tries + 1 if self._needs_peers or not node_count else 1
        period, now = self._use.period, self._outbox.now
        soon = min(backoff(self._tries, FIRST_RETRY, LONGEST_RETRY, self._rng), period)
        self._due_in_need_at = now + soon
        self._due_at = now + (period if node_count else soon)
        if node_count:
            self._outbox.record(Announced(NAME, len(self._found), None, None, period))
        else:
            self._outbox.record(Erred("DHT: no node answered", retry_in=soon))

    def stop(self) -> None:
        """Use it no more: we leave, or the torrent turned out to be private."""
        self.is_on = False

    def neighbour_joined(self, neighbour: Neighbour) -> None:
        """Tell a neighbour our node's port, if it has a node too."""
        if self._use is not None and self.is_on and neighbour.conversation.has_dht:
            self._outbox.send(neighbour, Port(self._use.port))

    def port_received(self, neighbour: Neighbour, port: int) -> None:
        """Take the port of a neighbour's node. Only the first counts: each is a datagram that we send."""
        host, talk = neighbour.address.host, neighbour.conversation
        if self.is_on and port and talk.dht_port is None and ":" not in host:
            talk.dht_port = port
            self._outbox.do(MeetDhtNode(Address(host, port)))
