"""A servent: its parts put together, and its inputs given to them."""

from collections.abc import Callable, Iterable
from math import inf
from random import Random
from typing import Any, Final

from contract.overlay_events import NodeJoined, NodeLeft
from peer.errors import WireError
from peer.net.address import Address
from peer.net.http import Request
from peer.overlays.content import Item, Wanted
from peer.overlays.gnutella.links import Link, Other, Stage
from peer.overlays.gnutella.neighbours.doors import Doors
from peer.overlays.gnutella.neighbours.greeting import CHECK
from peer.overlays.gnutella.neighbours.hosts import HostCache
from peer.overlays.gnutella.neighbours.keeping import Dialling, Keeping
from peer.overlays.gnutella.neighbours.standing import Standing
from peer.overlays.gnutella.parameters import Parameters
from peer.overlays.gnutella.routing.giving import Tables
from peer.overlays.gnutella.routing.memory import OURS
from peer.overlays.gnutella.routing.pongs import Pongs
from peer.overlays.gnutella.routing.queries import Queries
from peer.overlays.gnutella.searching.dynamic import DynamicQueries
from peer.overlays.gnutella.searching.searches import Search, Searches, question_of
from peer.overlays.gnutella.searching.walkers import Walkers
from peer.overlays.gnutella.servent import Servent
from peer.overlays.gnutella.sharing.downloads import Downloads
from peer.overlays.gnutella.sharing.uploads import Uploads
from peer.overlays.gnutella.wire.messages import (
    Bye,
    Found,
    Handshake,
    Malformed,
    Patch,
    Ping,
    Pong,
    Push,
    Query,
    QueryHit,
    Reset,
    Walk,
)
from peer.overlays.node import Action, HangUp, Record

OVERLAY: Final = "gnutella"
_LEFT: Final = 200
_SENSELESS: Final = 404


class GnutellaNode:
    """One servent, as a `SharingNode`."""

    def __init__(
        self,
        address: Address,
        known: Iterable[Address] = (),
        *,
        items: Iterable[Item] = (),
        parameters: Parameters | None = None,
        rng: Random,
        record: Record,
        downloads: bool = False,
    ) -> None:
        """With `downloads`, it gets what it finds and gives what it has; otherwise `Fetch` says what it would get."""
        servent = self._servent = Servent(address, items, parameters or Parameters(), rng, record)
        self._hosts: Final = HostCache(address, servent.parameters.neighbours, rng)
        for each in known:
            self._hosts.add(each)
        self._standing: Final = Standing(servent.parameters)
        self._dialling: Final = Dialling(servent)
        self._doors: Final = Doors(servent, self._standing, self._hosts, self._opened)
        self._keeping: Final = Keeping(servent, self._standing, self._hosts, self._dialling, self._doors.call)
        self._pongs: Final = Pongs(servent, self._doors.has_room, self._learn)
        self._keeping.ask_for_hosts = self._pongs.ask_all
        self._tables: Final = Tables(servent, self._standing)
        self._queries: Final = Queries(servent, lambda: self._standing.is_leaf)
        self._searches: Final = Searches(servent, self._push)
        self._dynamic: Final = DynamicQueries(servent, self._searches.led_to_the_end)
        self._walkers: Final = Walkers(servent, self._queries, self._searches, self._dialling)
        self._walkers.may_go = lambda: not self._standing.is_leaf
        self._queries.lead = self._lead
        self._searches.ended = self._dynamic.drop
        self._queries.got_answer = self._searches.got_hit
        self._queries.count = self._dynamic.count
        self._uploads: Final = Uploads(servent)
        self._downloads: Final = Downloads(servent)
        if downloads:
            self._searches.fetch = self._downloads.want
        self._has_joined = False
        self._handlers: Final = self._all_handlers()

    def _all_handlers(self) -> dict[type, Callable[[Link, Any], None]]:
        return {
            Query: self._queries.got_query,
            QueryHit: self._queries.got_hit,
            Ping: self._pongs.got_ping,
            Pong: self._pongs.got_pong,
            Walk: self._walkers.got,
            Reset: self._tables.got,
            Patch: self._tables.got,
            Push: lambda _, push: self._queries.got_push(push),
            Bye: self._got_bye,
            Malformed: lambda link, message: self._servent.err(message.why, link.address),
        }

    def start(self, now: float) -> None:
        self._servent.out.now = now
        self._standing.start(now)
        if not len(self._hosts):
            self._join()
        self._keeping.fill()

    def search(self, name: str, wanted: Wanted, now: float) -> None:
        self._servent.out.now = now
        search = self._searches.begin(name, wanted)
        if not self._servent.links.peers and not self._servent.links.leaves:
            self._searches.end(search, "failed")
        elif self._servent.parameters.search.way == "walk" and not self._standing.is_leaf:
            self._walkers.start(search)
        else:
            self._ask(search)

    def _ask(self, search: Search) -> None:
        """Ask the neighbours: all at once, or in steps if we are an ultrapeer that does so."""
        asked = self._servent.parameters.search
        self._queries.memory.add(search.guid, OURS, self._servent.now)
        query = Query(search.guid, asked.ttl, 0, question_of(search.wanted))
        self._queries.to_leaves(query, None)
        if asked.way == "dynamic" and self._standing.is_ultrapeer:
            search.is_led = self._dynamic.lead(query, None)
        if not search.is_led:
            self._queries.ask(query)

    def _lead(self, link: Link, query: Query) -> bool:
        return self._servent.parameters.search.way == "dynamic" and self._dynamic.lead(query, link)

    def leave(self, now: float, *, by_word: bool) -> None:
        self._servent.out.now = now
        self._keeping.is_over = True
        self._searches.end_all("left")
        self._downloads.end_all()
        self._dynamic.drop_all()
        for link in list(self._servent.links.all.values()):
            if by_word and link.stage is Stage.OPEN:
                self._say_bye(link, _LEFT, "Servent shutdown")
            self._servent.hang_up(link, "left")
        self._servent.out.record(NodeLeft("left", by_word))

    def _say_bye(self, link: Link, code: int, reason: str) -> None:
        self._servent.send(link, Bye(self._servent.new_guid(), 1, 0, code, reason))

    def tick(self, now: float) -> None:
        self._servent.out.now = now
        self._searches.end_late()
        self._dynamic.step()
        self._walkers.end_late()
        self._doors.end_late()
        if self._tables.deadline <= now:
            self._tables.look()
        if self._standing.promote(now):
            self._drop_neighbours("I become an ultrapeer")
        self._keeping.fill()

    def next_deadline(self) -> float:
        if self._keeping.is_over:
            return inf
        return min(
            self._searches.deadline,
            self._dynamic.deadline,
            self._walkers.deadline,
            self._doors.deadline,
            self._keeping.deadline,
            self._tables.deadline,
            self._standing.deadline,
        )

    def take_actions(self) -> list[Action]:
        return self._servent.out.take()

    @property
    def neighbours(self) -> list[Address]:
        links = self._servent.links
        return list(dict.fromkeys(link.address for link in (*links.peers, *links.leaves)))

    @property
    def entries(self) -> int:
        """Addresses and pongs, GUIDs that are remembered, and entries of others' route tables."""
        kept = len(self._hosts) + len(self._pongs) + len(self._queries) + len(self._walkers)
        return kept + self._tables.entries

    @property
    def is_ultrapeer(self) -> bool:
        return self._standing.is_ultrapeer

    def connected(self, link: int, address: Address, now: float) -> None:
        self._servent.out.now = now
        if self._keeping.is_over or not self._dialling.ended(address, link):
            self._servent.out.do(HangUp(link, "not needed"))

    def dial_failed(self, address: Address, reason: str, now: float) -> None:  # noqa: ARG002
        self._servent.out.now = now
        self._dialling.ended(address, None)

    def accepted(self, link: int, source: Address, now: float) -> None:
        self._servent.out.now = now
        self._doors.accepted(link, source)

    def received(self, link: int, message: Any, now: float) -> None:
        self._servent.out.now = now
        known = self._servent.links.all.get(link)
        if known is None:
            if isinstance(message, Handshake):
                self._walkers.answered(link, message)
        elif known.stage is Stage.OPEN:
            self._handle(known, message)
        elif isinstance(message, Handshake):
            self._shake_hands(known, message)

    def _handle(self, link: Link, message: Any) -> None:
        handler = self._handlers.get(type(message))
        if handler is None:
            return
        try:
            handler(link, message)
        except WireError as error:
            self._servent.err(str(error), link.address)
            self._say_bye(link, _SENSELESS, "Senseless message")
            self._drop(link, str(error))

    def _shake_hands(self, link: Link, handshake: Handshake) -> None:
        if link.stage is Stage.CALLING and handshake.get(CHECK):
            self._doors.forget(link.number)
            self._walkers.asked(link, handshake)
            return
        self._doors.got(link, handshake)
        self._keeping.fill()

    def disconnected(self, link: int, reason: str, now: float) -> None:  # noqa: ARG002
        self._servent.out.now = now
        self._walkers.lost(link)
        self._doors.forget(link)
        gone = self._servent.links.remove(link)
        if gone is not None:
            if gone.stage is Stage.CALLED:
                self._hosts.failed(gone.address, now)
            self._lost(gone)

    def upload_asked(self, upload: int, source: Address, request: Request, now: float) -> None:
        self._servent.out.now = now
        self._uploads.asked(upload, source, request)

    def upload_ended(self, upload: int, count: int, now: float) -> None:
        self._servent.out.now = now
        self._uploads.ended(upload, count)

    def download_began(self, download: str, size: int, now: float) -> None:
        self._servent.out.now = now
        self._downloads.began(download, size)

    def download_ended(self, download: str, count: int, problem: str, now: float) -> None:
        self._servent.out.now = now
        self._downloads.ended(download, count, problem)

    def _got_bye(self, link: Link, bye: Bye) -> None:  # noqa: ARG002
        self._drop(link, "they said bye")

    def _drop(self, link: Link, reason: str) -> None:
        self._servent.hang_up(link, reason)
        self._lost(link)

    def _lost(self, link: Link) -> None:
        """Look for somebody in place of a neighbour who is gone."""
        if link.other is Other.LEAF:
            self._tables.changed()
        self._note_ultrapeers()
        self._keeping.fill()

    def _opened(self, link: Link) -> None:
        self._tables.opened(link)
        self._note_ultrapeers()
        if not self._standing.is_leaf and link.other is not Other.LEAF:
            self._pongs.greet(link, needs_hosts=self._keeping.is_short)
        self._join()

    def _note_ultrapeers(self) -> None:
        self._standing.has_ultrapeers(len(self._servent.links.peers), self._servent.now)

    def _drop_neighbours(self, reason: str) -> None:
        for link in list(self._servent.links.all.values()):
            self._servent.hang_up(link, reason)
            self._doors.forget(link.number)

    def _join(self) -> None:
        if not self._has_joined:
            self._has_joined = True
            address, items = str(self._servent.address), len(self._servent.shelf.items)
            self._servent.out.record(NodeJoined(OVERLAY, self._servent.guid.hex(), address, items))

    def _learn(self, address: Address) -> None:
        if self._hosts.add(address) and self._keeping.is_short:
            self._keeping.fill()

    def _push(self, hit: QueryHit, found: Found, search: str) -> None:
        self._queries.push(hit, found.index, search, self._servent.address)
