"""A node of the DHT: a `DatagramNode` that finds and announces peers, for an overlay of its own or for a client.

In an overlay, `search` looks for the peers of the SHA-1 of an exact name, and what the node shares is announced under
such keys with its own address. A BitTorrent client uses `get_peers`, `announce` and `add_node` with info-hashes.
"""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address
from math import inf
from random import Random
from typing import Final, TypeAlias

from contract.overlay_events import NodeErred, NodeJoined, NodeLeft
from peer.net.address import Address
from peer.overlays.content import Item, Wanted
from peer.overlays.kademlia.core import Core
from peer.overlays.kademlia.ids import BITS, secure_id, to_hex
from peer.overlays.kademlia.parameters import DEFAULT, Parameters
from peer.overlays.kademlia.routing.table import Table
from peer.overlays.kademlia.serving.responder import Responder
from peer.overlays.kademlia.transactions import Question, Transactions
from peer.overlays.kademlia.upkeep import Upkeep
from peer.overlays.kademlia.walks.announcements import Announcements, nobody
from peer.overlays.kademlia.walks.backlog import Backlog
from peer.overlays.kademlia.walks.searches import Searches
from peer.overlays.kademlia.walks.walk import OnPeers, Walk, Walker
from peer.overlays.kademlia.wire.messages import (
    PROTOCOL_ERROR,
    Answer,
    Message,
    NodeInfo,
    Query,
    Refusal,
    UnknownQuery,
)
from peer.overlays.kademlia.wire.reading import transaction_of
from peer.overlays.node import Action, Charge, Outbox, Record, SendTo
from peer.overlays.overlay import Setup

NAME: Final = "kademlia"
Answering: TypeAlias = Callable[[Table, Parameters, Random], Responder]
"""Makes what answers the questions of others."""
_LONGEST_REASON: Final = 80
_EXPIRY_PERIOD: Final = 60.0


def _nothing() -> None:
    """Do nothing at the end."""


class KademliaNode:
    """Asks and answers."""

    def __init__(
        self,
        address: Address,
        *,
        rng: Random,
        record: Record,
        node_id: int | None = None,
        items: Iterable[Item] = (),
        known: Iterable[Address] = (),
        parameters: Parameters = DEFAULT,
        answering: Answering = Responder,
    ) -> None:
        """Without a `node_id`, one is drawn. `known` are the addresses of nodes to join by."""
        if node_id is None:
            node_id = secure_id(address.host, rng) if parameters.has_secure_ids else rng.getrandbits(BITS)
        self._parameters: Final = parameters
        self._items: Final = list(items)
        self._outbox: Final = Outbox(record)
        self.table: Final = Table(NodeInfo(node_id, address), parameters)
        self._transactions: Final = Transactions(self._outbox, parameters, rng)
        core = Core(self.table, self._transactions, parameters, self._outbox, rng)
        walker = Walker(core, known)
        backlog = Backlog(parameters.lookups_at_once)
        self._walker: Final = walker
        self._backlog: Final = backlog
        self._responder: Final = answering(self.table, parameters, rng)
        self._searches: Final = Searches(walker, self._responder.store, self._outbox)
        self._announcements: Final = Announcements(core, walker, backlog)
        self._upkeep: Final = Upkeep(core, walker, backlog)
        self._is_here = False
        self._has_told = False
        self._expires_at = 0.0
        """When to look for stored peers that have expired, if there is a tick anyway."""

    # What a node of an overlay is asked

    def start(self, now: float) -> None:
        self._outbox.now = now
        self._is_here = True
        for bucket in self.table.buckets:
            bucket.changed_at = max(bucket.changed_at, now)
        self._upkeep.join(now)
        self._tell_if_joined(now)

    def search(self, name: str, wanted: Wanted, now: float) -> None:
        self._outbox.now = now
        self._searches.begin(name, wanted, now)

    def leave(self, now: float, *, by_word: bool) -> None:  # noqa: ARG002
        """Stop. The protocol has no word for it: others find out, as their questions are not answered."""
        self._outbox.now = now
        self._searches.end_all()
        self._announcements.stop()
        self._backlog.clear()
        for walk in list(self._walker.walks):
            walk.give_up()
        self._is_here = False
        self._outbox.record(NodeLeft("stopped", by_word=False))

    def tick(self, now: float) -> None:
        self._outbox.now = now
        if not self._is_here:
            return
        for question in self._transactions.expired(now):
            self._not_answered(question, now)
        for question in self._transactions.slow_ones(now):
            question.asker.is_slow(question.about)
        self._upkeep.tick(now)
        self._announcements.tick(now)
        self._tell_if_joined(now)
        if now >= self._expires_at:
            self._responder.store.expire(now)
            self._expires_at = now + _EXPIRY_PERIOD

    def next_deadline(self) -> float:
        if not self._is_here:
            return inf
        return min(self._transactions.deadline, self._upkeep.deadline, self._announcements.deadline)

    def take_actions(self) -> list[Action]:
        return self._outbox.take()

    @property
    def neighbours(self) -> list[Address]:
        return [each.info.address for each in self.table if not each.is_bad(self._parameters)]

    @property
    def entries(self) -> int:
        return len(self.table) + self.table.waiting_count + len(self._responder.store)

    def received(self, source: Address, message: Message, now: float) -> None:
        self._outbox.now = now
        if not self._is_here:
            return
        match message:
            case Answer():
                self._take_answer(source, message, now)
            case Refusal():
                self._take_refusal(source, message)
            case _:
                self._take_query(source, message, now)
        self._tell_if_joined(now)

    def refused(self, source: Address, data: bytes, why: str, now: float) -> None:
        """Bytes came that are no message. If they are a question, whoever asked is told what is wrong with it."""
        self._outbox.now = now
        self._outbox.record(NodeErred(why, str(source)))
        transaction = transaction_of(data)
        if transaction is not None and self._is_here and not self._parameters.is_read_only:
            self._outbox.do(SendTo(source, Refusal(transaction, PROTOCOL_ERROR, why[:_LONGEST_REASON])))

    # What a BitTorrent client asks

    def get_peers(self, info_hash: bytes, now: float, on_peers: OnPeers, on_end: Callable[[], None] = _nothing) -> None:
        """Look for the peers of a torrent: `on_peers` takes new ones as they are found, and after how many hops."""
        self._outbox.now = now
        key = int.from_bytes(info_hash, "big")
        self._tell_stored(key, on_peers)
        self._walker.get_peers(key, on_peers, lambda _: on_end(), now)

    def announce(
        self,
        info_hash: bytes,
        port: int | None,
        now: float,
        on_peers: OnPeers = nobody,
        on_end: Callable[[], None] = _nothing,
    ) -> None:
        """Announce once that a peer for a torrent listens here; without a port, at the one that this node sends from.

        The way there finds the peers of the torrent too, which `on_peers` takes.
        """
        self._outbox.now = now
        key = int.from_bytes(info_hash, "big")
        self._tell_stored(key, on_peers)

        def keep_and_end(walk: Walk) -> None:
            self._keep_ours(walk, key, port)
            on_end()

        self._announcements.announce(key, port, keep_and_end, on_peers)

    def add_node(self, address: Address, now: float) -> None:
        """Get to know a node, from a PORT message or from the `nodes` of a torrent."""
        self._outbox.now = now
        self._upkeep.add(address)

    def add_router(self, address: Address, now: float) -> None:
        """Get to know a node to join by, which is asked again and again as long as nobody else is known."""
        self._outbox.now = now
        self._walker.routers.append(address)
        if self._is_here and self.table.is_empty:
            self._upkeep.join(now)

    def share(self, item: Item, now: float) -> None:
        """Share something more: announce it now and periodically."""
        self._outbox.now = now
        self._items.append(item)
        if self._has_told:
            self._announce(item, now)

    # Inside

    def _tell_stored(self, key: int, on_peers: OnPeers) -> None:
        """Tell the peers that others announced to this very node, which no lookup asks."""
        stored = self._responder.store.peers(key, self._outbox.now)
        if stored:
            on_peers(stored, 0)

    def _keep_ours(self, walk: Walk, key: int, port: int | None) -> None:
        """Store our own announcement here too, if we are one of the k closest and know our host."""
        own, closest = self.table.own, walk.lookup.closest()
        is_close = len(closest) < self._parameters.k or own.id ^ key < (closest[-1].id or 0) ^ key
        if is_close and not IPv4Address(own.address.host).is_unspecified:
            peer = Address(own.address.host, port or own.address.port)
            self._responder.store.add(key, peer, self._outbox.now)

    def _take_query(self, source: Address, query: Query | UnknownQuery, now: float) -> None:
        if self._parameters.is_read_only:
            return
        self._outbox.do(SendTo(source, self._responder.answer(query, source, now)))
        if not isinstance(query, UnknownQuery) and not query.is_read_only:
            self.table.asked(NodeInfo(query.id, source), now)
            self._upkeep.check(query.id)

    def _take_answer(self, source: Address, answer: Answer, now: float) -> None:
        question = self._transactions.take(source, answer)
        if question is None:
            return
        self._outbox.do(Charge(question.search))
        if question.node_id not in {None, answer.id}:
            self.table.gone(NodeInfo(question.node_id or 0, source), now)
        was_empty = self.table.is_empty
        self.table.answered(NodeInfo(answer.id, source), now)
        question.asker.answered(question.about, answer)
        if answer.nodes:
            self._upkeep.heard_of(answer.nodes[: self._parameters.most_candidates])
        self._upkeep.check(answer.id)
        if was_empty and not self.table.is_empty:
            self._upkeep.join(now)

    def _take_refusal(self, source: Address, refusal: Refusal) -> None:
        question = self._transactions.take(source, refusal)
        if question is not None:
            self._outbox.do(Charge(question.search))
            self._outbox.record(NodeErred(f"error {refusal.code}: {refusal.text}", str(source)))
            question.asker.failed(question.about)

    def _not_answered(self, question: Question, now: float) -> None:
        if question.node_id is not None:
            self.table.failed(NodeInfo(question.node_id, question.to), now)
        question.asker.failed(question.about)

    def _tell_if_joined(self, now: float) -> None:
        if self._upkeep.has_joined and not self._has_told:
            self._has_told = True
            own = self.table.own
            self._outbox.record(NodeJoined(NAME, to_hex(own.id), str(own.address), len(self._items)))
            for item in self._items:
                self._announce(item, now)

    def _announce(self, item: Item, now: float) -> None:
        self._announcements.share(int.from_bytes(item.key, "big"), self.table.own.address.port, now)


def node_of(setup: Setup, node_id: int | None = None, answering: Answering = Responder) -> KademliaNode:
    """Make a node as whoever runs it describes it."""
    return KademliaNode(
        setup.address,
        rng=setup.rng,
        record=setup.record,
        node_id=node_id,
        items=setup.items,
        known=setup.known,
        parameters=setup.parameters,
        answering=answering,
    )
