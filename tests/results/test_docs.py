"""docs/results.md describes every column of every table, in the order of the files."""

import re
from pathlib import Path

import pytest

from testbed.results.figures.drawing import KINDS
from testbed.results.report import report
from testbed.tasks.distribute.columns import TABLES
from testbed.tasks.distribute.tables.audit import LEAST_DIFFERENCE, MOST_DIFFERENCE
from tests.runfolder.runs import (
    GOLDEN,
    golden,
    write_run,
    write_trial,
)

DOCUMENT = (Path(__file__).parents[2] / "docs" / "results.md").read_text()


def documented(table: str) -> list[tuple[str, str, str]]:
    """Return the rows of a table's section: column, unit, meaning."""
    section = DOCUMENT.split(f"\n## {table}.csv\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \| ?(.*?) ?\| ?(.*?) ?\|$", section, re.MULTILINE)


@pytest.mark.parametrize("table", TABLES)
def test_document_describes_every_column(table: str) -> None:
    assert documented(table) == [(name, column.unit, column.meaning) for name, column in TABLES[table].items()]


@pytest.mark.parametrize("table", TABLES)
def test_file_has_exactly_the_documented_columns(tmp_path: Path, table: str) -> None:
    plan = write_run(tmp_path, GOLDEN + "sweep: {time_limit: [1 min]}\n")
    write_trial(tmp_path, plan.trials[0], golden())
    report(tmp_path)
    heading = (tmp_path / f"{table}.csv").read_text().splitlines()[0].split(",")
    swept = ["time_limit"] if table in {"trials", "summary"} else []
    assert sorted(heading) == sorted([*TABLES[table], *swept])
    assert [name for name in heading if name not in swept] == list(TABLES[table])


def test_audit_limits_are_documented() -> None:
    assert f"exceed it by {MOST_DIFFERENCE * 100:g} %" in DOCUMENT
    assert f"fall short by {-LEAST_DIFFERENCE * 100:g} %" in DOCUMENT


def test_every_figure_kind_is_documented() -> None:
    section = DOCUMENT.split("\n## Figures\n")[1]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(KINDS)
