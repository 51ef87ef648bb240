"""Who shares what, found by words: the memory of a directory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from peer.net.address import Address
from peer.overlays.content import Item, words_of


@dataclass(frozen=True, slots=True)
class User:
    """A client that has logged in."""

    link: int
    nick: str
    address: Address
    speed: int


Entry = tuple[int, Item]
"""The user's link, and what it shares."""


class Index:
    """The shares of all users. A word leads to its entries in the order in which they came."""

    def __init__(self) -> None:
        self._by_word: Final[dict[str, dict[Entry, None]]] = {}
        self._by_user: Final[dict[int, dict[str, Item]]] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def shares_of(self, link: int) -> int:
        return len(self._by_user.get(link, ()))

    def has(self, link: int, name: str) -> bool:
        return name in self._by_user.get(link, ())

    def add(self, link: int, item: Item) -> None:
        shares = self._by_user.setdefault(link, {})
        if item.name in shares:
            return
        shares[item.name] = item
        self._size += 1
        for word in item.words:
            self._by_word.setdefault(word, {})[link, item] = None

    def forget(self, link: int) -> None:
        """Remove all that a user shared."""
        for item in self._by_user.pop(link, {}).values():
            self._size -= 1
            for word in item.words:
                self._remove(word, (link, item))

    def _remove(self, word: str, entry: Entry) -> None:
        entries = self._by_word[word]
        del entries[entry]
        if not entries:
            del self._by_word[word]

    def find(self, text: str, most: int) -> list[Entry]:
        """Return at most so many entries that have all words of a text, the earliest first."""
        lists = [self._by_word.get(word, {}) for word in words_of(text)]
        return list(islice(_in_all(lists), most)) if lists else []


def _in_all(lists: list[dict[Entry, None]]) -> Iterator[Entry]:
    rarest, *others = sorted(lists, key=len)
    return (entry for entry in rarest if _are_in(entry, others))


def _are_in(entry: Entry, lists: Iterable[dict[Entry, None]]) -> bool:
    return all(entry in each for each in lists)
