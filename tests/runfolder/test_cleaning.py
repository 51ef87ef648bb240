"""What may be removed from a folder of runs, and what must stay."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from testbed.runfolder.cleaning import Choice, foreign_runs, removals, remove
from testbed.runfolder.collection import unfinished_run_folder
from testbed.runfolder.folder import LOCK, RunFolder, locked
from tests.runfolder.runs import GOLDEN, golden, write_run, write_trial

NOW = datetime(2026, 11, 30, tzinfo=UTC)
Make = Callable[..., RunFolder]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that makes a run that began on some day of November."""

    def run(day: int, experiment: str = "small", *, is_finished: bool = True) -> RunFolder:
        folder = tmp_path / f"{experiment}-202611{day:02}T000000Z"
        folder.mkdir()
        made = RunFolder(folder, write_run(folder, GOLDEN))
        made.add_session({"started": "today", "ended": "today" if is_finished else None})
        write_trial(folder, made.plan.trials[0], golden())
        return made

    return run


def found(runs: Path, choice: Choice) -> set[str]:
    return {str(removal.path.relative_to(runs)) for removal in removals(runs, choice, NOW)}


def clean(runs: Path, choice: Choice) -> dict[str, str]:
    chosen = list(removals(runs, choice, NOW))
    return {str(removal.path.relative_to(runs)): why for removal, why in remove(chosen)}


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.name != LOCK}


def test_without_options_only_leftovers_are_found(tmp_path: Path, make: Make) -> None:
    run = make(1, is_finished=False)
    before = everything(run.path)
    run.work.mkdir()
    (run.work / "file").write_text("x")
    (run.trials / ".some.part").mkdir()
    (run.path / ".trials.csv.part").write_text("x")
    (tmp_path / ".small-20261102T000000Z").mkdir()
    names = {f"{run.path.name}/{name}" for name in (".work", "trials/.some.part", ".trials.csv.part")}
    assert found(tmp_path, Choice()) == {*names, ".small-20261102T000000Z"}
    assert set(clean(tmp_path, Choice()).values()) == {""}
    assert everything(run.path) == before
    assert found(tmp_path, Choice()) == set()


def test_looking_removes_nothing(tmp_path: Path, make: Make) -> None:
    make(1, is_finished=False).work.mkdir()
    before = set(tmp_path.rglob("*"))
    assert found(tmp_path, Choice(suspect=True, unfinished=True, older_than_days=0, keep_latest=0))
    assert set(tmp_path.rglob("*")) == before


def test_unfinished_runs_are_removed_and_others_stay(tmp_path: Path, make: Make) -> None:
    finished, unfinished = make(1), make(2, is_finished=False)
    assert clean(tmp_path, Choice(unfinished=True)) == {unfinished.path.name: ""}
    assert list(tmp_path.iterdir()) == [finished.path]


def test_damaged_run_is_not_taken_for_unfinished(tmp_path: Path, make: Make) -> None:
    run = make(1)
    (run.path / "plan.json").write_text("{}")
    assert found(tmp_path, Choice(unfinished=True)) == set()
    assert found(tmp_path, Choice(keep_latest=0)) == {run.path.name}


def test_latest_runs_of_each_experiment_stay(tmp_path: Path, make: Make) -> None:
    for day in (1, 2, 3):
        make(day)
    make(1, "other")
    assert found(tmp_path, Choice(keep_latest=2)) == {"small-20261101T000000Z"}
    assert len(found(tmp_path, Choice(keep_latest=0))) == 4


def test_killed_run_displaces_no_finished_one(tmp_path: Path, make: Make) -> None:
    for day, is_finished in ((1, True), (2, False), (3, True), (4, False)):
        make(day, is_finished=is_finished)
    assert found(tmp_path, Choice(keep_latest=1)) == {"small-20261101T000000Z", "small-20261102T000000Z"}
    assert found(tmp_path, Choice(keep_latest=3)) == set()


def test_every_condition_must_hold(tmp_path: Path, make: Make) -> None:
    first, second, third, _ = [
        make(day, is_finished=is_finished).path.name
        for day, is_finished in ((1, False), (2, True), (3, False), (29, False))
    ]
    assert found(tmp_path, Choice(older_than_days=20)) == {first, second, third}
    assert found(tmp_path, Choice(older_than_days=20, unfinished=True)) == {first, third}
    assert found(tmp_path, Choice(older_than_days=20, unfinished=True, keep_latest=1)) == {first}


def test_emptied_old_results_still_count_as_attempts(tmp_path: Path, make: Make) -> None:
    run = make(1)
    trial = run.plan.trials[0]
    run.set_aside([trial.id])
    write_trial(run.path, trial, golden())
    copy = f"{run.path.name}/suspect/{trial.id}.1"
    assert found(tmp_path, Choice()) == set()
    assert clean(tmp_path, Choice(suspect=True)) == {copy: ""}
    assert list((tmp_path / copy).iterdir()) == []
    assert run.attempts(trial) == 2
    assert found(tmp_path, Choice(suspect=True)) == set()


def test_run_in_use_is_never_touched(tmp_path: Path, make: Make) -> None:
    run = make(1, is_finished=False)
    run.work.mkdir()
    before = everything(tmp_path)
    with locked(run.path):
        assert clean(tmp_path, Choice()) == {f"{run.path.name}/.work": "in use"}
        assert clean(tmp_path, Choice(unfinished=True)) == {run.path.name: "in use"}
    assert everything(tmp_path) == before


def test_run_that_is_being_made_is_never_touched(tmp_path: Path) -> None:
    with unfinished_run_folder(tmp_path, "network-20261101T000000Z"):
        assert clean(tmp_path, Choice()) == {".network-20261101T000000Z": "in use"}
    assert (tmp_path / "network-20261101T000000Z").is_dir()


def test_link_and_unknown_folders_stay(tmp_path: Path, make: Make) -> None:
    elsewhere = tmp_path / "elsewhere"
    make(1).path.rename(elsewhere)
    runs = tmp_path / "runs"
    runs.mkdir()
    (runs / "small-20261101T000000Z").symlink_to(elsewhere)
    (runs / ".small-20261102T000000Z").symlink_to(elsewhere)
    (runs / ".git").mkdir()
    (runs / "notes").mkdir()
    assert found(runs, Choice(keep_latest=0)) == set()


def test_link_inside_a_run_is_removed_and_not_followed(tmp_path: Path, make: Make) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("x")
    run = make(1)
    run.work.symlink_to(kept)
    assert clean(tmp_path, Choice()) == {f"{run.path.name}/.work": ""}
    assert (kept / "file").exists()
    assert not run.work.is_symlink()


def test_interrupted_removal_leaves_no_run(tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make(1)

    def stop(_path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", stop)
        with pytest.raises(KeyboardInterrupt):
            clean(tmp_path, Choice(keep_latest=0))
    assert [path.name for path in tmp_path.iterdir()] == [f".{run.path.name}.removed"]
    assert clean(tmp_path, Choice()) == {f".{run.path.name}.removed": ""}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_runs_of_other_users_stay(tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    run = make(1)
    os.chown(run.path, 65534, 65534)
    assert found(tmp_path, Choice(keep_latest=0)) == set()
    assert foreign_runs(tmp_path) == [run.path]
    monkeypatch.setenv("SUDO_UID", "65534")
    monkeypatch.setenv("SUDO_GID", "65534")
    assert found(tmp_path, Choice(keep_latest=0)) == {run.path.name}
