"""What is wrong with a value, before its line and column are known."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

Key: TypeAlias = str | int
KeyPath: TypeAlias = tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to correct: the path of its key, and what to say; `offset` counts characters into its value."""

    path: KeyPath
    message: str
    offset: int | None = None


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return the nearest known word as a question, or nothing. A path is also known by its last parts."""
    words = list(known)
    paths = [each for each in words if each.endswith(f".{word}")]
    close = paths[:3] or get_close_matches(str(word), words, n=1)
    return f" (did you mean {' or '.join(close)}?)" if close else ""
