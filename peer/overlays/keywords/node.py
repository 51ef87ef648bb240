"""A node that finds items by words, upon a node of any hash table.

The lists of popular words are long, and are sent whole: that is what this costs, and what Bloom filters and caches were
proposed against. Asking first how long each list is, and getting only the shortest, saves most of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contract.overlay_events import NodeErred
from peer.errors import WireError
from peer.net.address import Address
from peer.overlays.content import Item, Wanted, words_of
from peer.overlays.dht import Got, HashTableNode
from peer.overlays.keywords.keys import key_of_word
from peer.overlays.node import Action, Outbox, Record
from peer.overlays.parts.entry import MOST_NAME, Entry, decode_entry
from peer.overlays.parts.searches import Searches


@dataclass(frozen=True, slots=True)
class Parameters:
    """How lists are asked for."""

    rarest_only: bool = True
    """Whether to ask for the length of each list and get the shortest, or to get all and intersect them."""
    most_words: int = 16
    """Of a search; further words are compared with the names of what was found."""


class KeywordNode:
    """Puts each item under each of its words when it starts; everything but `search` is the other node's."""

    def __init__(
        self, below: HashTableNode, address: Address, items: Sequence[Item], parameters: Parameters, record: Record
    ) -> None:
        self.below: Final = below
        self._address: Final = address
        self._items: Final = list(items)
        self._parameters: Final = parameters
        self._out: Final = Outbox(record)
        self._searches: Final = Searches(self._out)

    def start(self, now: float) -> None:
        self.below.start(now)
        for item in self._items:
            self._put(item, now)

    def share(self, item: Item, now: float) -> None:
        """Let others find that we have an item."""
        self._put(item, now)

    def search(self, name: str, wanted: Wanted, now: float) -> None:
        """Find all items that have all words; if the exact name is wanted, those whose name it is."""
        self._out.now = now
        self._searches.begin(name, wanted)
        words = words_of(wanted.text)[: self._parameters.most_words]
        if words:
            question = _Question(self, name, wanted, words)
            question.begin(is_counted=self._parameters.rarest_only and len(words) > 1)
        else:
            self._searches.end(name, could_ask=True, hops=None, timeouts=0)

    def leave(self, now: float, *, by_word: bool) -> None:
        self._out.now = now
        self._searches.leave()
        self.below.leave(now, by_word=by_word)

    def received(self, source: Address, message: Any, now: float) -> None:
        self._out.now = now
        self.below.received(source, message, now)

    def refused(self, source: Address, data: bytes, why: str, now: float) -> None:
        self.below.refused(source, data, why, now)

    def tick(self, now: float) -> None:
        self._out.now = now
        self.below.tick(now)

    def next_deadline(self) -> float:
        return self.below.next_deadline()

    def take_actions(self) -> list[Action]:
        return self.below.take_actions()

    @property
    def neighbours(self) -> list[Address]:
        return self.below.neighbours

    @property
    def entries(self) -> int:
        return self.below.entries

    def _put(self, item: Item, now: float) -> None:
        if len(item.name.encode()) > MOST_NAME:
            self._out.now = now
            self._out.record(NodeErred(f"a name is longer than {MOST_NAME} bytes: not shared", str(self._address)))
            return
        for word in item.words:
            self.below.put(key_of_word(word), Entry(self._address, item.name).encode(), now)

    def get(self, word: str, question: "_Question", most: int | None) -> None:
        """Ask for the list of a word, or, with 0, for its length."""
        self.below.get(
            key_of_word(word), question.name, self._out.now, lambda got: question.take(word, got, most), most
        )

    def end(self, question: "_Question", answers: list[Entry], *, could_ask: bool) -> None:
        """Tell what a search found."""
        if self._searches.is_under_way(question.name):
            for entry in answers:
                self._searches.answer(question.name, entry.name, str(entry.holder), question.hops)
            hops = question.hops if could_ask else None
            self._searches.end(question.name, could_ask=could_ask, hops=hops, timeouts=question.timeouts)


class _Question:
    """One search: lengths of lists if these are asked for, then lists, then what is in all of them."""

    __slots__ = ("_lengths", "_lists", "_node", "_waits", "_wanted", "_words", "hops", "name", "timeouts")

    def __init__(self, node: KeywordNode, name: str, wanted: Wanted, words: Sequence[str]) -> None:
        self._node: Final = node
        self.name: Final = name
        self._wanted: Final = wanted
        self._words: Final = words
        self._waits = 0
        self._lengths: Final[dict[str, int]] = {}
        self._lists: Final[list[list[Entry]]] = []
        self.hops = 0
        """Of the longest lookup."""
        self.timeouts = 0

    def begin(self, *, is_counted: bool) -> None:
        self._ask(self._words, 0 if is_counted else None)

    def _ask(self, words: Sequence[str], most: int | None) -> None:
        self._waits = len(words)
        for word in words:
            self._node.get(word, self, most)

    def take(self, word: str, got: Got, most: int | None) -> None:
        """A list came, or its length."""
        self._waits -= 1
        self.hops = max(self.hops, got.hops)
        self.timeouts += got.timeouts
        if got.values is not None and most == 0:
            self._lengths[word] = got.total
        elif got.values is not None:
            self._lists.append(list(_entries(got.values)))
        if self._waits == 0:
            self._go_on(are_lengths=most == 0)

    def _go_on(self, *, are_lengths: bool) -> None:
        if not are_lengths:
            answers = [entry for entry in self._in_all_lists() if self._wanted.matches(Item(entry.name))]
            self._node.end(self, answers, could_ask=bool(self._lists))
        elif 0 in self._lengths.values() or not self._lengths:
            self._node.end(self, [], could_ask=bool(self._lengths))
        else:
            self._ask([min(self._lengths, key=lambda word: (self._lengths[word], word))], None)

    def _in_all_lists(self) -> list[Entry]:
        """Lists that could not be got are left out: names tell of the other words, too."""
        if not self._lists:
            return []
        first, *rest = sorted(self._lists, key=len)
        others = list(map(set, rest))
        return [entry for entry in first if all(entry in other for other in others)]


def _entries(values: tuple[bytes, ...]) -> Iterator[Entry]:
    for value in values:
        try:
            yield decode_entry(value)
        except WireError:
            continue  # Anybody may keep anything under a key.
