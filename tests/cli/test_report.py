"""`testbed report`: a summary of a run, and the exit status that its expectations give."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from testbed.results.tables import DIGITS
from testbed.tasks.distribute.columns import TABLES
from tests.cli.conftest import Terminal
from tests.runfolder.runs import (
    DISTURBED,
    GOLDEN,
    Happened,
    golden,
    write_run,
    write_trial,
)

Run = Callable[..., subprocess.CompletedProcess[str]]
LEFT_OUT = (
    "excluded from summary, figures and expectations; trials.csv has the reasons,"
    " and `testbed run --redo-suspect` measures it again"
)
TEXT = """\
sweep: {distribution: [bittorrent, client-server]}
figures: {done: {kind: cdf}}
expect: [ratio.mean < 3]
"""


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    plan = write_run(tmp_path, GOLDEN + TEXT)
    for trial in plan.trials:
        write_trial(tmp_path, trial, golden())
    return tmp_path


def test_report_summarises_run(call: Run, finished: Path) -> None:
    result = call("report", finished)
    assert (result.returncode, result.stderr) == (0, "")
    heading, first, second, expectation, where, page = result.stdout.splitlines()
    assert heading.split()[:5] == ["distribution", "valid", "suspect", "distribution_s", "payload_ratio"]
    assert first.split()[:5] == ["bittorrent", "1", "0", "5", "2.391"]
    assert second.split()[:2] == ["client-server", "1"]
    assert expectation == "as expected: ratio.mean < 3 (ratio.mean = 1.875 of 2 rows)"
    assert where == f"tables and 1 figure in {finished}"
    assert page == f"to look at in a browser: {finished / 'report.html'}"
    assert (finished / "figures" / "done.pdf").exists()


def test_report_fits_the_terminal(on_terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    swept = "sweep: {profile: [course, bep3], zip: {time_scale: [1, 2]}}\npair: profile\nrepeat: 2\n"
    for trial in write_run(
        tmp_path, GOLDEN + swept + "expect: [ratio.mean < 3 where distribution = bittorrent]\n"
    ).trials:
        write_trial(tmp_path, trial, golden())
    lines = on_terminal("report", str(tmp_path)).read_until("tables and").splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["profile", "time_scale", "valid", "suspect", "distribution_s", "payload_ratio"]
    assert "(no room for: jain, peer_utilisation, seed_copies)" in lines
    assert "as expected: ratio.mean < 3 where distribution = bittorrent" in lines[-3]


def reported(call: Run, folder: Path, text: str, *happened: Happened) -> list[str]:
    """Report a run whose first trials happened like this, and return the lines about its expectations."""
    plan = write_run(folder, GOLDEN + text)
    for trial, what in zip(plan.trials, happened, strict=False):
        write_trial(folder, trial, what)
    result = call("report", folder)
    assert result.returncode == 1
    return [line for line in result.stdout.splitlines() if " expected: " in line or " evaluated: " in line]


def test_expectation_about_missing_trials_is_not_evaluated(call: Run, tmp_path: Path) -> None:
    assert reported(call, tmp_path, "expect: [ratio.mean < 3, count = 1]\n") == [
        "not evaluated: ratio.mean < 3 (no trial that it is about has ended)",
        "not evaluated: count = 1 (no trial that it is about has ended)",
    ]


def test_outcomes_of_an_unfinished_run_are_preliminary(call: Run, tmp_path: Path) -> None:
    expected = "expect: [count = 2, ratio.mean < 3, ratio.mean < 3 where distribution = client-server]\n"
    swept = "sweep: {distribution: [bittorrent, client-server]}\n"
    assert reported(call, tmp_path, swept + expected, golden()) == [
        "so far NOT as expected: count = 2 (count = 1 of 1 rows)",
        "so far as expected: ratio.mean < 3 (ratio.mean = 2.5 of 1 rows)",
        "not evaluated: ratio.mean < 3 where distribution = client-server (no trial that it is about has ended)",
    ]


def test_expectation_about_suspect_trials_is_not_evaluated(call: Run, tmp_path: Path) -> None:
    assert reported(call, tmp_path, "expect: [ratio.mean < 3]\n", golden(fidelity=DISTURBED)) == [
        "not evaluated: ratio.mean < 3 (no trial that it is about is valid)"
    ]


def test_missing_numbers_of_valid_trials_fail_an_expectation(call: Run, tmp_path: Path) -> None:
    assert reported(call, tmp_path, "expect: [pieces_bound_s.mean < 3]\n", golden()) == [
        "NOT as expected: pieces_bound_s.mean < 3 (pieces_bound_s.mean = -: none of the 1 rows has a number)"
    ]


def test_repeated_measurements_are_counted(call: Run, finished: Path) -> None:
    first = next((finished / "trials").iterdir())
    for number in (1, 2):
        (finished / "suspect" / f"{first.name}.{number}").mkdir(parents=True)
    lines = call("report", finished).stdout.splitlines()
    assert "1 trial was measured again because the emulation had been disturbed" in lines
    attempts = pd.read_csv(finished / "trials.csv").set_index("trial")["attempts"]
    assert sorted(attempts) == [1, 3]
    assert attempts[first.name] == 3


def test_paired_gains_are_printed(call: Run, tmp_path: Path) -> None:
    swept = "sweep: {profile: [course, bep3], zip: {time_scale: [1, 2]}}\npair: profile\nrepeat: 2\n"
    for trial in write_run(tmp_path, GOLDEN + swept).trials:
        write_trial(tmp_path, trial, golden(late=5.0 if trial.settings.profile == "course" else 0.0))
    lines = call("report", tmp_path).stdout.splitlines()
    heading = next(index for index, line in enumerate(lines) if line.split()[-2:] == ["gain", "p"])
    assert lines[heading].split() == ["profile", "time_scale", "pairs", "group", "gain", "p"]
    rows = [line.split() for line in lines[heading + 1 : heading + 5]]
    assert [row[:4] for row in rows[:2]] == [["bep3", "1.0", "2", "fast"], ["bep3", "2.0", "2", "fast"]]
    assert {row[3] for row in rows[2:]} == {"slow"}
    assert all((float(row[4]), row[-1]) == (1.0, "1") for row in rows[:2])
    assert all(float(row[4]) > 1 and row[-1] == "0.5" for row in rows[2:])


@pytest.mark.parametrize(
    ("suspect", "pairs", "says"),
    [
        ({1}, ["1 of 2"] * 2, "1 of 2 pairs is left out of comparisons: 1 has a suspect trial"),
        ({1, 2}, ["0 of 2"] * 2, "all 2 pairs are left out of comparisons: 2 have a suspect trial"),
    ],
)
def test_pairs_with_suspect_trial_are_counted(
    call: Run, tmp_path: Path, suspect: set[int], pairs: list[str], says: str
) -> None:
    swept = "sweep: {profile: [course, bep3]}\npair: profile\nrepeat: 2\n"
    for trial in write_run(tmp_path, GOLDEN + swept).trials:
        is_suspect = trial.settings.profile == "bep3" and trial.repetition in suspect
        write_trial(tmp_path, trial, golden(fidelity=DISTURBED) if is_suspect else golden())
    lines = call("report", tmp_path).stdout.splitlines()
    heading = next(index for index, line in enumerate(lines) if line.split()[-2:] == ["gain", "p"])
    assert [" ".join(line.split()[1:4]) for line in lines[heading + 1 : heading + 3]] == pairs
    gain = "1" if "1 of 2" in pairs else "-"
    assert [line.split()[5:] for line in lines[heading + 1 : heading + 3]] == [[gain, "-"]] * 2
    assert lines[heading + 3] == says


def test_figures_and_expectations_can_be_changed_later(call: Run, finished: Path) -> None:
    file = finished / "later.yaml"
    file.write_text(GOLDEN + TEXT.replace("done: {kind: cdf}", "use: {kind: timeline}").replace("< 3", "< 1"))
    result = call("report", finished, "--experiment", file)
    assert result.returncode == 1
    assert "NOT as expected: ratio.mean < 1 (ratio.mean = 1.875 of 2 rows)" in result.stdout
    assert (finished / "figures" / "use.pdf").exists()
    file.write_text(GOLDEN + TEXT + "repeat: 2\n")
    result = call("report", finished, "--experiment", file)
    assert (result.returncode, result.stdout) == (2, "")
    assert "only figures and expectations can be changed after the measurement" in result.stderr


def test_failed_expectation_sets_exit_status(call: Run, tmp_path: Path) -> None:
    plan = write_run(tmp_path, GOLDEN + "expect: [ratio.mean < 2]\n")
    write_trial(tmp_path, plan.trials[0], golden())
    result = call("report", tmp_path, "--quiet")
    assert (result.returncode, result.stdout) == (1, "")


def test_complaints_go_to_standard_error(call: Run, tmp_path: Path) -> None:
    plan = write_run(tmp_path, GOLDEN + "repeat: 3\n")
    write_trial(tmp_path, plan.trials[0], golden(fidelity=DISTURBED))
    spoilt = write_trial(tmp_path, plan.trials[1], golden()) / "p1.jsonl.gz"
    spoilt.unlink()
    result = call("report", tmp_path)
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        f"testbed: {spoilt}: is missing",
        "testbed: damaged trials are not used: remove their folders and run the experiment again",
        "testbed: 1 of 3 trials is missing: run the experiment again to complete it",
        f"testbed: 1 of 3 trials is suspect, and {LEFT_OUT}",
    ]
    assert result.stdout.splitlines()[1].split() == ["0", "1", *["-"] * 5]


def test_folder_without_plan_is_refused(call: Run, tmp_path: Path) -> None:
    result = call("report", tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"testbed: {tmp_path} has no plan.json: name a run folder, which `testbed run` makes\n"


WITHOUT_ROOM = """\
mount -t tmpfs -o size=2m tmpfs "$0" && cp -r "$1/plan.json" "$1/trials" "$0" || exit 99
case "$2" in
    full) dd if=/dev/zero of="$0/fill" bs=4k 2>/dev/null ;;
    read-only) mount -o remount,ro "$0" || exit 99 ;;
esac
"$3" report "$0"
status=$?
ls -A "$0" | tr '\\n' ' '
exit "$status"
"""
"""Copy a run into a small file system of its own, and report on it there."""


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("state", "why"), [("full", "no space left on device"), ("read-only", "read-only file system")]
)
def test_unwritable_run_folder_is_reported(finished: Path, command: Path, state: str, why: str) -> None:
    place = finished / "place"
    place.mkdir()
    result = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", WITHOUT_ROOM, place, finished, state, command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2, result.stderr
    assert result.stderr.startswith(f"testbed: {place}/trials.csv cannot be written ({why})")
    left = {"fill", "plan.json", "trials"} if state == "full" else {"plan.json", "trials"}
    assert (len(result.stderr.splitlines()), set(result.stdout.split())) == (1, left)


def test_parquet_without_pyarrow_is_refused(call: Run, finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = call("report", finished, "--parquet")
    assert result.returncode == 2
    assert result.stderr == (
        "testbed: Parquet needs pyarrow: install the testbed with its extra [parquet], or leave --parquet out\n"
    )
    assert not list(finished.glob("*.csv"))


def test_parquet_has_the_same_tables(call: Run, finished: Path) -> None:
    pytest.importorskip("pyarrow", reason="needs the extra [parquet]")
    assert call("report", finished, "--parquet").returncode == 0
    files = sorted(finished.glob("*.csv"))
    assert len(files) == len(TABLES)
    for file in files:
        written = pd.read_csv(file, keep_default_na=False, dtype=str)
        read = pd.read_parquet(file.with_suffix(".parquet"))
        assert list(read.columns) == list(written.columns)
        assert as_text(read).equals(written), file.name


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as it is read from a CSV file that the testbed wrote."""
    stream = StringIO(table.to_csv(index=False, float_format=DIGITS))
    return pd.read_csv(stream, keep_default_na=False, dtype=str)


def test_failed_trial_is_named_and_never_used(call: Run, tmp_path: Path) -> None:
    first, second = write_run(tmp_path, f"{GOLDEN}repeat: 2\n").trials
    write_trial(tmp_path, first, golden())
    why = "ended with exit status 1: ValueError: no (my.py, line 3)"
    peer = first.hosts.peers[0].name
    write_trial(tmp_path, second, replace(golden(late=9.0), hosts={peer: {"exit_code": 1, "why": why, "failed": True}}))
    for options in ([], ["--with-suspect"]):
        result = call("report", tmp_path, *options)
        assert result.returncode == 1
        assert "1 of 2 trials failed, and is never used" in result.stderr
        assert f"{second.id}: {peer} {why}" in result.stderr
        summary = pd.read_csv(tmp_path / "summary.csv").set_index("measure").loc["distribution_s"]
        assert summary[["n", "n_valid", "n_suspect", "n_failed"]].tolist() == [1, 1, 0, 1]
    trials = pd.read_csv(tmp_path / "trials.csv").set_index("trial")
    assert (trials["verdict"][second.id], trials["reasons"][second.id]) == ("failed", f"{peer} {why}")


def test_crash_in_an_older_record_counts_as_failure(call: Run, tmp_path: Path) -> None:
    (trial,) = write_run(tmp_path, GOLDEN).trials
    peer = trial.hosts.peers[0].name
    write_trial(tmp_path, trial, replace(golden(), hosts={peer: {"signal": "SIGSEGV", "why": "was killed: SIGSEGV"}}))
    result = call("report", tmp_path)
    assert (result.returncode, f"{peer} was killed: SIGSEGV" in result.stderr) == (1, True)
