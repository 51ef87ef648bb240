"""`testbed compare`: runs of one experiment side by side, and an exit status for CI."""

import csv
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from testbed.experiment import Trial
from testbed.runfolder.folder import RunFolder
from tests.cli.conftest import Terminal
from tests.runfolder.runs import DISTURBED, GOLDEN, Happened, golden, write_run, write_trial

Run = Callable[..., subprocess.CompletedProcess[str]]
SWEPT = GOLDEN + "sweep: {time_scale: [1, 2]}\nrepeat: 4\n"
LATES = (0.0, 0.1, 0.2, 0.3)
"""How late the last peer completes after 5 s, by repetition."""


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a run in which some trials happened so."""

    def write(
        name: str,
        text: str = SWEPT,
        *,
        slower: float = 1.0,
        happened: Callable[[Trial], Happened | None] | None = None,
        session: Mapping[str, Any] | None = None,
    ) -> Path:
        run = tmp_path / name
        run.mkdir()
        plan = write_run(run, text)
        for trial in plan.trials:
            found = lasting(trial, slower) if happened is None else happened(trial)
            if found is not None:
                write_trial(run, trial, found)
        if session is not None:
            RunFolder(run, plan).add_session(dict(session))
        return run

    return write


def lasting(trial: Trial, slower: float = 1.0, **changes: Any) -> Happened:
    """Return what happens in a trial that takes a little longer in each repetition, and then some times as long."""
    late = (5 + LATES[trial.repetition - 1]) * slower - 5
    return golden(late=late, **changes)


def findings(call: Run, *arguments: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(call("compare", *arguments, "--json").stdout)["findings"]
    return found


def test_difference_and_its_absence_are_told(call: Run, make: Callable[..., Path]) -> None:
    def of_other(trial: Trial) -> Happened:
        """Twice as long at one point only."""
        return lasting(trial, 2 if trial.settings.time_scale == 2 else 1)

    text = SWEPT.replace("repeat: 4", "repeat: 4\nseed: 7")
    first, other = make("first"), make("other", text, happened=of_other)
    result = call("compare", first, other, "--measure", "distribution_s", "--margin", "10%")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[:3] == ["A  first", "B  other", "   seed: 1 -> 7"]
    table = [line.split() for line in lines if line.startswith("distribution_s")]
    assert [(row[1], row[-2] if row[-1][0] == "~" else row[-1]) for row in table] == [
        ("1", "equivalent"),
        ("2", "different"),
    ]
    assert "2 comparisons: 1 different, 1 equivalent within 10 %, 0 undecided" in lines


def test_comparison_fits_the_terminal(on_terminal: Callable[..., Terminal], make: Callable[..., Path]) -> None:
    runs = [str(make(name, slower=slower)) for name, slower in (("a", 1), ("b", 1.02), ("c", 1.5))]
    text = on_terminal("compare", *runs, "--fail-if", "distribution_s > 1.1").read_until("4 undecided")
    assert max(map(len, text.splitlines())) <= 80
    assert "\ndistribution_s    C  " in text


def test_trials_with_the_same_draws_are_pairs(call: Run, make: Callable[..., Path]) -> None:
    """Each is two percent slower: within pairs that is no variation at all."""
    runs = make("first"), make("other", slower=1.02)
    found = findings(call, *runs, "--measure", "distribution_s")
    assert [(each["paired"], each["n_first"], each["ratio"]) for each in found] == [(True, 4, pytest.approx(1.02))] * 2
    found = findings(call, *runs, "--measure", "distribution_s", "--unpaired")
    assert not any(each["paired"] for each in found)
    assert all(each["low"] < 1 < each["high"] for each in found)


def test_values_of_a_swept_key_are_compared(call: Run, make: Callable[..., Path]) -> None:
    def happened(trial: Trial) -> Happened:
        return lasting(trial, 1.5 if trial.settings.profile == "bep3" else 1)

    text = GOLDEN + "sweep: {profile: [course, bep3, mainline], time_scale: [1, 2]}\nrepeat: 4\n"
    run = make("run", text, happened=happened)
    found = findings(call, run, "--by", "profile", "--measure", "distribution_s")
    assert [(each["first"], each["other"], each["time_scale"]) for each in found] == [
        ("profile = course", f"profile = {profile}", scale) for profile in ("bep3", "mainline") for scale in (1, 2)
    ]
    assert [each["outcome"] for each in found[:2]] == ["different"] * 2
    assert [each["ratio"] for each in found[2:]] == [1, 1]


def test_paired_values_of_a_key_are_pairs(call: Run, make: Callable[..., Path]) -> None:
    run = make("run", GOLDEN + "sweep: {profile: [course, bep3]}\npair: profile\nrepeat: 4\n")
    assert all(each["paired"] for each in findings(call, run, "--by", "profile"))


def test_groups_are_compared_by_name(call: Run, make: Callable[..., Path]) -> None:
    found = findings(call, make("first"), make("other", slower=2), "--measure", "download_mean_s")
    assert [(each["group"], round(each["ratio"])) for each in found] == [
        ("fast", 1),
        ("fast", 1),
        ("slow", 2),
        ("slow", 2),
    ]


def test_what_differs_is_said_at_the_top(call: Run, make: Callable[..., Path]) -> None:
    def session(commit: str, kernel: str) -> dict[str, Any]:
        versions = {"kernel": kernel, "python": "3.11"}
        return {"started": commit, "ended": "now", "commit": commit * 8, "dirty": True, "versions": versions}

    first = make("first", session=session("abcde", "6.1"))
    text = SWEPT.replace("2 MB", "3 MB").replace("time_scale: [1, 2]", "time_scale: [1, 2], profile: [bep3]")
    other = make("other", text, session=session("12345", "6.2"))
    lines = call("compare", first, other).stdout.splitlines()
    assert lines[: lines.index("   versions.kernel: 6.1 -> 6.2") + 1] == [
        "A  first",
        "B  other",
        "   profile: none -> bep3",
        "   file_size: 2000000 -> 3000000",
        "   server.profile, peers.fast.profile, peers.slow.profile: course -> bep3",
        "   commit: abcdeabcdeab with changes -> 123451234512 with changes",
        "   versions.kernel: 6.1 -> 6.2",
    ]


def test_points_of_one_run_are_named(call: Run, make: Callable[..., Path]) -> None:
    first, other = make("first"), make("other", SWEPT.replace("[1, 2]", "[2, 5]"))
    result = call("compare", first, other)
    assert result.returncode == 0
    assert result.stderr.splitlines()[:2] == [
        "testbed: only A has time_scale 1: not compared",
        "testbed: only B has time_scale 5: not compared",
    ]


def test_measure_with_the_ratios_of_another_is_not_tested_twice(call: Run, make: Callable[..., Path]) -> None:
    runs = make("first"), make("other", slower=2, text=SWEPT + "seed: 2\n")
    assert "payload_ratio is not compared: its ratios are those of distribution_s" in call("compare", *runs).stdout
    asked = findings(call, *runs, "--measure", "distribution_s", "--measure", "payload_ratio")
    assert {each["measure"] for each in asked} == {"distribution_s", "payload_ratio"}


def test_suspect_failed_and_missing_trials_are_excluded_and_counted(call: Run, make: Callable[..., Path]) -> None:
    def happened(trial: Trial) -> Happened | None:
        if trial.repetition == 2:
            return golden(fidelity=DISTURBED)
        crashed = {"p1": {"exit_code": 1, "failed": True, "why": "it crashed"}}
        if trial.repetition == 3:
            return None
        return lasting(trial) if trial.repetition == 4 else Happened(**{**vars(lasting(trial)), "hosts": crashed})

    first, other = make("first"), make("other", happened=happened)
    result = call("compare", first, other, "--measure", "distribution_s")
    assert "testbed: B: of 8 trials, 2 failed, 2 missing and 2 suspect: excluded" in result.stderr.splitlines()
    found = findings(call, first, other, "--measure", "distribution_s", "--with-suspect")
    assert [each["left_out_other"] for each in found] == ["1 failed, 1 missing"] * 2
    assert [each["n_first"] for each in found] == [2, 2]


def test_rows_are_printed_as_csv(call: Run, make: Callable[..., Path]) -> None:
    rows = list(csv.DictReader(StringIO(call("compare", make("first"), make("other", slower=2), "--csv").stdout)))
    assert len(rows) == 2 * 5
    assert {(row["time_scale"], row["first"], row["other"]) for row in rows} == {
        ("1", "first", "other"),
        ("2", "first", "other"),
    }


SLOWER = {"slower": 1.2, "text": SWEPT + "seed: 2\n"}


@pytest.mark.parametrize(
    ("other", "options", "status", "says"),
    [
        (SLOWER, ["--fail-if", "distribution_s > 1.05"], 1, "FAILS: --fail-if 'distribution_s > 1.05': 2 beyond it"),
        (SLOWER, ["--fail-if", "distribution_s > 1.3"], 0, "2 certainly not beyond it"),
        (SLOWER, ["--fail-if", "distribution_s > 1.2"], 0, "passes: --fail-if 'distribution_s > 1.2': 2 undecided"),
        (SLOWER, ["--fail-if", "distribution_s > 1.2", "--fail-if-undecided"], 1, "2 undecided"),
        (SLOWER, ["--fail-if", "distribution_s < 1.5"], 1, "2 beyond it"),
        (SLOWER, ["--fail-if", "jain < 0.1", "--fail-if", "distribution_s > 1.05"], 1, "FAILS: --fail-if 'distri"),
        ({}, ["--fail-if", "completion_p95_s > 1.05"], 0, "passes"),
    ],
)
def test_conditions_set_the_exit_status(
    call: Run, make: Callable[..., Path], *, other: Mapping[str, Any], options: Sequence[str], status: int, says: str
) -> None:
    result = call("compare", make("first"), make("other", **{"text": SWEPT + "seed: 2\n", **other}), *options)
    assert result.returncode == status
    assert says in result.stdout


def test_run_that_no_longer_completes_fails_a_condition(call: Run, make: Callable[..., Path]) -> None:
    """Trials that end at the time limit have no time: without them the others look as good as before."""

    def stuck(trial: Trial) -> Happened:
        found = lasting(trial)
        if trial.repetition == 4:
            events = [event for event in found.traces["p2"] if event["event"] != "completed"]
            return Happened(**{**vars(found), "traces": {**found.traces, "p2": events}})
        return found

    result = call("compare", make("first"), make("other", happened=stuck), "--fail-if", "distribution_s > 1.05")
    assert result.returncode == 1
    assert "  time_scale 1: 1 no value of 4 trials" in result.stdout.splitlines()
    assert "distribution_s: trials without a value are excluded: 0 of A, 2 of the others" in result.stderr


def test_condition_without_repetitions_fails(call: Run, make: Callable[..., Path]) -> None:
    runs = [make(name, SWEPT.replace("repeat: 4", "repeat: 1")) for name in ("first", "other")]
    result = call("compare", *runs, "--fail-if", "distribution_s > 1.05")
    assert result.returncode == 1
    assert "no point has enough repetitions" in result.stdout
    assert ", seed_copies: too few repetitions for an interval (time_scale 1; time_scale 2)" in result.stderr
    assert "without intervals: these need two repetitions in each run" in result.stdout


def test_trials_without_a_partner_are_counted(call: Run, make: Callable[..., Path]) -> None:
    first, other = make("first", SWEPT.replace("repeat: 4", "repeat: 2")), make("other")
    alone = "testbed: B: 4 trials have no partner in A: not compared, but with --unpaired"
    assert alone in call("compare", first, other).stderr.splitlines()
    assert "no partner" not in call("compare", first, other, "--unpaired").stderr


def test_run_without_a_trial_to_compare_is_refused(call: Run, make: Callable[..., Path]) -> None:
    runs = make("first"), make("other", happened=lambda _: golden(fidelity=DISTURBED))
    result = call("compare", *runs)
    assert (result.returncode, result.stdout) == (2, "")
    assert "other has no trial that can be compared (8 suspect): --with-suspect compares" in result.stderr
    assert call("compare", *runs, "--with-suspect").returncode == 0
    judged = call("compare", *runs, "--fail-if", "distribution_s > 1.05")
    assert (judged.returncode, "FAILS" in judged.stdout) == (1, True)


def test_page_has_names_as_text(call: Run, make: Callable[..., Path], tmp_path: Path) -> None:
    text = SWEPT.replace("Three hosts", "<script>alert(1)</script>")
    result = call("compare", make("<b>first"), make("other", text, slower=1.2), "--html", tmp_path / "page.html")
    assert result.returncode == 0
    page = (tmp_path / "page.html").read_text()
    assert "default-src &#x27;none&#x27;" in page
    assert "<h1>other against &lt;b&gt;first</h1>" in page
    assert "alert(1)" not in page


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["a"], "name two runs to compare, or a swept key of one run with --by KEY"),
        (["a", "a"], "is named twice"),
        (["a", "b", "--by", "time_scale"], "--by compares values within one run, and 2 are named"),
        (["a", "--by", "timescale"], "sweeps no such key (did you mean time_scale?): swept are time_scale"),
        (["a", "b", "--measure", "distribution"], "there is no measure 'distribution' (did you mean distribution_s?)"),
        (["a", "b", "--measure", "reasons"], "there is no measure 'reasons'"),
        (["a", "b", "--margin", "five"], "--margin 'five' is no share: write it as 5% or 0.05"),
        (["a", "b", "--margin", "0"], "a margin is between 0 and 100 %"),
        (["a", "b", "--fail-if-undecided"], "--fail-if-undecided is about the conditions of --fail-if"),
        (["a", "b", "--fail-if", "distribution_s"], "expected =, !=, <, <=, >, >= or in"),
        (["a", "b", "--fail-if", "distribution_s = 1"], "= is no limit: write > or <"),
        (["a", "b", "--fail-if", "distribution_s > 6 s"], "the bound is a ratio to the first run"),
        (["a", "b", "--fail-if", "distribution_s > 1 and jain < 1"], "one condition has one measure"),
        (["a", "b", "--fail-if", "speed > 1"], "there is no measure 'speed'"),
        (["a", "unrelated"], "have no points of time_scale in common: compare runs of one experiment"),
        (["a", "unswept"], "a sweeps time_scale and unswept does not: compare runs of one experiment"),
        (["a", "nowhere"], "has no run 'nowhere'"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    call: Run, make: Callable[..., Path], tmp_path: Path, arguments: Sequence[str], says: str
) -> None:
    texts = {"a": SWEPT, "b": SWEPT, "unrelated": SWEPT.replace("[1, 2]", "[3, 4]"), "unswept": GOLDEN}
    for name in {*arguments} & {*texts}:
        make(name, texts[name], happened=lambda _: None)
    make("old-20261120T000000Z", GOLDEN)
    paths = [tmp_path / word if word in texts else word for word in arguments]
    result = call("compare", *paths, "--runs", tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert says in result.stderr
