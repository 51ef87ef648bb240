"""`testbed report`: a run in short, and the exit status by what was expected."""

import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from tests.results.runs import DISTURBED, GOLDEN, golden, write_run, write_trial

Run = Callable[..., subprocess.CompletedProcess[str]]
LEFT_OUT = "left out of summary, figures and expectations; trials.csv has the reasons"
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


def test_a_run_in_short(called: Run, finished: Path) -> None:
    answer = called("report", finished)
    assert (answer.returncode, answer.stderr) == (0, "")
    heading, first, second, expectation, where = answer.stdout.splitlines()
    assert heading.split()[:5] == ["distribution", "valid", "suspect", "distribution_s", "payload_ratio"]
    assert first.split()[:5] == ["bittorrent", "1", "0", "5", "2.391"]
    assert second.split()[:2] == ["client-server", "1"]
    assert expectation == "as expected: ratio.mean < 3 (ratio.mean = 1.875 of 2 rows)"
    assert where == f"tables and 1 figure in {finished}"
    assert (finished / "figures" / "done.pdf").exists()


def test_what_is_not_as_expected_makes_the_exit_status(called: Run, tmp_path: Path) -> None:
    plan = write_run(tmp_path, GOLDEN + "expect: [ratio.mean < 2]\n")
    write_trial(tmp_path, plan.trials[0], golden())
    answer = called("report", tmp_path, "--quiet")
    assert (answer.returncode, answer.stdout) == (1, "")


def test_what_is_wrong_is_said_on_standard_error(called: Run, tmp_path: Path) -> None:
    plan = write_run(tmp_path, GOLDEN + "repeat: 3\n")
    write_trial(tmp_path, plan.trials[0], golden(fidelity=DISTURBED))
    spoilt = write_trial(tmp_path, plan.trials[1], golden()) / "p1.jsonl.gz"
    spoilt.unlink()
    answer = called("report", tmp_path)
    assert answer.returncode == 1
    assert answer.stderr.splitlines() == [
        f"testbed: {spoilt}: is missing",
        "testbed: nothing of what is damaged is used; remove those folders, and run the experiment again",
        "testbed: 1 of 3 trials are not there yet: run the experiment again to go on",
        f"testbed: 1 of 3 trials are suspect, and {LEFT_OUT}",
    ]
    assert answer.stdout.splitlines()[1].split() == ["0", "1", *["-"] * 5]


def test_what_is_no_run_is_refused(called: Run, tmp_path: Path) -> None:
    answer = called("report", tmp_path)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == f"testbed: {tmp_path} has no plan.json: name a run folder, which `testbed run` makes\n"


@pytest.mark.skipif(find_spec("pyarrow") is not None, reason="pyarrow is there")
def test_parquet_without_what_it_needs_is_refused(called: Run, finished: Path) -> None:
    answer = called("report", finished, "--parquet")
    assert answer.returncode == 2
    assert answer.stderr == (
        "testbed: Parquet needs pyarrow: install it (pip install pyarrow), or leave --parquet out\n"
    )
    assert not list(finished.glob("*.csv"))


@pytest.mark.skipif(find_spec("pyarrow") is None, reason="needs pyarrow")
def test_parquet_has_the_same_tables(called: Run, finished: Path) -> None:
    assert called("report", finished, "--parquet").returncode == 0
    for file in finished.glob("*.csv"):
        table = pd.read_parquet(file.with_suffix(".parquet"))
        assert list(table.columns) == list(pd.read_csv(file).columns)
