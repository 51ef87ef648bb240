"""The edit distance beside its definition, and words that are misspelt by so much."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.overlays.cubit.distance import edit_distance
from peer.simulation.overlays.misspelling import misspelt, vocabulary

words = st.text(alphabet="abcé", max_size=9)


def by_definition(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        before, row[0] = row[0], number
        for place, wanted in enumerate(other, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (letter != wanted))
    return row[-1]


@given(words, words)
def test_the_distance_is_that_of_the_definition(one: str, other: str) -> None:
    assert edit_distance(one, other) == by_definition(one, other)


@pytest.mark.parametrize(("one", "other", "edits"), [("kitten", "sitting", 3), ("flaw", "lawn", 2), ("", "abc", 3)])
def test_the_distance_of_well_known_words(one: str, other: str, edits: int) -> None:
    assert edit_distance(one, other) == edit_distance(other, one) == edits


@given(words, words, words)
def test_no_detour_is_shorter(one: str, other: str, third: str) -> None:
    assert edit_distance(one, third) <= edit_distance(one, other) + edit_distance(other, third)


def test_words_are_misspelt_by_so_many_edits() -> None:
    random = Random(1)
    some = vocabulary(200, random)
    assert len(set(some)) == 200
    for edits in range(4):
        word = random.choice([word for word in some if len(word) > edits])
        assert edit_distance(word, misspelt(word, edits, random)) == edits
