"""What attackers answer. To pings they answer as all do, so that they are known and stay known."""

from dataclasses import replace
from heapq import nsmallest
from random import Random
from typing import Final

from peer.net.address import Address
from peer.overlays.kademlia.parameters import Parameters
from peer.overlays.kademlia.routing.table import Table
from peer.overlays.kademlia.serving.responder import Responder
from peer.overlays.kademlia.wire.messages import AnnouncePeer, Answer, FindNode, GetPeers, NodeInfo, Refusal


class EclipsingResponder(Responder):
    """Names accomplices alone, takes announcements and keeps none, and says that there are no peers, or lies."""

    def __init__(
        self,
        table: Table,
        parameters: Parameters,
        rng: Random,
        *,
        accomplices: tuple[NodeInfo, ...],
        lies: tuple[Address, ...],
    ) -> None:
        super().__init__(table, parameters, rng)
        self._accomplices: Final = accomplices
        self._lies: Final = lies

    def _find_node(self, query: FindNode, source: Address, now: float) -> Answer:  # noqa: ARG002
        return self._answer(query, source, nodes=self._named(query.target))

    def _get_peers(self, query: GetPeers, source: Address, now: float) -> Answer:
        token = self._tokens.give(source.host, now)
        nodes = self._named(query.info_hash)
        return self._answer(query, source, nodes=nodes, values=self._lies or None, token=token)

    def _announce_peer(self, query: AnnouncePeer, source: Address, now: float) -> Answer | Refusal:  # noqa: ARG002
        return self._answer(query, source)

    def _named(self, target: int) -> tuple[NodeInfo, ...]:
        return tuple(nsmallest(self._parameters.k, self._accomplices, key=lambda each: each.id ^ target))


class PoisoningResponder(Responder):
    """Names the nodes that it knows, and for each key the same false peers."""

    def __init__(self, table: Table, parameters: Parameters, rng: Random, *, lies: tuple[Address, ...]) -> None:
        super().__init__(table, parameters, rng)
        self._lies: Final = lies

    def _get_peers(self, query: GetPeers, source: Address, now: float) -> Answer:
        return replace(super()._get_peers(query, source, now), values=self._lies)
