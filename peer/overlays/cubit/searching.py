"""Searches: for each word the way to it, and the entries that the nodes around it keep; then the names are compared."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from peer.overlays.content import Wanted, words_of
from peer.overlays.cubit.context import Context
from peer.overlays.cubit.distance import edit_distance
from peer.overlays.cubit.keeping import Keeping
from peer.overlays.cubit.messages import Contact, FindItems, Items
from peer.overlays.cubit.navigation import Navigation, Reached, Region
from peer.overlays.parts.entry import Entry
from peer.overlays.parts.searches import Searches


class Search:
    """One search. An exact name is compared exactly; of words, each must be near one of the name's."""

    __slots__ = ("_context", "_could_ask", "_found", "_keeping", "_name", "_searches", "_timeouts", "_waits", "_wanted")

    def __init__(self, context: Context, keeping: Keeping, searches: Searches, name: str, wanted: Wanted) -> None:
        self._context: Final = context
        self._keeping: Final = keeping
        self._searches: Final = searches
        self._name: Final = name
        self._wanted: Final = wanted
        self._found: Final[dict[Entry, int]] = {}
        """With the hops to the first node that told of it."""
        self._waits = 0
        self._timeouts = 0
        self._could_ask = False

    def begin(self) -> None:
        parameters = self._context.parameters
        words = words_of(self._wanted.text)[: parameters.most_words]
        self._waits = len(words) + 1
        for word in words:
            region = Region(word, self._forgiven(word), parameters.nearest, parameters.most_nearest)
            Navigation(self._context, region, self._name, partial(self._ask_all, word)).begin()
        self._finish_one()

    def _forgiven(self, word: str) -> int:
        return 0 if self._wanted.is_exact else self._context.parameters.forgiven(word)

    def _ask_all(self, word: str, reached: Reached) -> None:
        self._timeouts += reached.timeouts
        self._waits += len(reached.nodes)
        for node in reached.nodes:
            if node == self._context.own:
                self._add(self._keeping.around(word, self._forgiven(word)), 0)
                self._finish_one()
            else:
                self._ask(word, node, reached.hops[node], 0)
        self._could_ask = self._could_ask or bool(reached.nodes)
        self._finish_one()

    def _ask(self, word: str, node: Contact, hops: int, first: int) -> None:
        question = FindItems(self._context.requests.new_token(), word, self._forgiven(word), first, self._name)

        def take(answer: Items) -> None:
            self._add(answer.entries, hops)
            following = first + len(answer.entries)
            if answer.entries and following < min(answer.total, self._context.parameters.most_answers):
                self._ask(word, node, hops, following)
            else:
                self._finish_one()

        self._context.ask(node.address, question, Items, take, self._lose)

    def _add(self, entries: Sequence[Entry], hops: int) -> None:
        for entry in entries:
            self._found.setdefault(entry, hops)

    def _lose(self) -> None:
        self._timeouts += 1
        self._finish_one()

    def _finish_one(self) -> None:
        self._waits -= 1
        if self._waits == 0:
            self._end()

    def _end(self) -> None:
        for entry, hops in self._found.items():
            if self._matches(entry.name):
                self._searches.answer(self._name, entry.name, str(entry.holder), hops)
        self._searches.end(self._name, could_ask=self._could_ask, hops=None, timeouts=self._timeouts)

    def _matches(self, name: str) -> bool:
        if self._wanted.is_exact:
            return name == self._wanted.text
        words = words_of(name)
        return all(
            any(edit_distance(asked, word) <= self._forgiven(asked) for word in words)
            for asked in words_of(self._wanted.text)
        )
