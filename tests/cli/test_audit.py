"""`testbed audit`, and `audit: true` in an experiment."""

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Terminal
from tests.trial.plans import written

Run = Callable[..., subprocess.CompletedProcess[str]]
AUDITED = "trace_level: full\ncapture: {hosts: all, snaplen: full}\naudit: true\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose trial was audited when it ended."""
    from testbed.cli.experiment.run import RunOptions, run_experiment

    place = tmp_path_factory.mktemp("audited")
    runs = place / "runs"
    run_experiment(written(place, more=AUDITED), runs, RunOptions([], [], False, [], True, True, json_lines=False))
    (run,) = runs.iterdir()
    return run


@pytest.mark.kernel
def test_audit_of_trial_is_a_column_of_its_own(folder: Path) -> None:
    (row,) = csv.DictReader((folder / "trials.csv").read_text().splitlines())
    assert row["audit"] == "agrees"
    assert "audit" not in row["reasons"]


@pytest.mark.kernel
def test_record_has_what_the_audit_came_to(folder: Path) -> None:
    (record,) = folder.glob("trials/*/trial.json")
    audit = json.loads(record.read_text())["audit"]
    assert (audit["disagreements"], audit["examples"], audit["left_out"], audit["failed"]) == (0, [], {}, "")
    assert audit["agree"] > 100


@pytest.mark.kernel
def test_audit_shows_counts_differences_and_reasons(call: Run, folder: Path) -> None:
    done = call("audit", folder, "--trial", "1")
    assert done.returncode == 0
    assert "nothing disagrees" in done.stdout
    for word in ("request", "block", "piece", "received: trace after packet", "median"):
        assert word in done.stdout
    plain = json.loads(call("audit", folder, "--json").stdout)
    assert plain["agrees"] is True
    assert plain["trials"][0]["counts"]["piece"]["disagree"] == 0
    assert plain["trials"][0]["differences_s"]["received"]["median"] > 0


@pytest.mark.kernel
def test_audit_fits_the_terminal(on_terminal: Callable[..., Terminal], folder: Path) -> None:
    lines = on_terminal("audit", str(folder), columns=80).read_to_end().splitlines()
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("capture", ["", "capture: none\n", "capture: {core: true}\n", "capture: []\n"])
def test_audit_without_captures_of_hosts_is_refused_with_the_way_out(call: Run, tmp_path: Path, capture: str) -> None:
    done = call("check", written(tmp_path, more=f"{capture}audit: true\n"))
    assert done.returncode == 2
    assert "add `capture: all`" in done.stdout + done.stderr


def test_audit_changes_no_trial(tmp_path: Path) -> None:
    from testbed.experiment import make_plan, read_experiment

    more = "capture: all\n"
    ids = {
        make_plan(read_experiment(written(tmp_path, more=more + audit))).trials[0].id for audit in ("", "audit: true\n")
    }
    assert len(ids) == 1
