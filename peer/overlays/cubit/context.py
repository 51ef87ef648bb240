"""What the parts of a node share."""

from collections.abc import Callable, Iterable
from random import Random
from typing import Final

from peer.net.address import Address
from peer.overlays.cubit.messages import Contact
from peer.overlays.cubit.parameters import Parameters
from peer.overlays.cubit.table import Table
from peer.overlays.node import Outbox, SendTo
from peer.overlays.parts.requests import Answered, GaveUp, Question, Requests
from peer.overlays.parts.suspects import Suspects


class Context:
    """The neighbours, the questions that wait, and who is suspected to be dead."""

    __slots__ = ("_when_leaf", "out", "parameters", "random", "requests", "suspects", "table")

    def __init__(self, own: Contact, parameters: Parameters, random: Random, out: Outbox) -> None:
        self.out: Final = out
        self.parameters: Final = parameters
        self.random: Final = random
        self.requests: Final = Requests(out, random, parameters.timeout, parameters.tries)
        self.table: Final = Table(own, parameters.a_ring, parameters.rings, parameters.leaves)
        self.suspects: Final = Suspects(parameters.most_suspects)
        self._when_leaf: Callable[[Contact], None] = lambda _: None

    @property
    def own(self) -> Contact:
        return self.table.own

    def rename(self, word: str) -> None:
        """Take another word. Rings are measured from it, so all neighbours are put into theirs again."""
        known = self.table.all()
        for contact in known:
            self.table.drop(contact.address)
        self.table.own = Contact(word, self.own.address)
        self.learn(known)

    def when_leaf(self, do: Callable[[Contact], None]) -> None:
        """Call this with each node that becomes one of the nearest."""
        self._when_leaf = do

    def learn(self, contacts: Iterable[Contact]) -> None:
        """Somebody named these nodes."""
        for contact in contacts:
            if contact.word and not self.suspects.has(contact.address, self.out.now) and self.table.add(contact):
                self._when_leaf(contact)

    def send(self, to: Address, message: Question) -> None:
        self.out.do(SendTo(to, message, message.search))

    def ask(self, to: Address, question: Question, expects: type, answered: Answered, gave_up: GaveUp) -> None:
        """Ask a node. If it does not answer, it is forgotten before `gave_up` is called."""

        def forget() -> None:
            self.table.drop(to)
            self.suspects.add(to, self.out.now + self.parameters.suspect_for)
            gave_up()

        self.requests.ask(to, question, expects, answered, forget)

    def wait(self, mean: float) -> float:
        """Draw a time that is `mean` from now on average."""
        return self.out.now + self.random.uniform(0.5, 1.5) * mean
