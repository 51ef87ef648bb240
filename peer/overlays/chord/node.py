"""A node of Chord: what it does with each input."""

from collections.abc import Callable, Sequence
from math import inf
from random import Random
from typing import Any, Final, TypeAlias

from contract.overlay_events import NodeErred, NodeJoined, NodeLeft
from peer.net.address import Address, pack_host
from peer.overlays.chord.context import Context, addresses
from peer.overlays.chord.lookup import Lookup, WhenFound
from peer.overlays.chord.messages import (
    AskNeighbours,
    Done,
    FindNext,
    Leave,
    Message,
    Neighbours,
    Next,
    Notify,
    Ping,
    Retrieve,
    Route,
    Routed,
    Store,
    Values,
)
from peer.overlays.chord.parameters import Parameters
from peer.overlays.chord.ring import Contact
from peer.overlays.chord.routing import Routing
from peer.overlays.chord.storing.getting import Getting
from peer.overlays.chord.storing.keeping import Keeping
from peer.overlays.chord.storing.publishing import Publishing
from peer.overlays.chord.table import Table
from peer.overlays.chord.upkeep import Upkeep
from peer.overlays.content import Item, Wanted, key_of
from peer.overlays.dht import Got, WhenGot
from peer.overlays.node import Action, Outbox, Record
from peer.overlays.parts.packing import ADDRESS_SIZE, Reader, pack_address
from peer.overlays.parts.searches import Searches

OVERLAY: Final = "chord"
_Handler: TypeAlias = Callable[["ChordNode", Address, Any], None]


class ChordNode:
    """Shares items by storing (key of the name, our address), and finds the holders of exact names.

    It is a hash table for whoever builds upon it, too: `put` and `get`.
    """

    def __init__(
        self,
        address: Address,
        items: Sequence[Item],
        known: Sequence[Address],
        *,
        parameters: Parameters,
        random: Random,
        record: Record,
    ) -> None:
        pack_host(address.host)  # Only IPv4 has a place in the messages.
        self._out: Final = Outbox(record)
        self._context: Final = Context(address, parameters, random, self._out)
        self._routing: Final = Routing(self._context)
        self.keeping: Final = Keeping(self._context)
        self._publishing: Final = Publishing(self._context, self.keeping, self.find)
        self._upkeep: Final = Upkeep(self._context, self.keeping, list(known), self.find, self._begin_to_share)
        self._getting: Final = Getting(self._context, self.keeping, self.find)
        self._searches: Final = Searches(self._out)
        self._items: Final = list(items)
        self._has_left = False

    @property
    def table(self) -> Table:
        return self._context.table

    @property
    def contact(self) -> Contact:
        return self._context.own

    @property
    def is_joined(self) -> bool:
        return self._upkeep.is_joined and not self._has_left

    @property
    def neighbours(self) -> list[Address]:
        return list(addresses(self.table.everybody()))

    @property
    def entries(self) -> int:
        return len(self.table.everybody()) + self.keeping.pairs.count

    def start(self, now: float) -> None:
        self._out.now = now
        self._upkeep.join()

    def enter(self, successors: list[Contact], now: float) -> None:
        """Take part with successors that are known already."""
        self._out.now = now
        self._upkeep.enter(successors)

    def share(self, item: Item, now: float) -> None:
        """Let others find that we have an item."""
        self._items.append(item)
        if self.is_joined:
            self.put(item.key, pack_address(self.contact.address), now)

    def put(self, key: bytes, value: bytes, now: float) -> None:
        self._out.now = now
        self._publishing.add((key, value))

    def get(self, key: bytes, search: str, now: float, when_got: WhenGot, most: int | None = None) -> None:
        self._out.now = now
        self._getting.begin(key, search, when_got, most)

    def search(self, name: str, wanted: Wanted, now: float) -> None:
        """Ask for the holders of an exact name. Words mean nothing to a hash: they are looked up as one name, too."""
        self._out.now = now
        self._searches.begin(name, wanted)
        if self.is_joined:
            self._getting.begin(key_of(wanted.text), name, lambda got: self._answer(name, wanted.text, got), None)
        else:
            self._searches.end(name, could_ask=False, hops=None, timeouts=0)

    def _answer(self, name: str, item: str, got: Got) -> None:
        for value in got.values or ():
            if len(value) == ADDRESS_SIZE and value[4:] != bytes(2):
                self._searches.answer(name, item, str(Reader(value).address()), got.hops)
        could_ask = got.values is not None
        self._searches.end(name, could_ask=could_ask, hops=got.hops if could_ask else None, timeouts=got.timeouts)

    def find(self, target: int, search: str, when_found: WhenFound) -> None:
        """Look up whose a place on the ring is."""
        if self._context.parameters.is_recursive:
            self._routing.begin(target, search, when_found)
        else:
            Lookup(self._context, target, search, when_found).begin()

    def leave(self, now: float, *, by_word: bool) -> None:
        self._out.now = now
        if self._has_left:
            return
        if by_word and self.is_joined:
            self._upkeep.say_goodbye()
        self._has_left = True
        self._searches.leave()
        self._context.requests.forget_all()
        self._routing.forget_all()
        self._out.record(NodeLeft("asked to", by_word))

    def tick(self, now: float) -> None:
        self._out.now = now
        if not self._has_left:
            self._context.requests.expire()
            self._routing.expire()
            self._upkeep.tick()
            self._publishing.tick(self._out.now)

    def next_deadline(self) -> float:
        if self._has_left:
            return inf
        return min(
            self._context.requests.next_deadline(),
            self._routing.next_deadline(),
            self._upkeep.next_deadline(),
            self._publishing.next_deadline(),
        )

    def take_actions(self) -> list[Action]:
        return self._out.take()

    def received(self, source: Address, message: Message, now: float) -> None:
        self._out.now = now
        if not self._has_left:
            self._context.suspects.clear(source)
            _HANDLERS[type(message)](self, source, message)

    def refused(self, source: Address, data: bytes, why: str, now: float) -> None:
        del data
        self._out.now = now
        self._out.record(NodeErred(why, str(source)))

    def _begin_to_share(self) -> None:
        own = self.contact
        identifier = f"{own.id:0{(self._context.parameters.bits + 3) // 4}x}"
        self._out.record(NodeJoined(OVERLAY, identifier, str(own.address), len(self._items)))
        for item in self._items:
            self._publishing.add((item.key, pack_address(own.address)))
        self._publishing.begin()

    def _take_answer(self, source: Address, answer: Message) -> None:
        self._context.requests.take_answer(source, answer)

    def _take_find_next(self, source: Address, asked: FindNext) -> None:
        if self._is_off_ring(source, asked.target):
            return
        dead = set(map(self._context.contact, asked.dead))
        nodes = self.table.responsible(asked.target, dead) if self.is_joined else []
        following = None if nodes else self.table.closest_preceding(asked.target, dead)
        told = nodes or ([following] if following else [])
        self._context.send(source, Next(asked.token, bool(nodes), addresses(told), asked.search))

    def _take_route(self, source: Address, route: Route) -> None:
        if self.is_joined and not self._is_off_ring(source, route.target):
            self._routing.take_route(source, route)

    def _is_off_ring(self, source: Address, target: int) -> bool:
        is_off = target >> self._context.parameters.bits != 0
        if is_off:
            self._out.record(NodeErred(f"a place beyond the ring of 2^{self._context.parameters.bits}", str(source)))
        return is_off

    def _take_ask_neighbours(self, source: Address, asked: AskNeighbours) -> None:
        before = self.table.predecessor and self.table.predecessor.address
        self._context.send(source, Neighbours(asked.token, before, addresses(self.table.successors), asked.search))

    def _take_notify(self, source: Address, _: Notify) -> None:
        if self.is_joined:
            self._upkeep.take_notify(source)


_HANDLERS: Final[dict[type, _Handler]] = {
    FindNext: ChordNode._take_find_next,
    Route: ChordNode._take_route,
    Routed: lambda node, _, message: node._routing.take_routed(message),
    AskNeighbours: ChordNode._take_ask_neighbours,
    Notify: ChordNode._take_notify,
    Leave: lambda node, source, message: node._upkeep.take_leave(source, message),
    Ping: lambda node, source, message: node._context.send(source, Done(message.token, message.search)),
    Store: lambda node, source, message: node.keeping.take_store(source, message),
    Retrieve: lambda node, source, message: node.keeping.take_retrieve(source, message),
    Next: ChordNode._take_answer,
    Neighbours: ChordNode._take_answer,
    Done: ChordNode._take_answer,
    Values: ChordNode._take_answer,
}
