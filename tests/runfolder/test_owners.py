"""Run folders and other users: root follows no link that they have made, and leaves results to who called sudo."""

import fcntl
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.errors import ExplainedError
from testbed.experiment import Plan
from testbed.results import report
from testbed.runfolder.collection import latest_run, make_run, own_runs, unfinished_run, unfinished_run_folder
from testbed.runfolder.folder import LOCK, RunFolder
from testbed.runfolder.owners import ForeignFolderError
from testbed.runfolder.trial_folder import unfinished_folder
from tests.experiment.files import planned
from tests.runfolder.others import OTHER, Victim, as_other
from tests.runfolder.runs import GOLDEN, golden, write_trial

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user too")

FIGURE = "figures:\n  times: {kind: cdf}\n"
PLANTED = "small-99990101T000000Z"


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return planned(tmp_path, GOLDEN + FIGURE)


@pytest.fixture
def victim(tmp_path: Path) -> Victim:
    return Victim.made(tmp_path / "victim")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Return a folder of runs that belongs to the other user."""
    folder = tmp_path / "runs"
    folder.mkdir()
    os.chown(folder, OTHER, OTHER)
    return folder


@pytest.fixture
def sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process one that the other user has started with sudo."""
    monkeypatch.setenv("SUDO_UID", str(OTHER))
    monkeypatch.setenv("SUDO_GID", str(OTHER))


@pytest.fixture
def run(runs: Path, plan: Plan, sudo: None) -> RunFolder:
    """Return a run that we have made for the other user, who can change it."""
    return make_run(runs, "small", "as written\n", plan)


def plant(runs: Path, plan: Plan, victim: Victim) -> None:
    """Prepare, as the other user, what looks like the latest unfinished run."""

    def act() -> None:
        folder = Path(PLANTED)
        folder.mkdir()
        (folder / "plan.json").write_text(plan.to_json())
        (folder / ".provenance.json").symlink_to(victim.path / "file")
        (folder / ".provenance.json.part").symlink_to(victim.path / "file")
        (folder / ".trials.csv.part").symlink_to(victim.path / "trials.csv")
        (folder / "trials").symlink_to(victim.path)

    as_other(runs, act)


def write_results(run: RunFolder) -> None:
    """Complete the run's only trial."""
    write_trial(run.path, run.plan.trials[0], golden())


def owners(folder: Path) -> set[tuple[int, int]]:
    found = [folder, *folder.rglob("*")] if folder.exists() else []
    return {(path.lstat().st_uid, path.lstat().st_gid) for path in found}


def test_each_user_has_own_folder_where_all_may_write(runs: Path, plan: Plan, victim: Victim) -> None:
    runs.chmod(0o1777)
    plant(runs, plan, victim)
    assert unfinished_run(runs, "small", plan) is None
    run = make_run(runs, "small", "", plan)
    assert run.path.parent == own_runs(runs) == runs / "root"
    assert unfinished_run(runs, "small", plan) == run
    assert victim.is_untouched()


@pytest.mark.parametrize("is_link", [False, True])
def test_own_folder_that_another_user_has_made_is_refused(
    runs: Path, plan: Plan, victim: Victim, is_link: bool
) -> None:
    runs.chmod(0o1777)
    as_other(runs, lambda: Path("root").symlink_to(victim.path) if is_link else Path("root").mkdir())
    with pytest.raises(ExplainedError, match=r"runs/root:? (is a symbolic link|belongs to the user nobody)"):
        make_run(runs, "small", "", plan)
    assert victim.is_untouched()


def test_run_of_another_user_is_not_resumed(runs: Path, plan: Plan, victim: Victim) -> None:
    plant(runs, plan, victim)
    with pytest.raises(ForeignFolderError, match=rf"{PLANTED} is an unfinished run.* user nobody.*use --fresh"):
        unfinished_run(runs, "small", plan)
    with pytest.raises(ExplainedError, match="has no run of these trials that is yours"):
        latest_run(runs, "small", plan)
    ours = make_run(runs, "small", "", plan)
    assert unfinished_run(runs, "small", plan) == ours
    assert victim.is_untouched()


@pytest.mark.parametrize(
    "change",
    [
        lambda run: run.add_session({"started": "today", "ended": None}),
        RunFolder.remove_leftovers,
        lambda run: run.set_aside([run.plan.trials[0].id]),
        lambda run: run.locked().__enter__(),
        lambda run: run.work_folder().__enter__(),
        lambda run: unfinished_folder(run.trials, "some").__enter__(),
        lambda run: report(run.path),
    ],
)
def test_run_of_another_user_is_never_changed(
    runs: Path, plan: Plan, victim: Victim, change: Callable[[RunFolder], object]
) -> None:
    plant(runs, plan, victim)
    with pytest.raises(ForeignFolderError, match=f"{PLANTED} belongs to the user nobody"):
        change(RunFolder(runs / PLANTED, plan))
    assert victim.is_untouched()
    assert len(list((runs / PLANTED).iterdir())) == 5


def make_trial(run: RunFolder) -> None:
    with unfinished_folder(run.trials, run.plan.trials[0].id) as folder:
        (folder / "trial.json").write_text("{}")


def add_session(run: RunFolder) -> None:
    run.add_session({"started": "today", "ended": None})


def use_work(run: RunFolder) -> None:
    with run.work_folder() as work:
        (work / "1.bin").write_text("payload")


def lock(run: RunFolder) -> None:
    with run.locked():
        pass


def complete_and(act: Callable[[RunFolder], object]) -> Callable[[RunFolder], None]:
    def complete(run: RunFolder) -> None:
        write_results(run)
        act(run)

    return complete


def report_on(run: RunFolder) -> None:
    report(run.path)


def set_aside(run: RunFolder) -> None:
    run.set_aside([run.plan.trials[0].id])


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("provenance.json", add_session),
        ("trials", make_trial),
        ("trials", RunFolder.remove_leftovers),
        ("trials", RunFolder.complete),
        ("suspect", complete_and(set_aside)),
        (LOCK, lock),
        ("figures", complete_and(report_on)),
        ("plan.json", lambda run: RunFolder.open(run.path)),
    ],
)
def test_link_in_own_run_is_refused(
    run: RunFolder, victim: Victim, name: str, act: Callable[[RunFolder], object]
) -> None:
    plant_link(run, name, victim)
    with pytest.raises(ExplainedError, match="symbolic link"):
        act(run)
    assert victim.is_untouched()


@pytest.mark.parametrize(
    ("name", "act"),
    [
        (".provenance.json.part", add_session),
        (".work", use_work),
        (".work", RunFolder.remove_leftovers),
        ("trials/.ID.part", make_trial),
        ("trials.csv", complete_and(report_on)),
        (".trials.csv.part", complete_and(report_on)),
        ("figures/times.svg", complete_and(report_on)),
        ("figures/.times.svg.part", complete_and(report_on)),
    ],
)
def test_link_in_own_run_is_replaced(
    run: RunFolder, victim: Victim, name: str, act: Callable[[RunFolder], object]
) -> None:
    name = name.replace("ID", run.plan.trials[0].id)
    plant_link(run, name, victim)
    act(run)
    assert not (run.path / name).is_symlink()
    assert victim.is_untouched()
    assert owners(run.path / name) <= {(OTHER, OTHER)}


def plant_link(run: RunFolder, name: str, victim: Victim) -> None:
    """Put a link, as the other user, in the place of whatever is there: to the victim, or to a file of it."""
    target = victim.path if "." not in name or name == ".work" or name.endswith(".part") else victim.path / "file"

    def act() -> None:
        place = Path(name)
        if place.is_dir():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(target)

    as_other(run.path, act)


@pytest.mark.parametrize("name", ["trial.json", "counters.csv.gz", "p1.jsonl.gz"])
def test_linked_file_of_trial_is_damage(run: RunFolder, victim: Victim, name: str) -> None:
    write_results(run)
    file = run.folder_of(run.plan.trials[0]) / name
    file.unlink()
    file.symlink_to(victim.path / "file")
    made = report(run.path)
    assert [str(damage.file) for damage in made.damages] == [str(file)]
    assert "symbolic link" in made.damages[0].what


def test_folder_renamed_during_trial_leads_nowhere_else(run: RunFolder, victim: Victim) -> None:
    trial = run.plan.trials[0].id

    def swap() -> None:
        for name in (f"trials/.{trial}.part", "trials"):
            Path(name).rename(f"{name}.moved")
            Path(name).symlink_to(victim.path)

    with unfinished_folder(run.trials, trial) as folder:
        as_other(run.path, swap)
        (folder / "trial.json").write_text("{}")
    assert victim.is_untouched()


def test_folder_put_in_place_of_new_one_is_refused(
    run: RunFolder, victim: Victim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other user is as fast as can be: between making a folder and opening it."""
    mkdir = os.mkdir

    def mkdir_and_lose(name: str | Path, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        mkdir(name, mode, dir_fd=dir_fd)
        if str(name).endswith(".part") and dir_fd is not None:
            as_other(run.path, lambda: swap(Path("trials", name)))

    def swap(folder: Path) -> None:
        folder.rmdir()
        folder.mkdir()
        (folder / "host.pcap").symlink_to(victim.path / "file")

    monkeypatch.setattr(os, "mkdir", mkdir_and_lose)
    with pytest.raises(ExplainedError, match="is not what was just made there"):
        make_trial(run)
    assert victim.is_untouched()


def test_other_user_cannot_lock_our_run(runs: Path, plan: Plan) -> None:
    run = make_run(runs, "small", "", plan)
    with run.locked():
        pass

    def open_lock() -> None:
        with pytest.raises(PermissionError):
            os.open(f"{run.path.name}/{LOCK}", os.O_RDONLY)

    as_other(runs, open_lock)
    folder = os.open(run.path, os.O_RDONLY)  # which all can open, and lock
    fcntl.flock(folder, fcntl.LOCK_EX)
    with run.locked():
        os.close(folder)


def test_lock_that_others_can_open_is_refused(run: RunFolder) -> None:
    (run.path / LOCK).unlink(missing_ok=True)
    as_other(run.path, lambda: Path(LOCK).touch(0o644))
    with pytest.raises(ExplainedError, match="is not a file that only its owner can open: remove it"):
        lock(run)


def test_results_belong_to_who_called_sudo(run: RunFolder) -> None:
    with run.locked(), run.work_folder() as work:
        (work / "payload").touch()
        add_session(run)
        make_trial(run)
        shutil.rmtree(run.trials / run.plan.trials[0].id)
    write_results(run)
    shutil.chown(run.trials / run.plan.trials[0].id, OTHER, OTHER)
    for file in (run.trials / run.plan.trials[0].id).iterdir():
        shutil.chown(file, OTHER, OTHER)
    report(run.path)
    assert owners(run.path) == {(OTHER, OTHER)}
    assert {path.name for path in run.path.iterdir()} >= {LOCK, "provenance.json", "trials.csv", "figures"}


def test_trial_belongs_to_who_called_sudo_when_it_is_complete(run: RunFolder) -> None:
    with unfinished_folder(run.trials, "some") as folder:
        (folder / "trial.json").write_text("{}")
        (folder / "inner").mkdir()
        (folder / "inner" / "file").touch()
        assert owners(run.trials / ".some.part") == {(0, 0)}, "until then nobody else can put a link in it"
    assert owners(run.trials / "some") == {(OTHER, OTHER)}


def test_user_can_report_without_sudo(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    add_session(run)
    write_results(run)
    report(run.path)
    monkeypatch.delenv("SUDO_UID")

    def report_again() -> None:
        found = RunFolder.open(Path())
        with found.opened() as folder, folder.new_file("trials.csv") as file:
            file.write(b"again")
        with found.locked():
            pass

    as_other(run.path, report_again)
    assert (run.path / "trials.csv").read_text() == "again"


def test_run_is_resumed_with_sudo(run: RunFolder, runs: Path, plan: Plan) -> None:
    assert unfinished_run(runs, "small", plan) == run
    assert latest_run(runs, "small", plan) == run


@pytest.mark.usefixtures("sudo")
def test_folders_that_sudo_makes_belong_to_who_called_it(tmp_path: Path, plan: Plan) -> None:
    run = make_run(tmp_path / "deep" / "runs", "small", "", plan)
    assert owners(tmp_path / "deep") == {(OTHER, OTHER)}
    with unfinished_run_folder(tmp_path / "deep" / "runs", "network") as new:
        (new.inside / "links.csv").touch()
    assert owners(new.path) == {(OTHER, OTHER)}
    assert run.path.parent == new.path.parent


@pytest.mark.usefixtures("sudo")
def test_runs_among_those_of_root_stay_roots(tmp_path: Path, plan: Plan) -> None:
    (tmp_path / "runs").mkdir()
    assert owners(make_run(tmp_path / "runs", "small", "", plan).path) == {(0, 0)}


@pytest.mark.parametrize("variables", [{}, {"SUDO_UID": "x", "SUDO_GID": "0"}, {"SUDO_UID": "0", "SUDO_GID": "0"}])
def test_runs_stay_roots_unless_sudo_says_whose_they_are(
    runs: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name in ("SUDO_UID", "SUDO_GID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert owners(make_run(runs, "small", "", plan).path) == {(0, 0)}


def test_others_cannot_write_whatever_the_umask(runs: Path, plan: Plan) -> None:
    before = os.umask(0)
    try:
        run = make_run(runs, "small", "", plan)
        add_session(run)
        make_trial(run)
        assert not [path for path in run.path.rglob("*") if path.stat().st_mode & 0o022]
    finally:
        os.umask(before)


def test_finished_run_of_another_user_is_no_obstacle(runs: Path, plan: Plan) -> None:
    def finish() -> None:
        folder = Path(PLANTED)
        (folder / "trials" / plan.trials[0].id).mkdir(parents=True)
        (folder / "plan.json").write_text(plan.to_json())
        (folder / "provenance.json").write_text(json.dumps({"sessions": [{"ended": "today"}]}))

    as_other(runs, finish)
    assert unfinished_run(runs, "small", plan) is None
