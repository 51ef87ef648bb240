"""`testbed run`: from a file to tables; interrupted, killed, resumed and refused runs."""

import csv
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from testbed.experiment import make_plan, read_experiment
from tests.cli.conftest import Terminal
from tests.network.leftovers import Watch, child_of
from tests.runfolder.others import OTHER, Victim, as_other
from tests.trial.plans import BASE, written

pytestmark = pytest.mark.kernel

Run = Callable[..., subprocess.CompletedProcess[str]]

SWEEP = """
sweep:
  distribution: [client-server, fluid, bittorrent]
expect:
  - count = 3
"""
TIMEOUT_S = 20
MOST_SECONDS_TO_STOP = 5
"""On a machine that others use too; alone, it is less than one."""


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "runs"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path, more=SWEEP)


def rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as lines:
        return list(csv.DictReader(lines))


def complete_trials(run: Path) -> set[str]:
    return {folder.name for folder in (run / "trials").iterdir() if not folder.name.startswith(".")}


@contextmanager
def running(command: Path, file: Path, runs: Path, *more: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run the command as long as the block; it prints its events as JSON lines."""
    arguments = [command, "run", file, "--runs", runs, "--json", *more]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], wanted: str, count: int = 1) -> dict[str, Any]:
    """Read events until the one of this name has come `count` times, and return it."""
    assert process.stdout is not None
    for line in process.stdout:
        event: dict[str, Any] = json.loads(line)
        if event["event"] == wanted:
            count -= 1
            if not count:
                return event
    raise AssertionError(f"no {wanted!r} before the end")


def test_run_leaves_trials_tables_and_provenance(testbed: Run, file: Path, runs: Path) -> None:
    result = testbed("run", file, "--runs", runs)
    assert "Traceback" not in result.stderr
    (run,) = runs.iterdir()
    assert run.name.startswith("small-20")
    assert (run / "experiment.yaml").read_bytes() == file.read_bytes()
    assert len(complete_trials(run)) == 3
    assert not (run / ".work").exists()
    trials = rows(run / "trials.csv")
    assert [trial["distribution"] for trial in trials] == ["client-server", "fluid", "bittorrent"]
    assert all(float(trial["payload_ratio"]) > 0.95 for trial in trials)
    (session,) = json.loads((run / "provenance.json").read_text())["sessions"]
    assert session["command"][1:] == ["run", str(file), "--runs", str(runs)]
    assert session["started"] <= session["ended"]
    assert {"testbed", "kernel", "mininet"} <= session["versions"].keys()
    assert session["host_settings"]["congestion control"] == "cubic"
    assert f"3 trials in {run}" in result.stderr


def owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in (folder, *folder.rglob("*"))}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user too")
def test_root_follows_no_link_of_another_user(testbed: Run, tmp_path: Path, runs: Path) -> None:
    file = written(tmp_path, more="distribution: fluid\n")
    victim = Victim.made(tmp_path / "victim")
    runs.mkdir(parents=True)
    runs.chmod(0o1777)
    plan = make_plan(read_experiment(file)).to_json()

    def plant() -> None:
        folder = Path("small-99990101T000000Z")
        folder.mkdir()
        (folder / "plan.json").write_text(plan)
        (folder / ".provenance.json").symlink_to(victim.path / "file")
        (folder / ".trials.csv.part").symlink_to(victim.path / "trials.csv")
        (folder / "trials").symlink_to(victim.path)

    as_other(runs, plant)
    result = testbed("run", file, "--runs", runs)
    assert result.returncode in {0, 1}
    (run,) = (runs / "root").iterdir()
    assert len(complete_trials(run)) == 1
    assert victim.is_untouched()
    assert owners(run) == {0}

    result = testbed("report", runs / "small-99990101T000000Z")
    assert result.returncode == 2
    assert "belongs to the user nobody: what belongs to others is never changed; copy it" in result.stderr
    assert victim.is_untouched()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user too")
def test_results_of_sudo_belong_to_its_caller(
    testbed: Run, tmp_path: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", str(OTHER))
    monkeypatch.setenv("SUDO_GID", str(OTHER))
    file = written(tmp_path, more="distribution: fluid\ncapture: all\nfigures: {times: {kind: cdf}}\n")
    result = testbed("run", file, "--runs", runs)
    assert "Traceback" not in result.stderr
    (run,) = runs.iterdir()
    assert owners(runs) == {OTHER}
    (trial,) = (run / "trials").iterdir()
    assert {"server.pcapng.gz", "trial.json"} <= {path.name for path in trial.iterdir()}


def test_killed_run_leaves_nothing_and_can_resume(
    command: Path, testbed: Run, file: Path, runs: Path, tmp_path: Path
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    watch = Watch(temporary)
    with running(command, file, runs, env={**os.environ, **watch.environment}) as process:
        first = read_until(process, "trial ended")["id"]
        read_until(process, "progress")
        process.kill()
        process.wait()
    assert watch.wait_until_clean(TIMEOUT_S) == []
    (run,) = runs.iterdir()
    assert complete_trials(run) == {first}
    kept = (run / "trials" / first / "trial.json").stat().st_mtime_ns

    result = testbed("run", file, "--runs", runs)
    assert f"resuming {run}: 1 of 3 trials is complete" in result.stderr
    assert list(runs.iterdir()) == [run]
    assert (run / "trials" / first / "trial.json").stat().st_mtime_ns == kept
    assert [trial["distribution"] for trial in rows(run / "trials.csv")] == ["client-server", "fluid", "bittorrent"]
    assert {path.name for path in (run / "trials").iterdir()} == complete_trials(run)
    sessions = json.loads((run / "provenance.json").read_text())["sessions"]
    assert [session["ended"] is None for session in sessions] == [True, False]


def test_first_ctrl_c_ends_run_after_trial(command: Path, file: Path, runs: Path) -> None:
    with running(command, file, runs) as process:
        read_until(process, "progress")
        process.send_signal(signal.SIGINT)
        last = read_until(process, "run ended")
        assert process.wait(TIMEOUT_S) == 130
    (run,) = runs.iterdir()
    assert (last["missing"], last["exit_status"]) == (2, 130)
    assert len(complete_trials(run)) == 1
    assert len(rows(run / "trials.csv")) == 1


def test_first_ctrl_c_ends_building_at_once(command: Path, tmp_path: Path, runs: Path) -> None:
    """Building three hundred hosts and starting their programs takes many seconds."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    watch = Watch(temporary)
    many = written(tmp_path, peers="homes: {count: 300, up: 1 Mbit/s, down: 16 Mbit/s}")
    with running(command, many, runs, env={**os.environ, **watch.environment}) as process:
        read_until(process, "trial began")
        while child_of(process.pid) is None:
            pass
        process.send_signal(signal.SIGINT)
        interrupted = time.monotonic()
        assert read_until(process, "run ended")["missing"] == 1
        assert process.wait(TIMEOUT_S) == 130
        assert time.monotonic() - interrupted < MOST_SECONDS_TO_STOP
        assert process.stderr is not None
        said = process.stderr.read().splitlines()
    assert [line for line in said if "stopped before the trial began" in line] == said[-1:]
    assert watch.wait_until_clean(TIMEOUT_S) == []
    (run,) = runs.iterdir()
    assert list((run / "trials").iterdir()) == []
    assert not (run / ".work").exists()


@pytest.mark.parametrize("option", [[], ["--force"]])
def test_machine_refuses_what_it_cannot_hold_unless_forced(
    command: Path, testbed: Run, tmp_path: Path, runs: Path, option: list[str]
) -> None:
    huge = written(tmp_path, base=BASE.replace("1 MiB", "1000 TiB"), more="distribution: fluid\n")
    if option:
        with running(command, huge, runs, *option) as process:
            read_until(process, "trial began")
            # Ctrl-C would wait for the end of the trial, if its hosts have begun.
            process.send_signal(signal.SIGTERM)
            # The signal ends it, or is forwarded to the trial's sandbox if there is one already.
            assert process.wait(3 * TIMEOUT_S) in {-signal.SIGTERM, 143}
        return
    result = testbed("run", huge, "--runs", runs)
    assert (result.returncode, runs.exists()) == (2, False)
    assert "this machine cannot run it: the run needs at least 1000 TiB of disk" in result.stderr
    assert "--force runs it all the same" in result.stderr


def test_second_ctrl_c_drops_running_trial(command: Path, tmp_path: Path, runs: Path) -> None:
    ten_seconds_long = written(tmp_path, base=BASE.replace("1 MiB", "8 MiB"), more=SWEEP)
    with running(command, ten_seconds_long, runs) as process:
        read_until(process, "progress")
        process.send_signal(signal.SIGINT)
        while not read_until(process, "progress")["is_last"]:
            pass
        process.send_signal(signal.SIGINT)
        assert read_until(process, "run ended")["missing"] == 3
        assert process.wait(TIMEOUT_S) == 130
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    (run,) = runs.iterdir()
    assert list((run / "trials").iterdir()) == []
    assert not (run / ".work").exists()


def test_sigterm_keeps_only_complete_trials(command: Path, file: Path, runs: Path) -> None:
    with running(command, file, runs) as process:
        read_until(process, "trial ended")
        read_until(process, "progress")
        process.terminate()
        assert process.wait(TIMEOUT_S) == 143
    (run,) = runs.iterdir()
    assert len(list((run / "trials").iterdir())) == 1


def test_finished_run_is_not_resumed(testbed: Run, tmp_path: Path, runs: Path) -> None:
    file = written(tmp_path, more="distribution: fluid\n")
    for expected in (1, 2):
        testbed("run", file, "--runs", runs, "--quiet")
        assert len(list(runs.iterdir())) == expected


def test_fresh_starts_new_run(command: Path, testbed: Run, tmp_path: Path, runs: Path) -> None:
    file = written(tmp_path, more="distribution: fluid\n")
    with running(command, file, runs) as process:
        read_until(process, "run began")
        process.kill()
        process.wait()
    result = testbed("run", file, "--runs", runs, "--fresh", "--quiet")
    assert "Traceback" not in result.stderr
    assert len(list(runs.iterdir())) == 2


def test_redo_suspect_repeats_only_suspect_trials(testbed: Run, tmp_path: Path, runs: Path) -> None:
    file = written(tmp_path, more="sweep:\n  distribution: [client-server, fluid]\n")
    testbed("run", file, "--runs", runs, "--quiet")
    (run,) = runs.iterdir()
    first, second = sorted(complete_trials(run))
    _set_verdict(run / "trials" / first, "suspect")
    _set_verdict(run / "trials" / second, "valid")
    kept = (run / "trials" / second / "trial.json").stat().st_mtime_ns

    file.write_text(file.read_text() + "expect: [count >= 1]\n")
    result = testbed("run", file, "--runs", runs, "--redo-suspect")
    assert f"resuming {run}: 1 of 2 trials is complete" in result.stderr
    assert "as expected: count >= 1" in result.stdout
    assert list(runs.iterdir()) == [run]
    assert complete_trials(run) == {first, second}
    assert (run / "trials" / second / "trial.json").stat().st_mtime_ns == kept
    assert [folder.name for folder in (run / "suspect").iterdir()] == [f"{first}.1"]
    assert {row["trial"]: row["attempts"] for row in rows(run / "trials.csv")} == {first: "2", second: "1"}


def _set_verdict(trial: Path, verdict: str) -> None:
    record = json.loads((trial / "trial.json").read_text())
    record["fidelity"]["verdict"] = verdict
    (trial / "trial.json").write_text(json.dumps(record))


def test_redo_suspect_needs_earlier_run(testbed: Run, file: Path, runs: Path) -> None:
    result = testbed("run", file, "--runs", runs, "--redo-suspect")
    assert (result.returncode, runs.exists()) == (2, False)
    assert "has no run of these trials" in result.stderr
    result = testbed("run", file, "--runs", runs, "--redo-suspect", "--fresh")
    assert result.returncode == 2
    assert "--fresh starts a new run and --redo-suspect continues an old one" in result.stderr


def test_run_in_use_is_refused(command: Path, testbed: Run, file: Path, runs: Path) -> None:
    with running(command, file, runs) as process:
        read_until(process, "progress")
        result = testbed("run", file, "--runs", runs)
        assert result.returncode == 2
        assert "is being run by another command" in result.stderr


@pytest.mark.parametrize(("expected", "status"), [("count = 1", 0), ("count = 2", 1)])
def test_expectations_set_exit_status(testbed: Run, tmp_path: Path, runs: Path, expected: str, status: int) -> None:
    """Suspect trials do not count, so a trial that is disturbed by other programs is repeated."""
    file = written(tmp_path, more=f"distribution: client-server\nexpect:\n  - {expected}\n")
    for _ in range(5):
        result = testbed("run", file, "--runs", runs)
        if "suspect" not in result.stderr:
            break
    assert result.returncode == status


def test_terminal_shows_live_progress(on_terminal: Callable[..., Terminal], tmp_path: Path, runs: Path) -> None:
    file = written(tmp_path, more="distribution: fluid\n")
    terminal = on_terminal("run", str(file), "--runs", str(runs))
    shown = terminal.read_until("times the payload bound")
    assert "of 3 peers complete" in shown
    assert "fidelity:" in shown
    assert "0 of 1 trial complete" in shown


def test_two_ctrl_c_leave_nothing_of_the_trial_on_the_terminal(
    on_terminal: Callable[..., Terminal], tmp_path: Path, runs: Path
) -> None:
    file = written(tmp_path, base=BASE.replace("1 MiB", "8 MiB"), more=f"{SWEEP}  - payload_ratio.max < 2\n")
    terminal = on_terminal("run", str(file), "--runs", str(runs))
    terminal.read_until("starting programs")
    terminal.read_until("fidelity: ")
    terminal.type("\x03")
    terminal.read_until("press Ctrl-C again to stop now and discard it")
    terminal.type("\x03")
    after = terminal.read_to_end()
    assert "as expected" not in after
    assert "\x1b[?25h" in after
    assert terminal.exit_status() == 130


def test_unknown_application_leaves_no_run(testbed: Run, tmp_path: Path, runs: Path) -> None:
    file = written(tmp_path, peers="homes: {count: 2, up: 8 Mbit/s, application: no-such}")
    result = testbed("run", file, "--runs", runs)
    assert result.returncode == 2
    assert "unknown application 'no-such'" in result.stderr
    assert not runs.exists()


FRAGILE = """
from dataclasses import replace
from peer.bittorrent.strategies.api import tit_for_tat

class Fragile:
    def allocate(self, view):
        return view.neighbours

def fragile(profile, rng, *, departure="stay"):
    return replace(tit_for_tat(profile, rng, departure=departure), choker=Fragile())
"""


def test_crashed_strategy_fails_the_run(testbed: Run, tmp_path: Path, runs: Path) -> None:
    (tmp_path / "fragile.py").write_text(FRAGILE)
    peers = """
        one: {count: 1, up: 8 Mbit/s, strategy: "fragile:fragile"}
        others: {count: 2, up: 8 Mbit/s}
    """
    file = written(tmp_path, peers=peers)
    result = testbed("run", file, "--runs", runs)
    why = "p1 ended with exit status 1: AttributeError: 'ChokingView' object has no attribute 'neighbours'"
    assert result.returncode == 1
    assert f"all ended, 2 of 3 peers complete; failed: {why} (fragile.py, line 7)" in result.stderr
    assert "1 of 1 trial failed, and is never used" in result.stderr
    (run,) = runs.iterdir()
    (row,) = rows(run / "trials.csv")
    assert (row["verdict"], row["reasons"].partition("; ")[0]) == ("failed", f"{why} (fragile.py, line 7)")

    again = testbed("run", file, "--runs", runs, "--redo-failed", "--quiet")
    assert again.returncode == 1
    assert [row["attempts"] for row in rows(run / "trials.csv")] == ["2"]


def test_only_named_trials_run_and_others_may_be_missing(testbed: Run, tmp_path: Path, runs: Path) -> None:
    file = written(tmp_path, more=SWEEP)
    result = testbed("run", file, "--runs", runs, "--only", "2", "--only", "client-server")
    assert result.returncode == 0, result.stderr
    (run,) = runs.iterdir()
    assert {name.split("_")[0] for name in complete_trials(run)} == {"distribution-fluid", "distribution-client-server"}
    assert "1 of 3 trials is missing" in result.stderr

    testbed("run", file, "--runs", runs)
    assert list(runs.iterdir()) == [run]
    assert len(complete_trials(run)) == 3


def test_unknown_trial_leaves_no_run(testbed: Run, file: Path, runs: Path) -> None:
    result = testbed("run", file, "--runs", runs, "--only", "4")
    assert (result.returncode, runs.exists()) == (2, False)
    assert result.stderr == "testbed: there is no trial 4: `testbed plan` numbers them from 1 to 3\n"


def test_run_folder_has_the_values_that_were_set(testbed: Run, tmp_path: Path, runs: Path) -> None:
    file = written(tmp_path, more=SWEEP)
    words = ("--set", "distribution=fluid", "--set", "peers.homes.count=2")
    testbed("run", file, "--out", runs, *words, "--quiet")
    (run,) = runs.iterdir()
    assert [row["distribution"] for row in rows(run / "trials.csv")] == ["fluid"]
    assert len(rows(run / "peers.csv")) == 2
    planned = testbed("plan", run / "experiment.yaml", "--json").stdout
    assert json.loads(planned)["trials"] == json.loads((run / "plan.json").read_text())["trials"]
    (session,) = json.loads((run / "provenance.json").read_text())["sessions"]
    assert session["command"][-5:-1] == list(words)


def test_experiment_from_standard_input_is_not_run(testbed: Run, file: Path, runs: Path) -> None:
    result = testbed("run", "-", "--runs", runs, stdin=file.read_text())
    assert (result.returncode, runs.exists()) == (2, False)
    assert "write the experiment into a file" in result.stderr
