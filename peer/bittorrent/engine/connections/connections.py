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
from peer.bittorrent.engine.connections.room import Room
from peer.bittorrent.engine.context import Context
from peer.bittorrent.engine.discovery.address_book import AddressBook, Ending
from peer.bittorrent.wire.handshake import Handshake, Reserved
from peer.bittorrent.wire.messages import KeepAlive
from peer.bittorrent.wire.peer_id import client_name
from peer.net.address import Address

OURSELVES: Final = "it is ourselves"
TWICE: Final = "connected twice"
MAKES_ROOM: Final = "makes room for another"
UNGREETED: Final = " before its handshake: perhaps it has no place, or requires another kind of encryption"
CROSSING: Final = 3.0
"""Seconds within which two clients that dial each other at the same time have shaken hands twice."""


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
        reserved = Reserved.FAST | Reserved.EXTENSIONS | (Reserved.DHT if context.dht else Reserved(0))
        self._ours = Handshake(context.info_hash, peer_id, reserved)
        self._profile = context.profile
        self._outbox = context.outbox
        self._addresses = addresses
        self._neighbours = context.neighbours
        self._on_left = on_left
        self.neighbour_count = 0
        """Of this identity."""
        self.most_neighbours = context.profile.most_neighbours
        self.room = Room(context.profile.most_per_host)

    @property
    def settled_count(self) -> int:
        """The number of neighbours that make dialling others unnecessary."""
        return self.room.count_settled(self._own(), self._outbox.now)

    def admit(self, address: Address, *, is_outgoing: bool) -> Neighbour | None:
        """Make a neighbour of a new connection; None refuses it."""
        if self._addresses.is_banned(address.host) or not self._has_place_for(address.host):
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
            self._mark_other_end_of(neighbour)
            self.close(neighbour, OURSELVES)
            return False
        if not self._keep_one_connection(neighbour):
            return False
        talk.handshaken_at = self._outbox.now
        talk.is_fast = Reserved.FAST in theirs.reserved
        talk.is_extended = Reserved.EXTENSIONS in theirs.reserved
        talk.has_dht = Reserved.DHT in theirs.reserved
        if not neighbour.is_outgoing:
            self._greet(neighbour)
        client = client_name(theirs.peer_id)
        self._outbox.record(Handshaken(neighbour.key, theirs.peer_id.hex(), client, talk.is_fast, talk.is_extended))
        return True

    def learn_listening_port(self, neighbour: Neighbour, port: int) -> None:
        """Learn the port that a neighbour listens on: that address is connected already, and not to be dialled.

        Only the first port counts: each is an address, and a stranger could name all ports there are.
        """
        if neighbour.conversation.listens_on is None:
            neighbour.conversation.listens_on = port
            self._addresses.connected(Address(neighbour.address.host, port))

    def close(self, neighbour: Neighbour, reason: str, ending: Ending = Ending.LEFT) -> None:
        self._outbox.do(Close(neighbour.key, reason))
        self._remove(neighbour, reason, ending, by_us=True)

    def close_with_error(self, neighbour: Neighbour, what: str, ending: Ending = Ending.FAULT) -> None:
        """Close a connection whose other end broke the protocol, and trace how."""
        self._outbox.record(Erred(what, neighbour.key))
        self.close(neighbour, what, ending)

    def ban(self, neighbour: Neighbour, reason: str) -> None:
        """Close all connections with a neighbour's host, and refuse new ones."""
        host = neighbour.address.host
        self._addresses.ban(host)
        self._outbox.record(Banned(host, neighbour.key, reason))
        for each in [each for each in self._own() if each.address.host == host]:
            self.close(each, reason, Ending.FAULT)

    def disconnected(self, neighbour: Neighbour, reason: str) -> None:
        """Remove a neighbour whose connection was ended by the other end or by the network."""
        if neighbour.is_handshaken:
            ending = Ending.LEFT
        elif neighbour.conversation.is_with_ourselves or self._is_connected_twice(neighbour):
            ending = Ending.FAULT
        else:
            ending = Ending.REFUSED
            if neighbour.is_outgoing:
                reason += UNGREETED
        self._remove(neighbour, reason, ending, by_us=False)

    def tick(self) -> None:
        """Close silent connections, and keep alive those on which we sent nothing for long."""
        now, profile = self._outbox.now, self._profile
        for neighbour in list(self._own()):
            talk = neighbour.conversation
            if not neighbour.is_handshaken:
                if now - talk.connected_at >= profile.handshake_timeout:
                    problem = f"expected a handshake within {profile.handshake_timeout:g} s, found none"
                    self.close_with_error(neighbour, problem, Ending.REFUSED)
            elif now - talk.last_received >= profile.silence_timeout:
                self.close(neighbour, f"silent for {profile.silence_timeout:g} s")
            elif now - talk.last_sent >= profile.keep_alive_period:
                self._outbox.send(neighbour, KeepAlive())

    def _mark_other_end_of(self, incoming: Neighbour) -> None:
        """Mark the connection by which one of our identities dialled this one."""
        here = Address(incoming.address.host, self._context.identities[self._identity].port)
        for each in self._neighbours.values():
            if each.is_outgoing and each.address == here:
                each.conversation.is_with_ourselves = True

    def _is_connected_twice(self, neighbour: Neighbour) -> bool:
        """Return whether another connection leads to the address that we dialled."""
        address = neighbour.listening_address
        return any(each.listening_address == address for each in self._own() if each is not neighbour)

    def _has_place_for(self, host: str) -> bool:
        """Return whether a connection with this host can be accepted; if all places are taken, another may give way."""
        if self.neighbour_count < self.most_neighbours:
            return True
        goes = self.room.who_gives_way(list(self._own()), host, self._outbox.now)
        if goes is not None:
            self.close(goes, MAKES_ROOM)
        return goes is not None

    def _keep_one_connection(self, neighbour: Neighbour) -> bool:
        """Close one of two connections with the same client, as the other end does; returns whether this one stays."""
        older = next((each for each in self._own() if each.is_handshaken and _is_same_client(each, neighbour)), None)
        if older is None:
            return True
        newer_stays = older.is_outgoing != neighbour.is_outgoing and self._prefers_newer(older, neighbour)
        stays, goes = (neighbour, older) if newer_stays else (older, neighbour)
        self.close(goes, TWICE)
        if goes.is_outgoing and stays.conversation.listens_on is None:
            stays.conversation.listens_on = goes.address.port
        if stays.listening_address is not None:
            self._addresses.connected(stays.listening_address)
        return newer_stays

    def _prefers_newer(self, older: Neighbour, newer: Neighbour) -> bool:
        """Of a connection that we dialled and one that the other end dialled, say whether the newer one stays.

        Both ends decide alike if they dialled each other at the same time. Later, an honest end closes the connection
        that we dial before it shakes hands, so if it does shake hands, the other end of the older one is an impostor,
        as is the other end of a newer one that we did not dial.
        """
        handshaken_at = older.conversation.handshaken_at or 0
        if older.down.rate.total or self._outbox.now - handshaken_at >= CROSSING:
            return newer.is_outgoing
        return newer.is_outgoing == (self._ours.peer_id > newer.conversation.peer_id)

    def _own(self) -> Iterator[Neighbour]:
        return (each for each in self._neighbours.values() if each.identity == self._identity)

    def _greet(self, neighbour: Neighbour) -> None:
        neighbour.conversation.last_sent = self._outbox.now
        self._outbox.do(Greet(neighbour.key, self._ours.encode()))

    def _remove(self, neighbour: Neighbour, reason: str, ending: Ending, *, by_us: bool) -> None:
        del self._neighbours[neighbour.key]
        self.neighbour_count -= 1
        self.room.neighbour_left(neighbour)
        address = neighbour.listening_address
        if address is not None:
            self._addresses.disconnected(address, self._outbox.now, ending)
        self._on_left(neighbour)
        received, sent = neighbour.down.rate.total, neighbour.up.rate.total
        self._outbox.record(Disconnected(neighbour.key, by_us, reason, received, sent))


def _is_same_client(one: Neighbour, other: Neighbour) -> bool:
    """Return whether both show one peer id from one host: everybody can show the peer id of another host's client."""
    return one.conversation.peer_id == other.conversation.peer_id and one.address.host == other.address.host
