"""`testbed runs`, `open` and `clean`: what is in the folder of runs."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.runfolder.folder import RunFolder, locked
from tests.runfolder.runs import DISTURBED, GOLDEN, golden, write_run, write_trial

Run = Callable[..., subprocess.CompletedProcess[str]]
EARLY, LATE = "small-20261120T000000Z", "small-20261121T000000Z"
TEXT = (
    GOLDEN + "sweep: {distribution: [bittorrent, client-server]}\nfigures: {done: {kind: cdf}}\nexpect: [count = 1]\n"
)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a reported run with a suspect trial, and of a later one with a single trial."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("TESTBED_RUNS", raising=False)
    for name in (EARLY, LATE):
        (tmp_path / "runs" / name).mkdir(parents=True)
        plan = write_run(tmp_path / "runs" / name, TEXT)
        write_trial(tmp_path / "runs" / name, plan.trials[0], golden())
    write_trial(tmp_path / "runs" / EARLY, plan.trials[1], golden(fidelity=DISTURBED))
    RunFolder(tmp_path / "runs" / EARLY, plan).add_session({"started": "today", "ended": "today"})
    return tmp_path / "runs"


def test_runs_are_listed_with_their_trials_and_outcomes(call: Run, runs: Path) -> None:
    call("report", runs / EARLY)
    result = call("runs", "--runs", runs)
    assert (result.returncode, result.stderr) == (0, "")
    header, later, earlier, total = result.stdout.splitlines()
    assert re.split(r" {2,}", header) == ["run", "began", "trials", "valid", "suspect", "as expected", "size"]
    assert later.split()[:7] == [LATE, "2026-11-21", "00:00", "1/2", "1", "0", "?/1"]
    assert earlier.split()[:7] == [EARLY, "2026-11-20", "00:00", "2/2", "1", "1", "1/1"]
    assert total.startswith(f"2 runs in {runs}, ")


def test_run_that_is_in_use_or_damaged_says_so(call: Run, runs: Path) -> None:
    (runs / EARLY / "plan.json").write_text("{}")
    with locked(runs / LATE):
        _, later, earlier, _ = call("runs", "--out", runs).stdout.splitlines()
    assert later.endswith("in use")
    assert "is not a plan of this version" in earlier


def test_json_has_every_run(call: Run, runs: Path) -> None:
    found = json.loads(call("runs", "--runs", runs, "--json").stdout)
    assert [(run["name"], run["state"], run["verdicts"]) for run in found] == [
        (LATE, "unfinished", {"valid": 1}),
        (EARLY, "finished", {"valid": 1, "suspect": 1}),
    ]
    assert (found[0]["planned"], found[0]["expected"], found[0]["held"]) == (2, 1, None)


def test_folder_without_runs_is_no_error(call: Run, tmp_path: Path) -> None:
    assert call("runs", "--runs", tmp_path / "nowhere").stdout == f"there are no runs in {tmp_path / 'nowhere'}\n"
    assert json.loads(call("runs", "--runs", tmp_path, "--json").stdout) == []


@pytest.mark.parametrize(("named", "found"), [(EARLY, EARLY), ("small", LATE), ("small.yaml", LATE), ("", LATE)])
def test_open_prints_paths_without_a_display(
    call: Run, runs: Path, monkeypatch: pytest.MonkeyPatch, named: str, found: str
) -> None:
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    call("report", runs / found)
    shown = call("open", *filter(None, [named]), "--runs", runs).stdout.splitlines()
    assert shown[0] == str(runs / found)
    inside = ("report.html", "trials.csv", "figures/done.pdf")
    assert {f"{runs / found}/{name}" for name in inside} <= set(shown)
    figures = call("open", *filter(None, [named]), "--runs", runs, "--figures")
    assert figures.stdout.splitlines() == [f"{runs / found}/figures/done.pdf"]


def test_open_starts_the_program_of_the_desktop(
    call: Run, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "xdg-open"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/opened\n')
    program.chmod(0o755)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    assert call("open", "small", "--runs", runs).stdout == f"{runs / LATE}\n"
    call("report", runs / LATE)
    assert call("open", "small", "--runs", runs).stdout == f"{runs / LATE}/report.html\n"
    assert (tmp_path / "opened").read_text() == f"{runs / LATE}\n{runs / LATE}/report.html\n"
    program.write_text("#!/bin/sh\necho no program for it >&2\nexit 3\n")
    assert call("open", "small", "--runs", runs).stderr.endswith("cannot be opened: no program for it\n")


@pytest.mark.parametrize("command", ["open", "report"])
def test_unknown_run_is_refused_with_the_nearest(call: Run, runs: Path, command: str) -> None:
    result = call(command, "smal", "--runs", runs)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"testbed: {runs} has no run 'smal' (did you mean small?): `testbed runs` lists them\n"


def test_report_takes_the_name_of_an_experiment(call: Run, runs: Path) -> None:
    assert call("report", "small", "--runs", runs).stdout.endswith(
        f"to look at in a browser: {runs / LATE}/report.html\n"
    )


def test_run_without_figures_is_refused(call: Run, runs: Path) -> None:
    result = call("open", "small", "--runs", runs, "--figures")
    assert (result.returncode, result.stdout) == (2, "")
    assert "has no figures: `testbed report` draws those" in result.stderr


def test_clean_lists_until_it_is_told_to_remove(call: Run, runs: Path) -> None:
    later = RunFolder.open(runs / LATE)
    write_trial(later.path, later.plan.trials[1], golden())
    later.add_session({"started": "today", "ended": "today"})
    listed = call("clean", "--runs", runs, "--keep-latest", "1")
    assert listed.returncode == 0
    _, row, total = listed.stdout.splitlines()
    assert row.endswith(f"finished run  {runs / EARLY}")
    assert total.endswith("can be removed. Nothing has been removed yet: add --remove to do it")
    assert (runs / EARLY).exists()

    removed = call("clean", "--runs", runs, "--keep-latest", "1", "--remove")
    assert removed.returncode == 0
    assert removed.stdout.splitlines()[-1].startswith("removed ")
    assert [path.name for path in runs.iterdir()] == [LATE]
    assert call("clean", "--runs", runs, "--remove").stdout == f"there is nothing to remove in {runs}\n"


def test_clean_leaves_a_run_in_use_and_says_so(call: Run, runs: Path) -> None:
    with locked(runs / LATE):
        assert "in use: left alone" in call("clean", "--runs", runs, "--unfinished").stdout
        removed = call("clean", "--runs", runs, "--unfinished", "--remove")
    assert (removed.returncode, (runs / LATE).exists()) == (0, True)
    assert "stays: in use" in removed.stdout
