"""Runs at a glance: found by their names, and counted from their plans, records and last report."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from testbed.errors import RunError
from testbed.runfolder.folder import RunFolder, locked
from testbed.runfolder.overview import Overview, RunName, expectations_of, find_runs, overview, space_of
from tests.network.users import User, call_as
from tests.runfolder.runs import DISTURBED, GOLDEN, golden, write_run, write_trial

NAME = "small-20261121T115836Z"
SWEPT = GOLDEN + "sweep: {distribution: [bittorrent, client-server, fluid]}\nexpect: [count = 1, count = 2]\n"


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Return a run with a valid trial, a suspect one, and one that is missing."""
    folder = tmp_path / NAME
    folder.mkdir()
    plan = write_run(folder, SWEPT)
    write_trial(folder, plan.trials[0], golden())
    write_trial(folder, plan.trials[1], golden(fidelity=DISTURBED))
    return RunFolder(folder, plan)


def look(run: RunFolder) -> Overview:
    (found,) = find_runs(run.path.parent)
    return overview(found)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (NAME, ("small", 1)),
        (f"two-words-{NAME}-12", ("two-words-small", 12)),
        ("small", None),
        ("small-20269921T115836Z", None),
        ("20261121T115836Z", None),
    ],
)
def test_name_of_run_has_experiment_and_time(name: str, parts: tuple[str, int] | None) -> None:
    found = RunName.read(name)
    assert (found and (found.experiment, found.number)) == parts
    assert found is None or found.began == datetime(2026, 11, 21, 11, 58, 36, tzinfo=UTC)


def test_trials_are_counted_by_verdict(run: RunFolder) -> None:
    found = look(run)
    assert (found.planned, found.complete, found.verdicts) == (3, 2, {"valid": 1, "suspect": 1})
    assert (found.state, found.is_in_use, found.damage) == ("unfinished", False, "")


def test_expectations_are_those_of_the_last_report(run: RunFolder) -> None:
    assert (look(run).held, look(run).expected) == (None, 2)
    outcomes = [{"text": "a", "holds": True, "found": ""}, {"text": "b", "holds": False, "found": ""}]
    (run.path / "expectations.json").write_text(json.dumps(outcomes))
    assert (look(run).held, look(run).expected) == (1, 2)


def test_damaged_expectations_are_told(tmp_path: Path) -> None:
    (tmp_path / "expectations.json").write_text("[1]")
    with pytest.raises(RunError, match="`testbed report` writes it again"):
        expectations_of(tmp_path)


def test_run_that_cannot_be_read_is_listed_with_the_reason(run: RunFolder) -> None:
    (run.path / "plan.json").write_text("{}")
    found = look(run)
    assert (found.state, found.is_unfinished) == ("damaged", False)
    assert "plan.json" in found.damage


def test_finished_run_is_told_from_an_unfinished_one(run: RunFolder) -> None:
    write_trial(run.path, run.plan.trials[2], golden())
    assert look(run).state == "unfinished"
    run.add_session({"started": "today", "ended": "today"})
    assert look(run).state == "finished"


def test_network_without_peers_is_a_run_without_trials(tmp_path: Path) -> None:
    folder = tmp_path / NAME
    folder.mkdir()
    for name in ("experiment.yaml", "provenance.json"):
        (folder / name).write_text("")
    (found,) = find_runs(tmp_path)
    assert (overview(found).planned, overview(found).verdicts, overview(found).state) == (0, None, "finished")


def test_run_in_use_is_told(run: RunFolder) -> None:
    with locked(run.path):
        assert look(run).is_in_use


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
def test_run_that_only_its_owner_can_read_is_listed(run: RunFolder) -> None:
    for folder in (run.path.parent, *run.path.parents[1:3]):
        folder.chmod(0o755)
    run.path.chmod(0o700)

    def describe() -> tuple[str, str]:
        found = look(run)
        return found.state, found.damage

    assert call_as(User.ORDINARY, describe) == ("damaged", "permission denied")


def test_runs_are_found_latest_first_and_nothing_else(run: RunFolder, tmp_path: Path) -> None:
    later = tmp_path / "small-20261122T000000Z-2"
    run.path.rename(later)
    for name in (NAME, "small-20261122T000000Z"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.json").write_text("{}")
    (tmp_path / "small-20261123T000000Z").symlink_to(later)
    (tmp_path / "small-20261124T000000Z").mkdir()
    (tmp_path / ".small-20261125T000000Z").mkdir()
    (tmp_path / "notes.txt").write_text("")
    names = ["small-20261122T000000Z-2", "small-20261122T000000Z", NAME]
    assert [found.path.name for found in find_runs(tmp_path)] == names
    assert find_runs(tmp_path / "nowhere") == []


def test_space_counts_files_below_and_follows_no_link(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    (tmp_path / "elsewhere").write_bytes(bytes(1 << 20))
    (folder / "file").write_bytes(bytes(1 << 16))
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    assert 1 << 16 <= space_of(folder) < 1 << 20
