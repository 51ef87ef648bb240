"""Where the list of a word is kept."""

from hashlib import sha1
from typing import Final

_WORD_MARK: Final = b"word:"


def key_of_word(word: str) -> bytes:
    """Return the key of a word's list, which is not that of an item whose name is this word."""
    return sha1(_WORD_MARK + word.encode(), usedforsecurity=False).digest()
