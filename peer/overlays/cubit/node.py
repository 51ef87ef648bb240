"""A node of Cubit: what it does with each input."""

from collections.abc import Callable, Sequence
from math import inf
from random import Random
from typing import Any, Final, TypeAlias

from contract.overlay_events import UPKEEP, NodeErred, NodeJoined, NodeLeft
from peer.net.address import Address, pack_host
from peer.overlays.content import Item, Wanted
from peer.overlays.cubit.context import Context
from peer.overlays.cubit.keeping import MOST_TOTAL, Keeping
from peer.overlays.cubit.messages import (
    Contact,
    Done,
    FindItems,
    FindNodes,
    Gossip,
    Items,
    Keep,
    Kept,
    Leave,
    Message,
    Nodes,
)
from peer.overlays.cubit.navigation import Navigation, Reached, Region
from peer.overlays.cubit.parameters import Parameters
from peer.overlays.cubit.publishing import Publishing
from peer.overlays.cubit.searching import Search
from peer.overlays.cubit.table import Table
from peer.overlays.cubit.wire import MOST_WORD
from peer.overlays.node import Action, Outbox, Record
from peer.overlays.parts.entry import MOST_NAME, Entry
from peer.overlays.parts.searches import Searches

OVERLAY: Final = "cubit"
MOST_GREETED: Final = 32
_Handler: TypeAlias = Callable[["CubitNode", Address, Any], None]


class CubitNode:
    """Lies at a word among the words, keeps entries of words near its own, and finds what is nearly spelt so.

    `words` are those that it would take as its identifier: the first that no other node has. Who runs it draws them
    from the words of items that are known, as the authors have a node draw one at chance when it joins.
    """

    def __init__(
        self,
        address: Address,
        words: Sequence[str],
        items: Sequence[Item],
        known: Sequence[Address],
        *,
        parameters: Parameters,
        random: Random,
        record: Record,
    ) -> None:
        pack_host(address.host)  # Only IPv4 has a place in the messages.
        if not words or any(not 0 < len(word.encode()) <= MOST_WORD for word in words):
            raise ValueError(f"a node needs words of 1 to {MOST_WORD} bytes")
        self._out: Final = Outbox(record)
        self._context: Final = Context(Contact(words[0], address), parameters, random, self._out)
        self.keeping: Final = Keeping(self._context)
        self._context.when_leaf(self._greet)
        self._greeted: Final[set[Contact]] = set()
        """New neighbours that were not heard yet."""
        self._publishing: Final = Publishing(self._context, self.keeping)
        self._searches: Final = Searches(self._out)
        self._words: Final = list(words)
        self._items: Final = list(items)
        self._known: Final = [other for other in known if other != address]
        self._gossip_at = self._rejoin_at = inf
        self._is_joined = self._has_left = False

    @property
    def table(self) -> Table:
        return self._context.table

    @property
    def contact(self) -> Contact:
        return self._context.own

    @property
    def is_joined(self) -> bool:
        return self._is_joined and not self._has_left

    @property
    def neighbours(self) -> list[Address]:
        return [contact.address for contact in self.table.all()]

    @property
    def entries(self) -> int:
        return len(self.table) + self.keeping.entries.count

    def start(self, now: float) -> None:
        self._out.now = now
        self._join()

    def _join(self) -> None:
        """Find those around our word; if one of them has it, try the next word."""
        self._rejoin_at = inf
        if not self._known:
            self.enter((), self._out.now)
            return
        self._known.append(self._known.pop(0))
        entry = Contact("", self._known[-1])
        region = Region(self.contact.word, 0, self._context.parameters.leaves, self._context.parameters.leaves)
        Navigation(self._context, region, UPKEEP, self._take_place).begin(entry)

    def _take_place(self, reached: Reached) -> None:
        if not reached.nodes:
            self._rejoin_at = self._out.now + self._context.parameters.rejoin_after
        elif any(node.word == self.contact.word for node in reached.nodes) and len(self._words) > 1:
            self._words.pop(0)
            self._context.rename(self._words[0])
            self._join()
        else:
            self.enter(reached.nodes, self._out.now)

    def enter(self, nodes: Sequence[Contact], now: float) -> None:
        """Take part from now on, with neighbours that are known already."""
        self._out.now = now
        self._context.learn(nodes)
        self._gossip_at = self._context.wait(self._context.parameters.gossip_every)
        self._is_joined = True
        self._out.record(NodeJoined(OVERLAY, self.contact.word, str(self.contact.address), len(self._items)))
        for item in self._items:
            self._publish(item)
        self._publishing.begin()

    def share(self, item: Item, now: float) -> None:
        """Let others find that we have an item."""
        self._out.now = now
        self._items.append(item)
        if self.is_joined:
            self._publish(item)

    def _publish(self, item: Item) -> None:
        if len(item.name.encode()) > MOST_NAME or any(len(word.encode()) > MOST_WORD for word in item.words):
            why = f"a name is longer than {MOST_NAME} bytes, or a word than {MOST_WORD}: not shared"
            self._out.record(NodeErred(why, str(self.contact.address)))
            return
        for word in item.words:
            lifetime = min(int(self._context.parameters.lifetime), MOST_TOTAL)
            self._publishing.add(Kept(word, Entry(self.contact.address, item.name), lifetime))

    def search(self, name: str, wanted: Wanted, now: float) -> None:
        self._out.now = now
        self._searches.begin(name, wanted)
        if self.is_joined:
            Search(self._context, self.keeping, self._searches, name, wanted).begin()
        else:
            self._searches.end(name, could_ask=False, hops=None, timeouts=0)

    def leave(self, now: float, *, by_word: bool) -> None:
        self._out.now = now
        if self._has_left:
            return
        if by_word and self.is_joined:
            self.keeping.give_all()
            for address in self.neighbours:
                self._context.send(address, Leave(self._context.requests.new_token()))
        self._has_left = True
        self._searches.leave()
        self._context.requests.forget_all()
        self._out.record(NodeLeft("asked to", by_word))

    def tick(self, now: float) -> None:
        self._out.now = now
        if self._has_left:
            return
        self._context.requests.expire()
        self._publishing.tick(self._out.now)
        if self._rejoin_at <= now:
            self._join()
        if self._gossip_at <= now:
            self._gossip_at = self._context.wait(self._context.parameters.gossip_every)
            self._gossip()

    def next_deadline(self) -> float:
        if self._has_left:
            return inf
        waits = (self._context.requests.next_deadline(), self._publishing.next_deadline())
        return min(*waits, self._gossip_at, self._rejoin_at)

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

    def _gossip(self) -> None:
        """Exchange some neighbours with one of them, near or far by chance; drop what is old."""
        self.keeping.entries.drop_old(self._out.now)
        neighbours = self.table.all()
        if not neighbours:
            if self._known:
                self._join_again()
            return
        partner = self._context.random.choice(neighbours)
        question = Gossip(self._context.requests.new_token(), self.contact.word, self._some())
        self._context.ask(
            partner.address, question, Nodes, lambda answer: self._context.learn(answer.nodes), lambda: None
        )

    def _greet(self, leaf: Contact) -> None:
        """A node became one of our nearest. Before it gets anything, it must be heard at the address that it claims."""
        if leaf in self._greeted or len(self._greeted) >= MOST_GREETED or not self.keeping.has_for(leaf):
            return
        self._greeted.add(leaf)
        question = Gossip(self._context.requests.new_token(), self.contact.word, self._some())
        self._context.ask(
            leaf.address, question, Nodes, lambda answer: self._give(leaf, answer), lambda: self._greeted.discard(leaf)
        )

    def _give(self, leaf: Contact, answer: Nodes) -> None:
        self._greeted.discard(leaf)
        self.keeping.give_to(Contact(answer.own, leaf.address))
        self._context.learn(answer.nodes)

    def _join_again(self) -> None:
        entry = Contact("", self._context.random.choice(self._known))
        region = Region(self.contact.word, 0, self._context.parameters.leaves, self._context.parameters.leaves)
        Navigation(self._context, region, UPKEEP, lambda reached: self._context.learn(reached.nodes)).begin(entry)

    def _some(self) -> tuple[Contact, ...]:
        neighbours = self.table.all()
        return tuple(self._context.random.sample(neighbours, min(self._context.parameters.gossips, len(neighbours))))

    def _take_gossip(self, source: Address, gossip: Gossip) -> None:
        near = self.table.nearest(gossip.asker, self._context.parameters.gossips)
        told = tuple(dict.fromkeys((*near, *self._some())))
        self._context.learn([Contact(gossip.asker, source), *gossip.nodes])
        self._context.send(source, Nodes(gossip.token, self.contact.word, told, gossip.search))

    def _take_find_nodes(self, source: Address, asked: FindNodes) -> None:
        near = self.table.nearest(asked.word, min(asked.most, self._context.parameters.fan_out))
        self._context.learn([Contact(asked.asker, source)])
        self._context.send(source, Nodes(asked.token, self.contact.word, tuple(near), asked.search))

    def _take_answer(self, source: Address, answer: Message) -> None:
        self._context.requests.take_answer(source, answer)


_HANDLERS: Final[dict[type, _Handler]] = {
    FindNodes: CubitNode._take_find_nodes,
    Gossip: CubitNode._take_gossip,
    FindItems: lambda node, source, message: node.keeping.take_find_items(source, message),
    Keep: lambda node, source, message: node.keeping.take_keep(source, message),
    Leave: lambda node, source, _: node.table.drop(source),
    Nodes: CubitNode._take_answer,
    Items: CubitNode._take_answer,
    Done: CubitNode._take_answer,
}
