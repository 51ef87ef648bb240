"""A report records what made it, which may be another version than that of the trials."""

import json
import sys
from pathlib import Path

import pytest

from testbed.results import report
from testbed.runs import versions as recorded
from testbed.runs.versions import versions
from tests.runfolder.runs import GOLDEN, golden, write_run, write_trial


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (trial,) = write_run(tmp_path, GOLDEN).trials
    write_trial(tmp_path, trial, golden())
    return tmp_path


def made_by(run: Path) -> dict[str, object]:
    entry: dict[str, object] = json.loads((run / "report.json").read_text())
    return entry


def test_report_names_libraries_that_made_tables_and_figures(run: Path) -> None:
    report(run)
    entry = made_by(run)
    assert entry["versions"] == versions()
    assert {"python", "kernel", "testbed", "numpy", "pandas", "scipy", "matplotlib"} <= versions().keys()
    assert (entry["command"], entry["with_suspect"]) == (sys.argv, False)
    assert {"made", "commit", "dirty"} <= entry.keys()


def test_later_report_replaces_the_entry(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report(run)
    tables = (run / "summary.csv").read_bytes()
    monkeypatch.setattr(recorded, "_OPTIONAL", ("numpy", "no-such-library"))
    report(run, with_suspect=True)
    found = made_by(run)["versions"]
    assert isinstance(found, dict)
    assert "numpy" in found
    assert not {"pandas", "no-such-library"} & found.keys()
    assert made_by(run)["with_suspect"] is True
    assert (run / "summary.csv").read_bytes() == tables
