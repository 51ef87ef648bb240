"""`testbed grade`: markings, answers, and the points of runs whose numbers are written by hand."""

import csv
import json
import subprocess
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from tests.cli.conftest import call  # noqa: F401  A fixture.
from tests.runfolder.runs import DISTURBED, GOLDEN, Happened, golden, write_run, write_trial

Run = Callable[..., subprocess.CompletedProcess[str]]

MARKING = """\
starting_file: start.yaml
may_change: [peers.fast.up]
pass: 3
questions:
  - asks: Done within six seconds
    points: 2
    expect: [distribution_s.max <= 6 s]
  - asks: Who wasted payload
    points: 2
    expect:
      - (count where peer in ({wasters}) and wasted_bytes > 0) = (count where wasted_bytes > 0)
      - (count where peer in ({wasters})) = (count where wasted_bytes > 0)
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a starting file and its marking; it is the present one, and has no runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TESTBED_RUNS", raising=False)
    (tmp_path / "start.yaml").write_text(GOLDEN)
    (tmp_path / "marking.yaml").write_text(MARKING)
    return tmp_path


def hand_in(folder: Path, text: str, *happened: Happened, name: str = "mine") -> Path:
    """Write a submission and its run, and return its file."""
    file = folder / f"{name}.yaml"
    file.write_text(text)
    run = folder / "runs" / f"{name}-20260101T000000Z"
    run.mkdir(parents=True)
    for trial, what in zip(write_run(run, text).trials, happened, strict=False):
        write_trial(run, trial, what)
    return file


def test_right_answers_earn_all_points(call: Run, lab: Path) -> None:  # noqa: F811
    file = hand_in(lab, GOLDEN + "x-answers: {wasters: [p2]}\n", golden())
    result = call("grade", "marking.yaml", file.name)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "mine.yaml: 4 of 4 points: passed",
        "  2 of 2  Done within six seconds",
        "  2 of 2  Who wasted payload",
    ]


@pytest.mark.parametrize("wasters", ["[p1]", "[p1, p2]", "[nobody]"])
def test_wrong_answers_earn_nothing_and_are_explained(call: Run, lab: Path, wasters: str) -> None:  # noqa: F811
    file = hand_in(lab, f"{GOLDEN}x-answers: {{wasters: {wasters}}}\n", golden())
    result = call("grade", "marking.yaml", file.name)
    assert result.returncode == 1
    assert result.stdout.splitlines()[0] == "mine.yaml: 2 of 4 points: not passed"
    assert "  0 of 2  Who wasted payload" in result.stdout
    assert "NOT as expected: (count where peer in (" in result.stdout


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ("", "there is no answer: write wasters: ... below x-answers:"),
        ("x-answers: {wasters: []}\n", "there is no answer: write wasters: ... below x-answers:"),
        (
            'x-answers: {wasters: "p1) or peer in (p2"}\n',
            "x-answers.wasters: 'p1) or peer in (p2' is no number, word or quantity",
        ),
    ],
)
def test_missing_or_strange_answers_earn_nothing(call: Run, lab: Path, answers: str, why: str) -> None:  # noqa: F811
    file = hand_in(lab, GOLDEN + answers, golden())
    result = call("grade", "marking.yaml", file.name)
    assert result.returncode == 1
    assert f"          {why}" in result.stdout.splitlines()


def test_allowed_changes_are_graded(call: Run, lab: Path) -> None:  # noqa: F811
    changed = GOLDEN.replace("fast: {count: 1, up: 4", "fast: {count: 1, up: 5").replace("Three hosts", "Mine")
    file = hand_in(lab, changed + "seed: 7\nfigures: {done: {kind: cdf}}\nx-answers: {wasters: [p2]}\n", golden())
    assert call("grade", "marking.yaml", file.name).returncode == 0


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("2 MB", "1 MB", "file.size is 1 MB, and was 2 MB"),
        ("trace_level: pieces", "trace_level: pieces\nrepeat: 1", "repeat is new"),
        ("trace_level: pieces\n", "", "trace_level is missing"),
        ("slow: {count: 1, up: 4", "slow: {count: 1, up: 5", "peers.slow.up is 5 Mbit/s, and was 4 Mbit/s"),
    ],
)
def test_other_changes_are_named_and_not_graded(
    call: Run,  # noqa: F811
    lab: Path,
    before: str,
    after: str,
    told: str,
) -> None:
    file = hand_in(lab, GOLDEN.replace(before, after), golden())
    result = call("grade", "marking.yaml", file.name)
    assert (result.returncode, result.stdout.strip()) == (1, "")
    assert f"mine.yaml: not graded: it is another experiment than start.yaml: {told}" in result.stderr


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        ([], "1 of 1 trial is missing: run it again"),
        (
            [golden(fidelity=DISTURBED)],
            "1 of 1 trial is suspect: measure again with `testbed run --redo-suspect`",
        ),
        ([golden()], "failed: p2 crashed"),
    ],
)
def test_unusable_runs_are_not_graded(call: Run, lab: Path, happened: list[Happened], told: str) -> None:  # noqa: F811
    if "crashed" in told:
        happened[0].hosts = {"p2": {"exit_code": 1, "why": "crashed", "failed": True}}
    file = hand_in(lab, GOLDEN, *happened)
    result = call("grade", "marking.yaml", file.name)
    assert result.returncode == 1
    assert "mine.yaml: not graded: " in result.stderr
    assert told in result.stderr


def test_suspect_runs_are_graded_if_asked(call: Run, lab: Path) -> None:  # noqa: F811
    file = hand_in(lab, GOLDEN + "x-answers: {wasters: [p2]}\n", golden(fidelity=DISTURBED))
    assert call("grade", "marking.yaml", file.name, "--with-suspect").returncode == 0


def test_one_bad_submission_does_not_keep_others_from_grades(call: Run, lab: Path) -> None:  # noqa: F811
    good = hand_in(lab, GOLDEN + "x-answers: {wasters: [p2]}\n", golden(), name="ada")
    (lab / "eve.yaml").write_text("peers: [")
    result = call("grade", "marking.yaml", good.name, "eve.yaml", "--csv")
    rows = list(csv.DictReader(StringIO(result.stdout)))
    assert result.returncode == 1
    assert [(row["submission"], row["points"]) for row in rows] == [
        ("ada.yaml", "2"),
        ("ada.yaml", "2"),
        ("eve.yaml", ""),
    ]
    assert rows[-1]["why"].startswith("not graded: it has errors: eve.yaml:1:")


def test_grades_as_json(call: Run, lab: Path) -> None:  # noqa: F811
    file = hand_in(lab, GOLDEN, golden())
    (found,) = json.loads(call("grade", "marking.yaml", file.name, "--json").stdout)
    assert (found["points"], found["of"], found["passed"]) == (2, 4, False)
    assert [question["points"] for question in found["questions"]] == [2, 0]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("pass: 3", "pass: 5", "nobody can have 5 points: there are 4"),
        ("pass: 3", "pas: 3", "pas: unknown key"),
        ("distribution_s.max", "distribution.maximum", "Done within six seconds"),
        ("distribution_s.max", "distributed_s.max", "no table has distributed_s"),
        ("start.yaml", "gone.yaml", "no such file"),
    ],
)
def test_wrong_markings_are_refused(call: Run, lab: Path, before: str, after: str, told: str) -> None:  # noqa: F811
    (lab / "marking.yaml").write_text(MARKING.replace(before, after))
    file = hand_in(lab, GOLDEN, golden())
    result = call("grade", "marking.yaml", file.name)
    assert result.returncode == 2
    assert told in result.stderr
