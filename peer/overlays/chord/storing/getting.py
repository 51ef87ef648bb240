"""Getting the values of a key: from its own node, or from the next one if that is dead or has none."""

from typing import Final

from peer.overlays.chord.context import Context
from peer.overlays.chord.lookup import Find, Found
from peer.overlays.chord.messages import Retrieve, Values
from peer.overlays.chord.ring import Contact, position_of
from peer.overlays.chord.storing.keeping import MOST_TOTAL, Keeping
from peer.overlays.dht import Got, WhenGot


class Getting:
    """Begins to get values."""

    __slots__ = ("_context", "_find", "_keeping")

    def __init__(self, context: Context, keeping: Keeping, find: Find) -> None:
        self._context: Final = context
        self._keeping: Final = keeping
        self._find: Final = find

    def begin(self, key: bytes, search: str, when_got: WhenGot, most: int | None) -> None:
        parameters = self._context.parameters
        limit = parameters.most_values if most is None else min(most, parameters.most_values)
        retrieval = Retrieval(self._context, self._keeping, key, search, most=limit, when_got=when_got)
        self._find(position_of(key, parameters.bits), search, retrieval.begin)


class Retrieval:
    """Asks one node after the other, and each for one part of the values after the other."""

    __slots__ = (
        "_context", "_had_none", "_hops", "_keeping", "_key", "_most", "_nodes", "_search", "_timeouts", "_values",
        "_when_got",
    )  # fmt: skip

    def __init__(
        self, context: Context, keeping: Keeping, key: bytes, search: str, *, most: int, when_got: WhenGot
    ) -> None:
        self._context: Final = context
        self._keeping: Final = keeping
        self._key: Final = key
        self._search: Final = search
        self._when_got: Final = when_got
        self._most: Final = most
        self._nodes: list[Contact] = []
        self._values: Final[dict[bytes, None]] = {}
        self._had_none = self._hops = self._timeouts = 0

    def begin(self, found: Found) -> None:
        """Go to those who should have the values."""
        self._nodes = list(found.nodes)
        self._hops, self._timeouts = found.hops, found.timeouts
        self._try_next()

    def _try_next(self) -> None:
        if not self._nodes or self._had_none >= self._context.parameters.replicas:
            self._end(0)
        elif self._nodes[0] == self._context.own:
            self._nodes.pop(0)
            self._take_own()
        else:
            self._ask(self._nodes.pop(0))

    def _take_own(self) -> None:
        values = self._keeping.pairs.values(self._key, self._context.out.now)
        if values:
            self._values.update(dict.fromkeys(values[: self._most]))
            self._end(len(values))
        else:
            self._had_none += 1
            self._try_next()

    def _ask(self, node: Contact) -> None:
        first = len(self._values)
        token = self._context.requests.new_token()
        question = Retrieve(token, self._key, first, min(self._most - first, MOST_TOTAL), self._search)
        self._context.ask(node, question, Values, lambda answer: self._take(node, answer), self._lose)

    def _take(self, node: Contact, answer: Values) -> None:
        before = len(self._values)
        self._values.update(dict.fromkeys(answer.values[: self._most - before]))
        if len(self._values) > before and len(self._values) < min(answer.total, self._most):
            self._ask(node)
        elif self._values or answer.total:
            self._end(answer.total)
        else:
            self._had_none += 1
            self._try_next()

    def _lose(self) -> None:
        self._timeouts += 1
        self._try_next()

    def _end(self, total: int) -> None:
        values = tuple(self._values) if self._values or self._had_none or total else None
        self._when_got(Got(values, max(total, len(self._values)), self._hops, self._timeouts))
