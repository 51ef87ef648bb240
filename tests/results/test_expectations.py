"""`expect:` is evaluated on the rows of the right table."""

from pathlib import Path

import pytest

from testbed.results import Report, report
from tests.runfolder.runs import (
    DISTURBED,
    GOLDEN,
    golden,
    write_run,
    write_trial,
)


def expected(folder: Path, text: str, *, with_suspect: bool = False) -> Report:
    """Report a run of two trials with an expectation; the second is suspect, and completes a second later."""
    plan = write_run(folder, f"{GOLDEN}repeat: 2\nexpect:\n  - {text}\n")
    first, second = plan.trials
    write_trial(folder, first, golden())
    write_trial(folder, second, golden(late=1.0, fidelity=DISTURBED))
    return report(folder, with_suspect=with_suspect)


@pytest.mark.parametrize(
    ("text", "holds", "found"),
    [
        ("distribution_s.max = 5", True, "distribution_s.max = 5 of 1 rows"),
        ("ratio.mean < 2.5 where distribution = bittorrent", False, "ratio.mean = 2.5 of 1 rows"),
        ("download_s.max <= 4 where group = fast", True, "download_s.max = 4 of 1 rows"),
        ("gain.mean > 1 where strategy = tit-for-tat and group = fast", True, "gain.mean = 1.25 of 1 rows"),
        ("peers_present.max = 2 where t = 6 s", True, "peers_present.max = 2 of 1 rows"),
        ("bytes_sent.max = 1500000 where giver = server", True, "bytes_sent.max = 1.5e+06 of 2 rows"),
        ("count = 1 where verdict = suspect", True, "count = 1 of 1 rows"),
        ("count = 1", True, "count = 1 of 1 rows"),
        ("jain.mean > 0.9 where verdict in (valid, suspect)", True, "jain.mean = 0.97 of 2 rows"),
    ],
)
def test_expectation_uses_the_coarsest_table(tmp_path: Path, text: str, holds: bool, found: str) -> None:
    made = expected(tmp_path, text)
    (outcome,) = made.outcomes
    assert (outcome.holds, made.is_well) == (holds, holds)
    assert outcome.found.startswith(found[:-1] if "0.97" not in found else "jain.mean = 0.97")


@pytest.mark.parametrize(
    ("text", "holds", "found"),
    [
        (
            "(gain.mean where group = slow) < (gain.mean where group = fast)",
            True,
            "(gain.mean where group = slow) = 0.8 of 1 rows, (gain.mean where group = fast) = 1.25 of 1 rows",
        ),
        (
            "(download_s.max where group = fast) > 1.2 * (download_s.max where group = slow)",
            False,
            "(download_s.max where group = fast) = 4 of 1 rows, (download_s.max where group = slow) = 5 of 1 rows",
        ),
        (
            "(count where verdict = suspect) = (count where distribution_s > 0)",
            True,
            "(count where verdict = suspect) = 1 of 1 rows, (count where distribution_s > 0) = 1 of 1 rows",
        ),
        (
            "(distribution_s.max where verdict = suspect) > distribution_s.max",
            True,
            "(distribution_s.max where verdict = suspect) = 6 of 1 rows, distribution_s.max = 5 of 1 rows",
        ),
    ],
)
def test_sides_have_rows_of_their_own(tmp_path: Path, text: str, holds: bool, found: str) -> None:
    (outcome,) = expected(tmp_path, text).outcomes
    assert (outcome.holds, outcome.found) == (holds, found)


@pytest.mark.parametrize(
    ("text", "holds", "found"),
    [
        ("high.max < 1 where measure = distribution_s and compared = gain", True, "high.max = 0.833333 of 1 rows"),
        ("low.min > 0.5 where measure = distribution_s and compared = difference", True, "low.min = 1 of 1 rows"),
        ("p_permutation.max < 0.05 where measure = distribution_s", False, "p_permutation.max = 0.5 of 4 rows"),
        ("n.min = 2 where measure = jain and against = bittorrent", True, "n.min = 2 of 2 rows"),
    ],
)
def test_expectation_can_use_intervals_and_p_values(tmp_path: Path, text: str, holds: bool, found: str) -> None:
    swept = "sweep: {distribution: [bittorrent, client-server]}\npair: distribution\nrepeat: 2\n"
    plan = write_run(tmp_path, f"{GOLDEN}{swept}expect:\n  - {text}\n")
    for trial in plan.trials:
        write_trial(tmp_path, trial, golden(late=1.0 if trial.point["distribution"] == "client-server" else 0.0))
    (outcome,) = report(tmp_path).outcomes
    assert (outcome.holds, outcome.found) == (holds, found)


def test_suspect_trials_count_with_option(tmp_path: Path) -> None:
    (outcome,) = expected(tmp_path, "distribution_s.max = 6", with_suspect=True).outcomes
    assert outcome.holds
