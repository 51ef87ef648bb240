"""The edit distance of Levenshtein: how many letters are inserted, left out or changed to make one word of another."""

from functools import lru_cache


@lru_cache(maxsize=1 << 18)
def edit_distance(one: str, other: str) -> int:
    """Return the distance.

    The columns of the usual table are kept as bits that tell where it rises and falls (Myers 1999, in the form of
    Hyyrö 2003), so that a word costs a few operations for each of its letters.
    """
    if not one or not other:
        return len(one) + len(other)
    places = _places(one)
    last, everywhere = 1 << (len(one) - 1), (1 << len(one)) - 1
    rises, falls, distance = everywhere, 0, len(one)
    for letter in other:
        equal = places.get(letter, 0)
        diagonal = (((equal & rises) + rises) ^ rises) | equal | falls
        grows = falls | ~(diagonal | rises)
        shrinks = rises & diagonal
        distance += bool(grows & last) - bool(shrinks & last)
        grows, shrinks = (grows << 1) | 1, shrinks << 1
        rises, falls = (shrinks | ~(diagonal | grows)) & everywhere, diagonal & grows & everywhere
    return distance


def _places(word: str) -> dict[str, int]:
    places: dict[str, int] = {}
    for index, letter in enumerate(word):
        places[letter] = places.get(letter, 0) | 1 << index
    return places
