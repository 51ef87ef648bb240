"""What the parts of a node share."""

from collections.abc import Sequence
from random import Random
from typing import Final

from peer.net.address import Address
from peer.overlays.chord.parameters import Parameters
from peer.overlays.chord.ring import Contact, contact_at
from peer.overlays.chord.table import Table
from peer.overlays.node import Outbox, SendTo
from peer.overlays.parts.requests import Answered, GaveUp, Question, Requests
from peer.overlays.parts.suspects import Suspects


class Context:
    """The table, the questions that wait, and who is suspected to be dead."""

    __slots__ = ("out", "parameters", "random", "requests", "suspects", "table")

    def __init__(self, own: Address, parameters: Parameters, random: Random, out: Outbox) -> None:
        self.out: Final = out
        self.parameters: Final = parameters
        self.random: Final = random
        self.requests: Final = Requests(out, random, parameters.timeout, parameters.tries)
        self.table: Final = Table(
            contact_at(own, parameters.bits),
            parameters.bits,
            parameters.successors,
            routes_by_successors=parameters.routes_by_successors,
        )
        self.suspects: Final = Suspects(parameters.most_suspects)

    @property
    def own(self) -> Contact:
        return self.table.own

    def contact(self, address: Address) -> Contact:
        return contact_at(address, self.parameters.bits)

    def contacts(self, addresses: tuple[Address, ...]) -> list[Contact]:
        """Return the nodes at addresses that another node told, without those that are suspected."""
        return [node for node in map(self.contact, addresses) if not self.is_suspect(node)]

    def send(self, to: Address, message: Question) -> None:
        self.out.do(SendTo(to, message, message.search))

    def ask(self, node: Contact, question: Question, expects: type, answered: Answered, gave_up: GaveUp) -> None:
        """Ask a node. If it does not answer, it is forgotten before `gave_up` is called."""

        def forget() -> None:
            self.suspect(node)
            gave_up()

        self.requests.ask(node.address, question, expects, answered, forget)

    def suspect(self, node: Contact) -> None:
        """Forget a node, and do not take it back for a while when others name it."""
        self.table.drop(node)
        self.suspects.add(node.address, self.out.now + self.parameters.suspect_for)

    def is_suspect(self, node: Contact) -> bool:
        return self.suspects.has(node.address, self.out.now)

    def wait(self, mean: float) -> float:
        """Draw a time that is `mean` from now on average, so that the nodes' rounds do not coincide."""
        return self.out.now + self.random.uniform(0.5, 1.5) * mean


def addresses(nodes: Sequence[Contact]) -> tuple[Address, ...]:
    """Return the addresses of nodes."""
    return tuple(node.address for node in nodes)
