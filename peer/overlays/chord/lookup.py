"""Looking a place up iteratively: this node asks one node after the other, each nearer to the place.

A hop is a node that was asked on the way and answered: the fingers that were followed until the place's predecessor was
reached. That is what the paper's derivation of (1/2) log2 N counts, and its measurement on the Internet ("four for the
lookup, and a final message to the successor"); the message to the place's own node is not one. Where the way ends in a
dead node, the node that named it is asked again and told so: it names the next best finger or successor.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from peer.overlays.chord.context import Context, addresses
from peer.overlays.chord.messages import FindNext, Next
from peer.overlays.chord.ring import Contact, is_between

MOST_DEAD_TOLD: Final = 32


@dataclass(frozen=True, slots=True)
class Found:
    """A place's own node and those after it; empty if the lookup failed."""

    nodes: list[Contact]
    hops: int
    timeouts: int


WhenFound: TypeAlias = Callable[[Found], None]
Find: TypeAlias = Callable[[int, str, WhenFound], None]
"""Looks a place up for the search of a name."""


class Lookup:
    """One lookup. `way` are the nodes that were asked and are not dead, the last one nearest to the place."""

    __slots__ = ("_context", "_dead", "_search", "_steps", "_target", "_timeouts", "_way", "_when_found")

    def __init__(self, context: Context, target: int, search: str, when_found: WhenFound) -> None:
        self._context: Final = context
        self._target: Final = target
        self._search: Final = search
        self._when_found: Final = when_found
        self._way: Final[list[Contact]] = []
        self._dead: Final[dict[Contact, None]] = {}
        self._steps = 0
        self._timeouts = 0

    def begin(self, entry: Contact | None = None) -> None:
        """Begin with our own table; or with another node, if we have none yet."""
        if entry is not None:
            self._ask(entry)
        else:
            self._go_on_here()

    def _go_on_here(self) -> None:
        nodes = self._context.table.responsible(self._target, self._dead)
        following = None if nodes else self._context.table.closest_preceding(self._target, self._dead)
        if following is None:
            self._end(nodes)
        else:
            self._ask(following)

    def _ask(self, node: Contact) -> None:
        self._steps += 1
        if self._steps > self._context.parameters.most_steps:
            self._end([])
            return
        dead = addresses(list(self._dead)[-MOST_DEAD_TOLD:])
        question = FindNext(self._context.requests.new_token(), self._target, dead, self._search)
        self._context.ask(node, question, Next, lambda answer: self._take(node, answer), lambda: self._lose(node))

    def _take(self, node: Contact, answer: Next) -> None:
        if not self._way or self._way[-1] != node:
            self._way.append(node)
        nodes = [other for other in map(self._context.contact, answer.nodes) if other not in self._dead]
        if answer.is_final and nodes:
            self._end(nodes)
        elif nodes and self._is_nearer(node, nodes[0]):
            self._ask(nodes[0])
        else:
            self._go_back(node)

    def _is_nearer(self, node: Contact, following: Contact) -> bool:
        """Whether the way goes forward, so that it ends, whatever nodes answer."""
        return is_between(following.id, node.id, self._target)

    def _lose(self, node: Contact) -> None:
        self._timeouts += 1
        self._dead[node] = None
        if self._way and self._way[-1] == node:
            self._way.pop()
        self._ask_last()

    def _go_back(self, node: Contact) -> None:
        """Go on before a node that lives but knows no way."""
        self._dead[node] = None
        self._way.pop()
        self._ask_last()

    def _ask_last(self) -> None:
        if self._way:
            self._ask(self._way[-1])
        else:
            self._go_on_here()

    def _end(self, nodes: list[Contact]) -> None:
        self._when_found(Found(nodes, len(self._way), self._timeouts))
