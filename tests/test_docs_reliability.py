"""docs/reliability.md names, for each promise, tests that exist."""

import re
from pathlib import Path
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).parents[1]
DOCUMENT: Final = (REPOSITORY / "docs" / "reliability.md").read_text()
TEST: Final = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def promises() -> list[str]:
    """Return the rows of the tables whose last column names tests."""
    tables = re.findall(r"^\|[^\n]*\| held by \|\n\|[-|]+\|\n((?:\|.*\n)+)", DOCUMENT, re.MULTILINE)
    return [row for table in tables for row in table.splitlines()]


def test_every_promise_names_tests() -> None:
    assert len(promises()) > 40
    assert [row for row in promises() if not TEST.search(row.rpartition("|")[0].rpartition("|")[2])] == []


@pytest.mark.parametrize(("file", "name"), sorted(set(TEST.findall(DOCUMENT))), ids=lambda part: Path(part).name)
def test_named_test_exists(file: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (REPOSITORY / file).read_text(), re.MULTILINE)
