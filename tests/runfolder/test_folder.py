"""Run folders: complete from the beginning, found again by their plan, refused when damaged."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.errors import RunError
from testbed.experiment import Plan
from testbed.runfolder.collection import latest_run, make_run, unfinished_run
from testbed.runfolder.folder import LOCK, RunFolder
from testbed.runfolder.trial_folder import unfinished_folder
from tests.trial.plans import plan_of

MORE = "sweep:\n  distribution: [client-server, bittorrent]\n"


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_of(tmp_path, more=MORE)


@pytest.fixture
def run(tmp_path: Path, plan: Plan) -> RunFolder:
    return make_run(tmp_path / "deep" / "runs", "small", "text: as written\n", plan)


def complete(run: RunFolder, number: int) -> Path:
    trial = run.plan.trials[number]
    with unfinished_folder(run.trials, trial.id) as folder:
        (folder / "trial.json").write_text(json.dumps({"id": trial.id}))
    return run.trials / trial.id


def test_new_run_has_experiment_file_and_plan(run: RunFolder, plan: Plan) -> None:
    assert run.path.name.startswith("small-20")
    assert (run.path / "experiment.yaml").read_text() == "text: as written\n"
    assert Plan.from_json((run.path / "plan.json").read_text()) == plan
    assert list(run.path.parent.iterdir()) == [run.path]


def test_simultaneous_runs_have_different_folders(tmp_path: Path, plan: Plan) -> None:
    runs = {make_run(tmp_path / "runs", "small", "", plan).path for _ in range(3)}
    assert len(runs) == 3


def test_missing_trials_are_in_plan_order(run: RunFolder, plan: Plan) -> None:
    assert run.missing() == plan.trials
    complete(run, 0)
    assert run.missing() == (plan.trials[1],)


def test_interrupted_trial_leaves_nothing(run: RunFolder) -> None:
    def interrupt() -> None:
        with unfinished_folder(run.trials, "broken") as folder:
            (folder / "half").write_text("of it")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert list(run.trials.iterdir()) == []


def test_leftovers_of_killed_session_are_removed(run: RunFolder) -> None:
    (run.trials / ".some.part").mkdir()
    (run.trials / ".some.part" / "half").write_text("of it")
    run.work.mkdir()
    kept = complete(run, 0)
    run.remove_leftovers()
    assert list(run.trials.iterdir()) == [kept]
    assert not run.work.exists()


def test_unfinished_run_is_found_by_its_plan(tmp_path: Path, run: RunFolder, plan: Plan) -> None:
    runs = run.path.parent
    found = unfinished_run(runs, "small", plan)
    assert found is not None
    assert found.path == run.path
    assert unfinished_run(runs, "other", plan) is None
    assert unfinished_run(runs, "small", plan_of(tmp_path, more=MORE + "seed: 2\n")) is None
    assert unfinished_run(tmp_path / "nowhere", "small", plan) is None


def test_run_is_finished_when_its_session_ended(run: RunFolder, plan: Plan) -> None:
    run.add_session({"started": "today", "ended": None})
    for number in range(2):
        complete(run, number)
    assert unfinished_run(run.path.parent, "small", plan) is not None
    run.change_session(ended="today")
    assert unfinished_run(run.path.parent, "small", plan) is None


def test_trial_set_aside_is_kept_and_missing(run: RunFolder, plan: Plan) -> None:
    for _ in range(2):
        first = complete(run, 0)
        run.set_aside([plan.trials[0].id])
        assert not first.exists()
        assert run.missing()[0] == plan.trials[0]
    kept = sorted(folder.name for folder in (run.path / "suspect").iterdir())
    assert kept == [f"{plan.trials[0].id}.1", f"{plan.trials[0].id}.2"]


def test_latest_run_of_same_trials_is_found(tmp_path: Path, run: RunFolder) -> None:
    run.add_session({"started": "today", "ended": "today"})
    for number in range(2):
        complete(run, number)
    expecting_more = plan_of(tmp_path, more=MORE + "expect: [count = 2]\n")
    assert latest_run(run.path.parent, "small", expecting_more) == run, "expectations change nothing that is measured"


def test_missing_run_of_these_trials_is_refused(tmp_path: Path, run: RunFolder) -> None:
    (run.path.parent / "small-damaged").mkdir()
    (run.path.parent / "small-damaged" / "plan.json").write_text("torn")
    with pytest.raises(RunError, match="has no run of these trials"):
        latest_run(run.path.parent, "small", plan_of(tmp_path, more=MORE + "seed: 2\n"))


def test_sessions_are_added_and_the_last_changed(run: RunFolder) -> None:
    run.add_session({"started": "monday", "ended": None})
    run.add_session({"started": "tuesday", "ended": None})
    run.change_session(ended="wednesday")
    assert run.sessions == [{"started": "monday", "ended": None}, {"started": "tuesday", "ended": "wednesday"}]


@pytest.mark.parametrize("content", [None, "", '{"id": ', "[]", '{"id": "another"}'])
def test_damaged_trial_is_refused(run: RunFolder, content: str | None) -> None:
    folder = run.trials / run.plan.trials[0].id
    folder.mkdir()
    if content is not None:
        (folder / "trial.json").write_text(content)
    with pytest.raises(RunError, match="remove that folder"):
        run.complete_ids()


def test_damaged_provenance_is_refused(run: RunFolder) -> None:
    (run.path / "provenance.json").write_text("{")
    with pytest.raises(RunError, match=r"provenance\.json is damaged"):
        _ = run.is_finished


def test_run_folder_is_locked_for_one_command(run: RunFolder) -> None:
    with run.locked():
        program = (
            "import fcntl, os, sys\nfcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        )
        refused = subprocess.run(
            [sys.executable, "-c", program, run.path / LOCK], capture_output=True, text=True, check=False
        )
        assert "BlockingIOError" in refused.stderr
        with pytest.raises(RunError, match="another command"), run.locked():
            os.abort()
    with run.locked():
        pass
