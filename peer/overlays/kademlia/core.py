"""What all parts of a node work with."""

from dataclasses import dataclass
from random import Random

from peer.overlays.kademlia.parameters import Parameters
from peer.overlays.kademlia.routing.table import Table
from peer.overlays.kademlia.transactions import Transactions
from peer.overlays.node import Outbox


@dataclass(frozen=True, slots=True)
class Core:
    """The state of a node, and its way out."""

    table: Table
    transactions: Transactions
    parameters: Parameters
    outbox: Outbox
    rng: Random

    @property
    def own_id(self) -> int:
        return self.table.own.id
