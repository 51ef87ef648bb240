"""Where questions and answers go: a question on to all neighbours, once; an answer back on the way of the question."""

from collections.abc import Callable
from typing import Final

from peer.net.address import Address
from peer.overlays.content import Item
from peer.overlays.gnutella.links import Link, Other
from peer.overlays.gnutella.routing.memory import OURS, Memory
from peer.overlays.gnutella.servent import Servent
from peer.overlays.gnutella.wire.messages import Found, Push, Query, QueryHit

_MOST_TTL: Final = 7
"""That TTL and hops may add up to; whoever sends more is cut down to it."""
_MOST_SIZE: Final = 0xFFFFFFFF
_RESULTS: Final = 64
"""Of ours in one hit, which so stays under 20 KiB."""
_PUSH_FLAGS: Final = (b"\x00\x01", b"\x01\x01")
"""Of a servent that can be reached, and of one behind a firewall. The second byte says that the first has a meaning."""
VENDOR: Final = b"TBED"


class Queries:
    """The routing of questions, answers and pushes."""

    def __init__(self, servent: Servent, is_leaf: Callable[[], bool]) -> None:
        self._servent: Final = servent
        self._is_leaf: Final = is_leaf
        self.memory: Final = Memory()
        """The questions that were seen."""
        self._servents: Final = Memory()
        """Those who answered, for pushes to them."""
        self.lead: Callable[[Link, Query], bool] = lambda _link, _query: False
        """Takes a leaf's question to ask it in steps; false if it is to be flooded."""
        self.got_answer: Callable[[QueryHit], None] = lambda _hit: None
        """Takes an answer to our own question."""
        self.count: Callable[[QueryHit], None] = lambda _hit: None
        """Sees answers that pass."""

    def __len__(self) -> int:
        return len(self.memory) + len(self._servents)

    def got_query(self, link: Link, query: Query) -> None:
        if query.ttl < 1 or self.memory.get(query.guid) is not None:
            return
        self.memory.add(query.guid, link.number, self._servent.now)
        self.answer(link, query.guid, query.text, query.hops + 1)
        if self._is_leaf():
            return
        onward = Query(query.guid, query.ttl, min(query.hops + 1, 255), query.text, query.speed, query.extension)
        self.to_leaves(onward, link)
        if not (link.other is Other.LEAF and self.lead(link, onward)):
            self._pass_on(link, onward)

    def answer(self, link: Link, guid: bytes, text: str, distance: int) -> None:
        """Say what we have, if we have something, to the neighbour from whom the question came."""
        found = self._servent.shelf.matching(text, self._servent.parameters.search.most_results)
        for begin in range(0, len(found), _RESULTS):
            hit = self._hit(guid, distance, found[begin : begin + _RESULTS])
            self._servent.send(link, hit, guid.hex())

    def _hit(self, guid: bytes, distance: int, found: list[tuple[int, Item]]) -> QueryHit:
        results = tuple(Found(number, min(item.size, _MOST_SIZE), item.name) for number, item in found)
        able = self._servent.parameters.capability
        descriptor = VENDOR + b"\x02" + _PUSH_FLAGS[able.is_firewalled]
        speed = int(able.upload * 8)
        address, guid_of_ours = self._servent.address, self._servent.guid
        return QueryHit(guid, min(distance, 255), 0, address, speed, results, guid_of_ours, descriptor)

    def to_leaves(self, query: Query, source: Link | None) -> None:
        """Give a question, as it is to be sent, to the leaves that may have something, whatever its TTL."""
        if not self._servent.links.leaves:
            return
        last = Query(query.guid, 1, query.hops, query.text, query.speed, query.extension)
        for leaf in self._servent.links.leaves:
            if leaf is not source and leaf.incoming.may_have(query.text):
                self._servent.send(leaf, last, query.guid.hex())

    def _pass_on(self, source: Link, query: Query) -> None:
        ttl = min(query.ttl - 1, _MOST_TTL - query.hops)
        if ttl > 0:
            self.ask(Query(query.guid, ttl, query.hops, query.text, query.speed, query.extension), source)

    def ask(self, query: Query, source: Link | None = None) -> None:
        """Send a question to all neighbours but one; to the last hop only if that may have something."""
        search = query.guid.hex()
        for link in self._servent.links.peers:
            if link is not source and (query.ttl > 1 or link.incoming.may_have(query.text)):
                self._servent.send(link, query, search)

    def got_hit(self, link: Link, hit: QueryHit) -> None:
        """Pass an answer back; one to a question that never came through here is dropped."""
        asker = self.memory.get(hit.guid)
        if asker is None:
            return
        self._servents.add(hit.servent, link.number, self._servent.now)
        self.count(hit)
        if asker == OURS:
            self.got_answer(hit)
        else:
            self._pass_back(asker, hit)

    def _pass_back(self, asker: int, hit: QueryHit) -> None:
        link = self._servent.links.all.get(asker)
        if link is None or hit.ttl <= 1:
            return
        passed = QueryHit(
            hit.guid,
            hit.ttl - 1,
            min(hit.hops + 1, 255),
            hit.address,
            hit.speed,
            hit.results,
            hit.servent,
            hit.descriptor,
        )
        self._servent.send(link, passed, hit.guid.hex())

    def got_push(self, push: Push) -> None:
        """Pass a push on to a servent that answered through here. One for us ends here: it is for who gives files."""
        towards = self._servents.get(push.servent)
        link = self._servent.links.all.get(towards) if towards else None
        if link is not None and push.ttl > 1 and push.servent != self._servent.guid:
            hops = min(push.hops + 1, 255)
            self._servent.send(link, Push(push.guid, push.ttl - 1, hops, push.servent, push.index, push.address))

    def push(self, hit: QueryHit, index: int, search: str, own: Address) -> None:
        """Ask the servent of a hit to come to us with a file, as it cannot be reached."""
        towards = self._servents.get(hit.servent)
        link = self._servent.links.all.get(towards) if towards else None
        if link is not None:
            ttl = min(hit.hops + 1, 255)
            self._servent.send(link, Push(self._servent.new_guid(), ttl, 0, hit.servent, index, own), search)


def is_firewalled(hit: QueryHit) -> bool:
    """Whether a hit says that its servent cannot be reached."""
    flags = hit.descriptor[5:7] if len(hit.descriptor) > 6 and hit.descriptor[4] >= 2 else _PUSH_FLAGS[False]
    return bool(flags[0] & flags[1] & 1)
