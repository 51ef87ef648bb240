"""The pages of the task have every key and every column, with their meaning."""

import re
from pathlib import Path

import pytest

from testbed.experiment.schema.keys import fields_of, key_paths
from testbed.tasks.find.columns import TABLES
from testbed.tasks.find.schema.keys import Failure, FindKeys
from tests.experiment.files import planned

PAGES = Path(__file__).parents[3] / "docs" / "find"
KEYS, COLUMNS = ((PAGES / name).read_text() for name in ("README.md", "tables.md"))
ELSEWHERE = r"^(directory|nodes\.NAME)\.(up|down|delay|jitter|loss|arrival)(\.|$)"
SPANS = r"^nodes\.NAME\.sessions\.(length|pause)\."


def as_documented() -> dict[str, str]:
    """Return the meaning of each key that is not explained with those of every experiment."""
    found = [(path, field) for path, field in key_paths(FindKeys) if not re.match(ELSEWHERE, path)]
    keys = {re.sub(SPANS, "SPAN.", path): str(field.description) for path, field in found}
    return keys | {f"failures.{key}": str(field.description) for key, field in fields_of(Failure).items()}


def test_page_has_exactly_the_keys() -> None:
    section = KEYS.split("\n## The keys\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([\w.]+)` \|[^|]*\|[^|]*\| (.*) \|$", section, re.MULTILINE)
    assert dict(rows) == as_documented()


@pytest.mark.parametrize("table", [name for name in TABLES if name != "summary"])
def test_page_has_every_column(table: str) -> None:
    section = COLUMNS.split(f"\n## {table}.csv\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ?(.*?) ?\| ?(.*?) ?\|$", section, re.MULTILINE)
    assert rows == [(name, column.unit, column.meaning) for name, column in TABLES[table].items()]


def test_example_on_the_page_is_valid(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", KEYS, re.DOTALL)
    (trial,) = planned(tmp_path, example).trials
    assert len(trial.hosts.nodes) == 20
