"""Numbers with their nouns."""

import pytest

from contract.wording import counted


@pytest.mark.parametrize(
    ("count", "noun", "plural", "text"),
    [
        (0, "trial", "", "0 trials"),
        (1, "trial", "", "1 trial"),
        (2, "trial", "", "2 trials"),
        (2, "process", "processes", "2 processes"),
    ],
)
def test_noun_follows_its_number(count: int, noun: str, plural: str, text: str) -> None:
    assert counted(count, noun, plural) == text
