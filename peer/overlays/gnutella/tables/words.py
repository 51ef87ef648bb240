"""The words of questions."""

from functools import lru_cache

from peer.overlays.content import words_of


@lru_cache(maxsize=4096)
def words_of_text(text: str) -> frozenset[str]:
    """Return the words of a question, which a flood shows to very many nodes."""
    return frozenset(words_of(text))
