"""Words that look like words, and words that are nearly spelt like them, all by chance."""

from random import Random
from string import ascii_lowercase
from typing import Final

from peer.overlays.cubit.distance import edit_distance

_ONSETS: Final = (
    "b", "br", "c", "ch", "d", "f", "g", "gr", "l", "m", "n", "p", "pl", "r", "s", "st", "t", "tr", "v", "w",
)  # fmt: skip
_NUCLEI: Final = ("a", "e", "i", "o", "u", "ai", "ea", "ou")
_CODAS: Final = ("", "", "", "l", "n", "r", "s", "t", "ck", "nd")
_ENDINGS: Final = ("", "", "", "", "s", "ed", "er", "ing", "ly")


def vocabulary(count: int, random: Random) -> list[str]:
    """Return distinct words of one to four syllables, many of which share a stem."""
    words: dict[str, None] = {}
    while len(words) < count:
        stem = "".join(_syllable(random) for _ in range(random.choice((1, 2, 2, 3, 3, 4))))
        for _ in range(random.choice((1, 1, 2, 3))):
            words.setdefault(stem + random.choice(_ENDINGS))
    return list(words)[:count]


def misspelt(word: str, edits: int, random: Random) -> str:
    """Return a text that is exactly so many edits from a word."""
    while True:
        text = word
        for _ in range(edits):
            text = _edited(text, random)
        if text and edit_distance(word, text) == edits:
            return text


def _syllable(random: Random) -> str:
    return random.choice(_ONSETS) + random.choice(_NUCLEI) + random.choice(_CODAS)


def _edited(word: str, random: Random) -> str:
    place, letter = random.randrange(len(word) + 1), random.choice(ascii_lowercase)
    kept = random.choice((place, place + 1))
    return word[:place] + random.choice((letter, "") if kept > place else (letter,)) + word[kept:]
