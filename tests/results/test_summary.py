"""Means of points, and differences within pairs."""

from pathlib import Path
from statistics import fmean

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.results import Report, report
from testbed.results.summary import summary_table
from testbed.tasks.distribute.columns import COLUMNS, TRIAL_MEASURES, TRIALS
from tests.experiment.files import planned
from tests.runfolder.runs import (
    DISTURBED,
    GOLDEN,
    golden,
    write_run,
    write_trial,
)

PAIRED = """\
sweep:
  distribution: [bittorrent, client-server]
  zip:
    time_scale: [1, 2]
    time_limit: [1 min, 2 min]
repeat: 3
pair: distribution
"""


def made_of(folder: Path, lates: dict[tuple[str, int, int], float], text: str = PAIRED, suspect: str = "") -> Report:
    """Report a run; `lates` delays completions, by distribution, time scale and repetition."""
    plan = write_run(folder, GOLDEN + text)
    for trial in plan.trials:
        key = (trial.settings.distribution, int(trial.settings.time_scale), trial.repetition)
        is_suspect = f"{key[0]}-{key[1]}-{key[2]}" == suspect
        late = lates.get(key, 0.0)
        write_trial(folder, trial, golden(late=late, fidelity=DISTURBED) if is_suspect else golden(late=late))
    return report(folder)


def rows(made: Report, **values: object) -> pd.DataFrame:
    table = made.tables.summary
    for name, value in values.items():
        table = table[table[name] == value]
    return table


def test_task_without_groups_has_a_summary(tmp_path: Path) -> None:
    made = made_of(tmp_path, {})
    summary = summary_table(made.run.plan, COLUMNS, made.tables.trials, None, with_suspect=False)
    assert set(summary["group"]) == {""}
    assert len(summary)


def test_each_point_has_a_mean_and_an_interval(tmp_path: Path) -> None:
    made = made_of(tmp_path, {("bittorrent", 1, 2): 0.3, ("bittorrent", 1, 3): 0.6})
    found = rows(made, distribution="bittorrent", time_scale=1, measure="distribution_s", against="", group="")
    (row,) = found.to_dict("records")
    assert (row["mean"], row["sd"], row["n"]) == (pytest.approx(5.3), pytest.approx(0.3), 3)
    assert 5.0 - 1e-9 <= row["low"] < 5.3 < row["high"] <= 5.6 + 1e-9
    assert row["time_limit"] == "1 min"
    assert pd.isna(row["p_t"])


def test_suspect_trials_are_counted_and_not_used(tmp_path: Path) -> None:
    lates = {("bittorrent", 1, 1): 9.0}
    made = made_of(tmp_path, lates, suspect="bittorrent-1-1")
    chosen = {"distribution": "bittorrent", "time_scale": 1, "measure": "distribution_s", "against": "", "group": ""}
    (row,) = rows(made, **chosen).to_dict("records")
    assert (row["n"], row["n_valid"], row["n_suspect"], row["mean"]) == (2, 2, 1, 5.0)
    (row,) = rows(report(tmp_path, with_suspect=True), **chosen).to_dict("records")
    assert (row["n"], row["n_valid"], row["n_suspect"], row["mean"]) == (3, 2, 1, pytest.approx((14 + 5 + 5) / 3))


def test_pairs_are_compared_with_the_first_value(tmp_path: Path) -> None:
    lates = {("client-server", 2, k): 0.1 * k for k in (1, 2, 3)} | {("bittorrent", 2, 1): 0.5}
    made = made_of(tmp_path, lates)
    found = rows(made, measure="distribution_s", compared="difference", group="", time_scale=2)
    (row,) = found.to_dict("records")
    differences = [0.1 - 0.5, 0.2, 0.3]
    assert row["against"] == "bittorrent"
    assert (row["distribution"], row["n"]) == ("client-server", 3)
    assert row["mean"] == pytest.approx(fmean(differences))
    assert row["p_permutation"] == pytest.approx(8 / 8)
    assert 0 < row["p_t"] < 1


def test_gain_is_ratio_of_times(tmp_path: Path) -> None:
    made = made_of(tmp_path, {("client-server", 2, 1): 5.0, ("client-server", 2, 2): 15.0, ("bittorrent", 2, 3): 5.0})
    (row,) = rows(made, measure="distribution_s", compared="gain", group="", time_scale=2).to_dict("records")
    assert (row["distribution"], row["against"], row["n"]) == ("client-server", "bittorrent", 3)
    assert row["mean"] == pytest.approx(fmean([5 / 10, 5 / 20, 10 / 5]))
    assert 0.25 <= row["low"] < row["mean"] < row["high"] <= 2


def test_opposite_gains_cancel_out(tmp_path: Path) -> None:
    made = made_of(tmp_path, {("client-server", 1, 1): 5.0, ("bittorrent", 1, 2): 5.0})
    (row,) = rows(made, measure="distribution_s", compared="gain", group="", time_scale=1).to_dict("records")
    assert row["mean"] == pytest.approx(fmean([0.5, 2, 1]))
    assert (row["p_permutation"], row["p_t"]) == (1.0, pytest.approx(1.0))


def test_zero_has_no_gain(tmp_path: Path) -> None:
    made = made_of(tmp_path, {})
    (row,) = rows(made, measure="duplicate_bytes", compared="gain", group="", time_scale=1).to_dict("records")
    (difference,) = rows(made, measure="duplicate_bytes", compared="difference", group="", time_scale=1)["mean"]
    assert (row["n"], difference) == ((0, 0) if pd.isna(row["mean"]) else (3, 0))


def test_suspect_trial_makes_its_pair_suspect(tmp_path: Path) -> None:
    made = made_of(tmp_path, {}, suspect="bittorrent-2-3")
    (row,) = rows(made, measure="jain", compared="difference", group="", time_scale=2).to_dict("records")
    assert (row["n"], row["n_valid"], row["n_suspect"], row["mean"], row["p_t"]) == (2, 2, 1, 0.0, 1.0)


def test_suspect_trial_leaves_other_pairs_alone(tmp_path: Path) -> None:
    made = made_of(tmp_path, {("client-server", 2, 1): 5.0}, suspect="bittorrent-2-3")
    for scale, count in ((1, 3), (2, 2)):
        found = rows(made, measure="distribution_s", compared="gain", group="", time_scale=scale)
        (row,) = found.to_dict("records")
        assert (row["n"], row["n_valid"], row["n_suspect"]) == (count, count, 3 - count)
    assert row["mean"] == pytest.approx(fmean([5 / 10, 1]))
    assert made.pairs_left_out == "1 of 6 pairs is left out of comparisons: 1 has a suspect trial"
    assert report(tmp_path, with_suspect=True).pairs_left_out == ""


def only_pairs(folder: Path, verdicts: dict[tuple[str, int], str]) -> Report:
    """Report a run of three pairs; a verdict belongs to a distribution and a repetition, and `missing` is one too."""
    plan = write_run(
        folder, f"{GOLDEN}sweep: {{distribution: [bittorrent, client-server]}}\npair: distribution\nrepeat: 3\n"
    )
    for trial in plan.trials:
        verdict = verdicts.get((trial.settings.distribution, trial.repetition), "valid")
        if verdict != "missing":
            write_trial(folder, trial, golden(fidelity=DISTURBED) if verdict == "suspect" else golden())
    return report(folder)


SUSPECT_TWINS = {("bittorrent", 1): "suspect", ("client-server", 2): "suspect"}


@pytest.mark.parametrize(
    ("verdicts", "n", "says"),
    [
        ({}, 3, ""),
        (SUSPECT_TWINS, 1, "2 of 3 pairs are left out of comparisons: 2 have a suspect trial"),
        (
            {**SUSPECT_TWINS, ("bittorrent", 2): "missing"},
            1,
            "2 of 3 pairs are left out of comparisons: 1 has a missing trial, 1 has a suspect trial",
        ),
        (
            {("client-server", k): "suspect" for k in (1, 2, 3)},
            0,
            "all 3 pairs are left out of comparisons: 3 have a suspect trial",
        ),
        (
            {("bittorrent", k): "missing" for k in (1, 2, 3)},
            0,
            "all 3 pairs are left out of comparisons: 3 have a missing trial",
        ),
    ],
)
def test_only_pairs_with_two_valid_trials_are_compared(
    tmp_path: Path, verdicts: dict[tuple[str, int], str], n: int, says: str
) -> None:
    made = only_pairs(tmp_path, verdicts)
    (row,) = rows(made, measure="distribution_s", compared="gain", group="").to_dict("records")
    assert (row["distribution"], row["against"], row["n"]) == ("client-server", "bittorrent", n)
    assert made.pairs_left_out == says


def test_second_value_is_not_compared_with_third_in_place_of_the_first(tmp_path: Path) -> None:
    swept = "sweep: {distribution: [bittorrent, client-server, fluid]}\npair: distribution\n"
    plan = write_run(tmp_path, GOLDEN + swept)
    for trial in plan.trials[1:]:
        write_trial(tmp_path, trial, golden())
    made = report(tmp_path)
    found = rows(made, measure="distribution_s", compared="gain", group="")
    assert [(row["distribution"], row["against"], row["n"]) for row in found.to_dict("records")] == [
        ("client-server", "bittorrent", 0),
        ("fluid", "bittorrent", 0),
    ]
    assert made.pairs_left_out == "all 2 pairs are left out of comparisons: 2 have a missing trial"


def test_groups_have_their_own_rows(tmp_path: Path) -> None:
    made = made_of(tmp_path, {})
    found = rows(made, measure="gain", group="slow", distribution="bittorrent", time_scale=1, against="")
    assert found["mean"].tolist() == [pytest.approx(0.8)]


def test_point_with_one_group_has_its_row(tmp_path: Path) -> None:
    made = made_of(tmp_path, {})
    trials = made.tables.trials
    groups = made.tables.groups.merge(trials[["trial", *made.run.plan.keys, "pair", "verdict"]], on="trial")
    only_slow = groups[(groups["group"] == "slow") | (groups["time_scale"] == 1)]
    summary = summary_table(made.run.plan, COLUMNS, trials, only_slow, with_suspect=False)
    of_times = summary[(summary["measure"] == "download_mean_s") & (summary["compared"] == "gain")]
    assert set(zip(of_times["time_scale"], of_times["group"], strict=True)) == {(1, "slow"), (1, "fast"), (2, "slow")}


def test_keys_zipped_with_paired_key_are_compared(tmp_path: Path) -> None:
    text = "sweep: {zip: {distribution: [bittorrent, fluid], time_scale: [1, 2]}}\nrepeat: 2\npair: distribution\n"
    made = made_of(tmp_path, {("fluid", 2, 1): 1.0}, text=text)
    (row,) = rows(made, measure="distribution_s", compared="difference", group="").to_dict("records")
    assert (row["distribution"], row["time_scale"], row["n"], row["mean"]) == ("fluid", 2, 2, pytest.approx(0.5))


def test_two_zipped_values_make_two_comparisons(tmp_path: Path) -> None:
    zipped = "{distribution: [bittorrent, fluid, fluid], time_scale: [1, 1, 2]}"
    text = f"sweep: {{zip: {zipped}}}\nrepeat: 2\npair: distribution\n"
    lates = {("fluid", 1, k): 1.0 for k in (1, 2)} | {("fluid", 2, k): 2.0 for k in (1, 2)}
    found = rows(made_of(tmp_path, lates, text=text), measure="distribution_s", compared="difference", group="")
    assert [(row["time_scale"], row["n"], row["mean"]) for row in found.to_dict("records")] == [
        (1, 2, pytest.approx(1.0)),
        (2, 2, pytest.approx(2.0)),
    ]


times = st.floats(min_value=1, max_value=1e4)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(times, times), min_size=1, max_size=5))
def test_paired_differences_are_those_of_the_means(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[float, float]]
) -> None:
    text = f"{GOLDEN}sweep: {{time_scale: [1, 2]}}\npair: time_scale\nrepeat: {len(pairs)}\n"
    plan = planned(tmp_path_factory.mktemp("plan"), text)
    cells = dict.fromkeys([*TRIALS, *TRIAL_MEASURES], 1.0)
    trials = pd.DataFrame(
        [
            cells
            | {"trial": trial.id, "time_scale": trial.point["time_scale"], "pair": trial.pair, "verdict": "valid"}
            | {"distribution_s": pairs[trial.repetition - 1][trial.point["time_scale"] - 1]}
            for trial in plan.trials
        ]
    )
    summary = summary_table(plan, COLUMNS, trials, pd.DataFrame(columns=["trial", "group"]), with_suspect=False)
    of_times = summary[summary["measure"] == "distribution_s"]
    first, second, difference, gain = of_times["mean"].tolist()
    assert difference == pytest.approx(second - first, abs=1e-6)
    assert gain == pytest.approx(fmean(before / after for before, after in pairs))
    assert of_times["n"].tolist() == [len(pairs)] * 4
