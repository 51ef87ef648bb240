"""Pings and pongs, by Rohrs' scheme: pings are hardly ever passed on, as everyone has pongs in a cache.

A ping that comes after the cache's lifetime renews it: the cache is emptied, and all neighbours are asked, who do the
same. Where nobody asks, nothing is sent.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from peer.net.address import Address
from peer.overlays.gnutella.links import Link
from peer.overlays.gnutella.servent import Servent
from peer.overlays.gnutella.wire.messages import Ping, Pong

_MOST_CACHED: Final = 200
_CRAWLER_TTL: Final = 2


class Pongs:
    """The pong cache of a servent, and its own pings."""

    def __init__(self, servent: Servent, has_room: Callable[[], bool], learn: Callable[[Address], None]) -> None:
        self._servent: Final = servent
        self._has_room: Final = has_room
        self._learn: Final = learn
        self._cache: Final[dict[Address, tuple[Pong, int]]] = {}
        """By address: the pong, and the link on which it came."""
        self._asked: Final[deque[bytes]] = deque(maxlen=16)
        """Our pings."""
        self._renew_from = 0.0
        self._ask_from = 0.0

    def __len__(self) -> int:
        return len(self._cache)

    def greet(self, link: Link, *, needs_hosts: bool) -> None:
        """Ping a new neighbour."""
        self._ping([link], self._servent.parameters.pongs.ttl if needs_hosts else 1)

    def ask_all(self) -> None:
        """Ask for addresses, as we have none to dial; not more often than others may ask us."""
        now = self._servent.now
        if now >= self._ask_from and self._servent.links.peers:
            self._ask_from = now + 2 * self._servent.parameters.pongs.lifetime
            self._ping(self._servent.links.peers, self._servent.parameters.pongs.ttl)

    def _ping(self, links: list[Link], ttl: int) -> None:
        guid = self._servent.new_guid()
        self._asked.append(guid)
        for link in links:
            self._servent.send(link, Ping(guid, ttl, 0))

    def got_ping(self, link: Link, ping: Ping) -> None:
        now, lifetime = self._servent.now, self._servent.parameters.pongs.lifetime
        if now < link.ping_from:
            return
        link.ping_from = now + lifetime
        link.ping_guid, link.pongs_due = ping.guid, self._servent.parameters.pongs.most
        if ping.ttl > 1 and now >= self._renew_from:
            self._renew(link)
        self._answer(link, ping)

    def _renew(self, source: Link) -> None:
        self._renew_from = self._servent.now + self._servent.parameters.pongs.lifetime
        self._cache.clear()
        others = [link for link in self._servent.links.peers if link is not source]
        self._ping(others, self._servent.parameters.pongs.ttl)

    def _answer(self, link: Link, ping: Ping) -> None:
        if self._has_room():
            self._give(link, self._own_pong(ping.guid), ping.hops + 1)
        if (ping.ttl, ping.hops) == (_CRAWLER_TTL, 0):
            link.pongs_due = 0
            self._give_neighbours(link, ping)
        elif ping.ttl > 1:
            for pong, came_on in list(self._cache.values()):
                if came_on != link.number and link.pongs_due > 0:
                    self._give(link, pong, ping.hops + 1)
        else:
            link.pongs_due = 0

    def _give_neighbours(self, link: Link, ping: Ping) -> None:
        for each in self._servent.links.peers:
            if each is not link:
                self._servent.send(link, Pong(ping.guid, ping.hops + 1, 1, each.address, 0, 0))

    def _own_pong(self, guid: bytes) -> Pong:
        shelf = self._servent.shelf
        return Pong(guid, 1, 0, self._servent.address, len(shelf.items), min(shelf.kilobytes, 0xFFFFFFFF))

    def _give(self, link: Link, pong: Pong, ttl: int) -> None:
        link.pongs_due -= 1
        given = Pong(link.ping_guid, min(ttl, 255), pong.hops, pong.address, pong.files, pong.kilobytes)
        self._servent.send(link, given)

    def got_pong(self, link: Link, pong: Pong) -> None:
        """Keep a pong that we asked for, and give it to neighbours who are still due some."""
        if pong.guid not in self._asked or pong.address == self._servent.address:
            return
        farther = Pong(b"", 1, min(pong.hops + 1, 255), pong.address, pong.files, pong.kilobytes)
        if pong.address in self._cache or len(self._cache) < _MOST_CACHED:
            self._cache[pong.address] = farther, link.number
        for other in (*self._servent.links.peers, *self._servent.links.leaves):
            if other is not link and other.pongs_due > 0:
                self._give(other, farther, 1)
        self._learn(pong.address)
