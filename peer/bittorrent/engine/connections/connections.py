"""Connections: which are admitted, what a handshake says of the other end, and which are closed."""

from collections.abc import Callable, Iterator
from typing import Final

from contract.events import (
    Banned,
    Connected,
    Disconnected,
    Erred,
    Handshaken,
)
from peer.bittorrent.engine.actions import Close, Greet
from peer.bittorrent.engine.connections.neighbour import Neighbour, make_neighbour
from peer.bittorrent.engine.context import Context
from peer.bittorrent.engine.discovery.address_book import AddressBook
from peer.bittorrent.wire.handshake import Handshake, Reserved
from peer.bittorrent.wire.messages import KeepAlive
from peer.bittorrent.wire.peer_id import client_name
from peer.net.address import Address

OURSELVES: Final = "it is ourselves"
TWICE: Final = "connected twice"


class Connections:
    """The connections of one of our identities."""

    def __init__(
        self, context: Context, identity: int, addresses: AddressBook, on_left: Callable[[Neighbour], None]
    ) -> None:
        """`on_left` is called with each neighbour right after it was removed, and before the trace says so."""
        self._context = context
        self._identity = identity
        self._own_ids = frozenset(each.peer_id for each in context.identities)
        peer_id = context.identities[identity].peer_id
        self._ours = Handshake(context.info_hash, peer_id, Reserved.FAST | Reserved.EXTENSIONS)
        self._profile = context.profile
        self._outbox = context.outbox
        self._addresses = addresses
        self._neighbours = context.neighbours
        self._on_left = on_left
        self.neighbour_count = 0
        """Of this identity."""
        self.most_neighbours = context.profile.most_neighbours

    def admit(self, address: Address, *, is_outgoing: bool) -> Neighbour | None:
        """Make a neighbour of a new connection; None refuses it."""
        if self._addresses.is_banned(address.host) or self.neighbour_count >= self.most_neighbours:
            return None
        if is_outgoing:
            self._addresses.connected(address)
        key, now = next(self._context.keys), self._outbox.now
        neighbour = make_neighbour(key, address, now, self._profile, is_outgoing=is_outgoing, identity=self._identity)
        self._neighbours[key] = neighbour
        self.neighbour_count += 1
        self._outbox.record(Connected(neighbour.key, str(address), is_outgoing))
        if is_outgoing:
            self._greet(neighbour)
        return neighbour

    def shake_hands(self, neighbour: Neighbour, theirs: Handshake) -> bool:
        """Take the other end's handshake; returns whether the neighbour stays."""
        talk = neighbour.conversation
        talk.peer_id = theirs.peer_id
        if theirs.info_hash != self._ours.info_hash:
            self.close_with_error(neighbour, f"handshake: expected our info-hash, found {theirs.info_hash.hex()}")
            return False
        if theirs.peer_id in self._own_ids:
            self._addresses.ourselves(neighbour.address)
            self.close(neighbour, OURSELVES)
            return False
        if not self._keep_one_connection(neighbour):
            return False
        talk.handshaken_at = self._outbox.now
        talk.is_fast = Reserved.FAST in theirs.reserved
        talk.is_extended = Reserved.EXTENSIONS in theirs.reserved
        if not neighbour.is_outgoing:
            self._greet(neighbour)
        client = client_name(theirs.peer_id)
        self._outbox.record(Handshaken(neighbour.key, theirs.peer_id.hex(), client, talk.is_fast, talk.is_extended))
        return True

    def learn_listening_port(self, neighbour: Neighbour, port: int) -> None:
        """Learn the port that a neighbour listens on: that address is connected already, and not to be dialled."""
        neighbour.conversation.listens_on = port
        self._addresses.connected(Address(neighbour.address.host, port))

    def close(self, neighbour: Neighbour, reason: str, *, is_fault: bool = False) -> None:
        self._outbox.do(Close(neighbour.key, reason))
        self._remove(neighbour, reason, by_us=True, is_fault=is_fault)

    def close_with_error(self, neighbour: Neighbour, what: str) -> None:
        """Close a connection whose other end broke the protocol, and trace how."""
        self._outbox.record(Erred(what, neighbour.key))
        self.close(neighbour, what, is_fault=True)

    def ban(self, neighbour: Neighbour, reason: str) -> None:
        """Close all connections with a neighbour's host, and refuse new ones."""
        host = neighbour.address.host
        self._addresses.ban(host)
        self._outbox.record(Banned(host, neighbour.key, reason))
        for each in [each for each in self._own() if each.address.host == host]:
            self.close(each, reason, is_fault=True)

    def disconnected(self, neighbour: Neighbour, reason: str) -> None:
        """Remove a neighbour whose connection was ended by the other end or by the network."""
        self._remove(neighbour, reason, by_us=False, is_fault=not neighbour.is_handshaken)

    def tick(self) -> None:
        """Close silent connections, and keep alive those on which we sent nothing for long."""
        now, profile = self._outbox.now, self._profile
        for neighbour in list(self._own()):
            talk = neighbour.conversation
            if not neighbour.is_handshaken:
                if now - talk.connected_at >= profile.handshake_timeout:
                    self.close_with_error(
                        neighbour, f"expected a handshake within {profile.handshake_timeout:g} s, found none"
                    )
            elif now - talk.last_received >= profile.silence_timeout:
                self.close(neighbour, f"silent for {profile.silence_timeout:g} s")
            elif now - talk.last_sent >= profile.keep_alive_period:
                self._outbox.send(neighbour, KeepAlive())

    def _keep_one_connection(self, neighbour: Neighbour) -> bool:
        """Close one of two connections with the same client, as the other end does; returns whether this one stays."""
        peer_id = neighbour.conversation.peer_id
        older = next(
            (each for each in self._own() if each.is_handshaken and each.conversation.peer_id == peer_id),
            None,
        )
        if older is None:
            return True
        crossed = older.is_outgoing != neighbour.is_outgoing
        newer_stays = crossed and neighbour.is_outgoing == (self._ours.peer_id > peer_id)
        stays, goes = (neighbour, older) if newer_stays else (older, neighbour)
        self.close(goes, TWICE)
        if goes.is_outgoing:
            self.learn_listening_port(stays, goes.address.port)
        elif stays.listening_address is not None:
            self._addresses.connected(stays.listening_address)
        return newer_stays

    def _own(self) -> Iterator[Neighbour]:
        return (each for each in self._neighbours.values() if each.identity == self._identity)

    def _greet(self, neighbour: Neighbour) -> None:
        neighbour.conversation.last_sent = self._outbox.now
        self._outbox.do(Greet(neighbour.key, self._ours.encode()))

    def _remove(self, neighbour: Neighbour, reason: str, *, by_us: bool, is_fault: bool) -> None:
        del self._neighbours[neighbour.key]
        self.neighbour_count -= 1
        address = neighbour.listening_address
        if address is not None:
            self._addresses.disconnected(address, self._outbox.now, is_fault)
        self._on_left(neighbour)
        received, sent = neighbour.down.rate.total, neighbour.up.rate.total
        self._outbox.record(Disconnected(neighbour.key, by_us, reason, received, sent))
