"""Looking a place up recursively: each node passes the question on, and the last one tells whoever asked.

The next node's receipt tells that it lives; without one, the question goes to the next best node. Hops are counted as
in an iterative lookup: the nodes that the question came to.
"""

from dataclasses import dataclass
from math import inf
from typing import Final

from peer.net.address import Address
from peer.overlays.chord.context import Context, addresses
from peer.overlays.chord.lookup import Found, WhenFound
from peer.overlays.chord.messages import Done, Route, Routed
from peer.overlays.chord.ring import Contact

MOST_HOPS: Final = 255


@dataclass(slots=True)
class _Asked:
    when_found: WhenFound
    deadline: float


class Routing:
    """The questions that this node asked, and those of others that it passes on."""

    __slots__ = ("_asked", "_context", "_forwarded")

    def __init__(self, context: Context) -> None:
        self._context: Final = context
        self._asked: Final[dict[int, _Asked]] = {}
        """In the order of their deadlines, as each has the same time."""
        self._forwarded = 0

    def begin(self, target: int, search: str, when_found: WhenFound) -> None:
        """Ask who a place belongs to."""
        nodes = self._context.table.responsible(target)
        if nodes:
            when_found(Found(nodes, 0, 0))
            return
        question = self._context.requests.new_token()
        deadline = self._context.out.now + self._context.parameters.recursive_timeout
        self._asked[question] = _Asked(when_found, deadline)
        self._pass_on(Route(0, target, self._context.own.address, question, 0, search), {})

    def take_route(self, source: Address, route: Route) -> None:
        """Somebody passed a question on to us."""
        if self._forwarded >= self._context.parameters.most_forwarded:
            return  # Without a receipt, the sender tries another node.
        self._context.send(source, Done(route.token, route.search))
        nodes = self._context.table.responsible(route.target)
        if nodes:
            self._tell(route, nodes)
        else:
            self._pass_on(route, {})

    def take_routed(self, answer: Routed) -> None:
        """A question was answered, by whichever node it came to."""
        asked = self._asked.pop(answer.token, None)
        if asked is not None:
            asked.when_found(Found(list(map(self._context.contact, answer.nodes)), answer.hops, 0))

    def expire(self) -> None:
        """Give up what was not answered in time."""
        while self._asked and self.next_deadline() <= self._context.out.now:
            question = next(iter(self._asked))
            self._asked.pop(question).when_found(Found([], 0, 1))

    def next_deadline(self) -> float:
        return next(iter(self._asked.values())).deadline if self._asked else inf

    def forget_all(self) -> None:
        self._asked.clear()

    def _pass_on(self, route: Route, dead: dict[Contact, None]) -> None:
        nodes = self._context.table.responsible(route.target, dead) if dead else []
        following = self._context.table.closest_preceding(route.target, dead)
        if nodes or following is None or route.hops == MOST_HOPS:
            self._tell(route, nodes)
            return
        token = self._context.requests.new_token()
        question = Route(token, route.target, route.origin, route.question, route.hops + 1, route.search)
        self._forwarded += 1
        self._context.ask(
            following, question, Done, self._count_receipt, lambda: self._try_another(route, {**dead, following: None})
        )

    def _count_receipt(self, _: Done) -> None:
        self._forwarded -= 1

    def _try_another(self, route: Route, dead: dict[Contact, None]) -> None:
        self._forwarded -= 1
        self._pass_on(route, dead)

    def _tell(self, route: Route, nodes: list[Contact]) -> None:
        answer = Routed(route.question, route.hops, addresses(nodes), route.search)
        if route.origin == self._context.own.address:
            self.take_routed(answer)
        else:
            self._context.send(route.origin, answer)
