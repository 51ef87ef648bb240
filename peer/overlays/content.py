"""What is shared and looked for: items with names of words."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha1
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a name or of a question, in lower case, in their order, each once."""
    return tuple(dict.fromkeys(_WORD.findall(text.casefold())))


def key_of(name: str) -> bytes:
    """Return the 160-bit key of an exact name."""
    return sha1(name.encode(), usedforsecurity=False).digest()


@dataclass(frozen=True, slots=True)
class Item:
    """Something that a node shares."""

    name: str
    size: int = 0
    """In bytes."""

    @property
    def words(self) -> tuple[str, ...]:
        return words_of(self.name)

    @property
    def key(self) -> bytes:
        return key_of(self.name)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search looks for: one exact name, or all items that have all these words."""

    text: str
    is_exact: bool = True

    def matches(self, item: Item) -> bool:
        """Whether an item is what is looked for."""
        return item.name == self.text if self.is_exact else set(words_of(self.text)) <= set(item.words)


def matching(items: Iterable[Item], wanted: Wanted) -> list[Item]:
    """Return the items that are looked for, in their order."""
    return [item for item in items if wanted.matches(item)]
