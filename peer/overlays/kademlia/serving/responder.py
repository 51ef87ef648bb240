"""Answers to the questions of others."""

from collections.abc import Callable
from random import Random
from typing import Any, Final

from peer.net.address import Address
from peer.overlays.kademlia.parameters import Parameters
from peer.overlays.kademlia.routing.table import Table
from peer.overlays.kademlia.serving.store import PeerStore
from peer.overlays.kademlia.serving.tokens import Tokens
from peer.overlays.kademlia.wire.messages import (
    METHOD_UNKNOWN,
    PROTOCOL_ERROR,
    AnnouncePeer,
    Answer,
    FindNode,
    GetPeers,
    Ping,
    Query,
    Refusal,
    UnknownQuery,
)


class Responder:
    """Answers from the routing table and the store."""

    def __init__(self, table: Table, parameters: Parameters, rng: Random) -> None:
        self.store: Final = PeerStore(parameters, rng)
        self._table: Final = table
        self._parameters: Final = parameters
        self._tokens: Final = Tokens(parameters.secret_period, rng)
        self._answers: Final[dict[type, Callable[[Any, Address, float], Answer | Refusal]]] = {
            Ping: self._ping,
            FindNode: self._find_node,
            GetPeers: self._get_peers,
            AnnouncePeer: self._announce_peer,
            UnknownQuery: _unknown,
        }

    def answer(self, query: Query | UnknownQuery, source: Address, now: float) -> Answer | Refusal:
        """Answer a question that came from `source`."""
        return self._answers[type(query)](query, source, now)

    def _answer(self, query: Query, source: Address, **returned: Any) -> Answer:
        ip = source if self._parameters.has_secure_ids else None
        return Answer(query.transaction, self._table.own.id, ip=ip, **returned)

    def _ping(self, query: Ping, source: Address, _now: float) -> Answer:
        return self._answer(query, source)

    def _find_node(self, query: FindNode, source: Address, now: float) -> Answer:
        return self._answer(query, source, nodes=tuple(self._table.closest(query.target, self._parameters.k, now)))

    def _get_peers(self, query: GetPeers, source: Address, now: float) -> Answer:
        """Name peers, and nodes in any case: BEP 5 asks for one of both, but then no lookup would get past a holder."""
        peers = self.store.peers(query.info_hash, now)
        return self._answer(
            query,
            source,
            nodes=tuple(self._table.closest(query.info_hash, self._parameters.k, now)),
            values=tuple(peers) if peers else None,
            token=self._tokens.give(source.host, now),
        )

    def _announce_peer(self, query: AnnouncePeer, source: Address, now: float) -> Answer | Refusal:
        if not self._tokens.accepts(query.token, source.host, now):
            return Refusal(query.transaction, PROTOCOL_ERROR, "Bad token")
        port = source.port if query.has_implied_port else query.port
        self.store.add(query.info_hash, Address(source.host, port), now)
        return self._answer(query, source)


def _unknown(query: UnknownQuery, _source: Address, _now: float) -> Refusal:
    return Refusal(query.transaction, METHOD_UNKNOWN, "Method Unknown")
