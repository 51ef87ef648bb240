"""Connections: who may come in, who is who, and who has to go. What neighbours trade is not this module's."""

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
from peer.bittorrent.engine.discovery.address_book import AddressBook
from peer.bittorrent.engine.outbox import Outbox
from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.wire.handshake import Handshake, Reserved
from peer.bittorrent.wire.messages import KeepAlive
from peer.bittorrent.wire.peer_id import describe
from peer.net.address import Address

OURSELVES: Final = "it is ourselves"
TWICE: Final = "connected twice"


class Doors:
    """Makes and ends neighbours."""

    def __init__(
        self,
        *,
        info_hash: bytes,
        peer_id: bytes,
        own_ids: frozenset[bytes],
        face: int,
        profile: Profile,
        outbox: Outbox,
        addresses: AddressBook,
        neighbours: dict[int, Neighbour],
        keys: Iterator[int],
        gone: Callable[[Neighbour], None],
    ) -> None:
        """`gone` is told of each neighbour right after it was removed, and before the trace is.

        `neighbours` and their `keys` are shared with our other faces, whose peer ids are among `own_ids`.
        """
        self._face = face
        self._own_ids = own_ids
        self._keys = keys
        self._ours = Handshake(info_hash, peer_id, Reserved.FAST | Reserved.EXTENSIONS)
        self._profile = profile
        self._outbox = outbox
        self._addresses = addresses
        self._neighbours = neighbours
        self._gone = gone
        self.neighbour_count = 0
        """Of this face."""
        self.most_neighbours = profile.most_neighbours

    def admit(self, address: Address, *, is_outgoing: bool) -> Neighbour | None:
        """Take in a connection that was just made; None refuses it."""
        if self._addresses.is_banned(address.host) or self.neighbour_count >= self.most_neighbours:
            return None
        if is_outgoing:
            self._addresses.connected(address)
        key = next(self._keys)
        neighbour = make_neighbour(
            key, address, self._outbox.now, self._profile, is_outgoing=is_outgoing, face=self._face
        )
        self._neighbours[key] = neighbour
        self.neighbour_count += 1
        self._outbox.tell(Connected(neighbour.key, str(address), is_outgoing))
        if is_outgoing:
            self._greet(neighbour)
        return neighbour

    def shake_hands(self, neighbour: Neighbour, theirs: Handshake) -> bool:
        """Hear who is at the other end; returns whether the neighbour stays."""
        talk = neighbour.conversation
        talk.peer_id = theirs.peer_id
        if theirs.info_hash != self._ours.info_hash:
            self.accuse(neighbour, f"handshake: expected our info-hash, found {theirs.info_hash.hex()}")
            return False
        if theirs.peer_id in self._own_ids:
            self._addresses.ourselves(neighbour.address)
            self.close(neighbour, OURSELVES)
            return False
        if not self._is_only_one(neighbour):
            return False
        talk.handshaken_at = self._outbox.now
        talk.is_fast = Reserved.FAST in theirs.reserved
        talk.is_extended = Reserved.EXTENSIONS in theirs.reserved
        if not neighbour.is_outgoing:
            self._greet(neighbour)
        client = describe(theirs.peer_id)
        self._outbox.tell(Handshaken(neighbour.key, theirs.peer_id.hex(), client, talk.is_fast, talk.is_extended))
        return True

    def listens(self, neighbour: Neighbour, port: int) -> None:
        """Take note of the port that a neighbour listens on: nobody else is to be dialled there."""
        neighbour.conversation.listens_on = port
        self._addresses.connected(Address(neighbour.address.host, port))

    def close(self, neighbour: Neighbour, reason: str, *, is_fault: bool = False) -> None:
        """End a connection."""
        self._outbox.do(Close(neighbour.key, reason))
        self._remove(neighbour, reason, by_us=True, is_fault=is_fault)

    def accuse(self, neighbour: Neighbour, what: str) -> None:
        """End a connection whose other end breaks the protocol, and say how."""
        self._outbox.tell(Erred(what, neighbour.key))
        self.close(neighbour, what, is_fault=True)

    def ban(self, neighbour: Neighbour, reason: str) -> None:
        """Have nothing to do with a neighbour's host any more."""
        host = neighbour.address.host
        self._addresses.ban(host, reason)
        self._outbox.tell(Banned(host, neighbour.key, reason))
        for each in [each for each in self._mine() if each.address.host == host]:
            self.close(each, reason, is_fault=True)

    def lost(self, neighbour: Neighbour, reason: str) -> None:
        """Take note that a connection ended at the other side or in between."""
        self._remove(neighbour, reason, by_us=False, is_fault=not neighbour.is_handshaken)

    def look_around(self) -> None:
        """Close the silent, and say that we are here to those who heard nothing for long."""
        now, profile = self._outbox.now, self._profile
        for neighbour in list(self._mine()):
            talk = neighbour.conversation
            if not neighbour.is_handshaken:
                if now - talk.connected_at >= profile.handshake_timeout:
                    self.accuse(neighbour, f"expected a handshake within {profile.handshake_timeout:g} s, found none")
            elif now - talk.last_heard >= profile.silence_timeout:
                self.close(neighbour, f"silent for {profile.silence_timeout:g} s")
            elif now - talk.last_said >= profile.keep_alive_period:
                self._outbox.send(neighbour, KeepAlive())

    def _is_only_one(self, neighbour: Neighbour) -> bool:
        """Keep one of two connections with the same client; both ends choose the same one."""
        peer_id = neighbour.conversation.peer_id
        twin = next(
            (each for each in self._mine() if each.is_handshaken and each.conversation.peer_id == peer_id),
            None,
        )
        if twin is None:
            return True
        crossed = twin.is_outgoing != neighbour.is_outgoing
        newer_stays = crossed and neighbour.is_outgoing == (self._ours.peer_id > peer_id)
        stays, goes = (neighbour, twin) if newer_stays else (twin, neighbour)
        self.close(goes, TWICE)
        if goes.is_outgoing:
            self.listens(stays, goes.address.port)
        elif stays.listening_address is not None:
            self._addresses.connected(stays.listening_address)
        return newer_stays

    def _mine(self) -> Iterator[Neighbour]:
        return (each for each in self._neighbours.values() if each.face == self._face)

    def _greet(self, neighbour: Neighbour) -> None:
        neighbour.conversation.last_said = self._outbox.now
        self._outbox.do(Greet(neighbour.key, self._ours.encode()))

    def _remove(self, neighbour: Neighbour, reason: str, *, by_us: bool, is_fault: bool) -> None:
        del self._neighbours[neighbour.key]
        self.neighbour_count -= 1
        address = neighbour.listening_address
        if address is not None:
            self._addresses.disconnected(address, self._outbox.now, is_fault)
        self._gone(neighbour)
        received, sent = neighbour.down.rate.total, neighbour.up.rate.total
        self._outbox.tell(Disconnected(neighbour.key, by_us, reason, received, sent))
