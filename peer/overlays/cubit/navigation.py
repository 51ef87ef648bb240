"""The way to a word: ask those who are nearest, as far as known, for those who are nearer, on several ways at once.

It ends when all have been asked that lie within the forgiven edits of the word, or, if these are few, the nearest ones:
as the authors describe it, the search gradually zooms in and then covers the region.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from peer.overlays.cubit.context import Context
from peer.overlays.cubit.distance import edit_distance
from peer.overlays.cubit.messages import Contact, FindNodes, Nodes


@dataclass(frozen=True, slots=True)
class Reached:
    """The nodes around a word that answered, the nearest first, and how many had to be asked to know of each."""

    nodes: list[Contact]
    hops: dict[Contact, int]
    timeouts: int


WhenReached: TypeAlias = Callable[[Reached], None]


@dataclass(frozen=True, slots=True)
class Region:
    """What counts as around a word: all within an edit distance, but at least and at most so many nodes."""

    word: str
    edits: int
    least: int
    most: int


class Navigation:
    """One way to one word."""

    __slots__ = (
        "_answered", "_asked", "_context", "_distances", "_hops", "_is_over", "_region", "_search", "_timeouts",
        "_waiting", "_when_reached",
    )  # fmt: skip

    def __init__(self, context: Context, region: Region, search: str, when_reached: WhenReached) -> None:
        self._context: Final = context
        self._region: Final = region
        self._search: Final = search
        self._when_reached: Final = when_reached
        self._hops: Final[dict[Contact, int]] = {}
        self._distances: Final[dict[Contact, tuple[int, Contact]]] = {}
        """Of all that are known and not dead; what they are sorted by."""
        self._asked: Final[set[Contact]] = set()
        self._answered: Final[set[Contact]] = set()
        self._waiting = 0
        self._timeouts = 0
        self._is_over = False

    def begin(self, entry: Contact | None = None) -> None:
        """Begin with our own neighbours and ourselves; or with another node, if we have none yet."""
        if entry is None:
            own = self._context.own
            self._add([own], 0)
            self._asked.add(own)
            self._answered.add(own)
            self._add(self._context.table.nearest(self._region.word, self._context.parameters.fan_out), 1)
        else:
            self._add([entry], 1)
        self._go_on()

    def _add(self, contacts: Iterable[Contact], hops: int) -> None:
        for contact in contacts:
            if contact not in self._hops:
                self._hops[contact] = hops
                self._distances[contact] = (edit_distance(self._region.word, contact.word), contact)

    def _around(self) -> list[Contact]:
        """Return those who are around the word, as far as known."""
        ordered = sorted(self._distances.values())
        within = sum(distance <= self._region.edits for distance, _ in ordered)
        return [contact for _, contact in ordered[: min(max(within, self._region.least), self._region.most)]]

    def _go_on(self) -> None:
        if self._is_over:
            return
        around = self._around()
        left = [contact for contact in around if contact not in self._asked]
        if (not left and not self._waiting) or len(self._asked) >= self._context.parameters.most_steps:
            self._is_over = True
            nodes = [contact for contact in around if contact in self._answered]
            self._when_reached(Reached(nodes, self._hops, self._timeouts))
            return
        for contact in left[: self._context.parameters.paths - self._waiting]:
            self._ask(contact)

    def _ask(self, contact: Contact) -> None:
        self._asked.add(contact)
        self._waiting += 1
        token, most = self._context.requests.new_token(), self._context.parameters.fan_out
        question = FindNodes(token, self._region.word, most, self._context.own.word, self._search)
        self._context.ask(
            contact.address, question, Nodes, lambda answer: self._take(contact, answer), lambda: self._lose(contact)
        )

    def _take(self, contact: Contact, answer: Nodes) -> None:
        self._waiting -= 1
        self._learn_word(contact, answer.own)
        own = self._context.own.address
        named = [node for node in answer.nodes[: self._context.parameters.fan_out] if node.word and node.address != own]
        alive = [node for node in named if not self._context.suspects.has(node.address, self._context.out.now)]
        self._context.learn(alive)
        self._add(alive, self._hops[contact] + 1)
        self._go_on()

    def _learn_word(self, contact: Contact, word: str) -> None:
        """A node tells its word itself; those who named it may have been wrong, or knew only its address."""
        told = Contact(word or contact.word, contact.address)
        if told != contact:
            self._distances.pop(contact, None)
            self._add([told], self._hops[contact])
            self._asked.add(told)
        self._answered.add(told)
        self._context.learn([told])

    def _lose(self, contact: Contact) -> None:
        self._waiting -= 1
        self._timeouts += 1
        self._distances.pop(contact, None)
        self._go_on()
