"""What is on the page, as data."""

import json
import re
import zlib
from base64 import b64decode
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from testbed.results import Report, report
from testbed.results.page.contents import Contents
from testbed.results.page.packing import Parts, packed
from testbed.results.page.sheets import MOST_CELLS, sheet
from testbed.results.page.words import listed, number
from testbed.runfolder.damage import DamageError
from testbed.tasks.columns import Column
from tests.page.swarms import EXPERIMENT, hostile_run, swarm
from tests.runfolder.runs import GOLDEN, golden, write_run, write_trial


def unpacked(text: str) -> Any:
    return json.loads(zlib.decompress(b64decode(text)))


def overview(made: Report) -> Any:
    return unpacked(Contents(made).collect().by_name["overview"])


def reported(folder: Path, text: str, *late: float) -> Report:
    """Report a run of the golden trial, whose trials are late by so many seconds; others are missing."""
    plan = write_run(folder, GOLDEN + text)
    for trial, seconds in zip(plan.trials, late, strict=False):
        write_trial(folder, trial, golden(late=seconds))
    return report(folder)


SCHEMES = "sweep: {distribution: [bittorrent, client-server]}\n"


def test_answer_names_each_point_with_its_interval(tmp_path: Path) -> None:
    made = reported(tmp_path, f"{SCHEMES}repeat: 3\n", 0.0, 4.0, 0.0, 4.0, 0.0, 4.0)
    assert overview(made)["answer"] == (
        "Distribution time: 5 s with BitTorrent (95 % interval 5 to 5 s, 3 trials);"
        " 9 s with client-server (95 % interval 9 to 9 s, 3 trials)."
    )


def test_answer_of_one_trial_has_no_interval(tmp_path: Path) -> None:
    assert overview(reported(tmp_path, "", 0.0))["answer"] == "Distribution time: 5 s (one trial, so no interval)."


def test_answer_of_many_points_names_the_ends(tmp_path: Path) -> None:
    made = reported(tmp_path, "sweep: {time_scale: [1, 2, 3, 4, 5]}\n", 3.0, 1.0, 0.0, 4.0, 2.0)
    assert overview(made)["answer"] == (
        "Distribution time: from 5 s at time scale 3 (one trial, so no interval)"
        " to 9 s at time scale 4 (one trial, so no interval), over 5 points."
    )


def test_run_without_a_valid_trial_has_no_answer(tmp_path: Path) -> None:
    page = overview(reported(tmp_path, ""))
    assert page["answer"] == "No trial that counts has a result yet."
    assert (page["means"], page["comparisons"], page["trials"]["missing"]) == (None, None, 1)


def test_answer_of_pairs_is_about_the_varied_group(small: Report) -> None:
    page = overview(small)
    assert page["answer"].startswith("With BitThief instead of tit-for-tat: riders 0.6")
    assert re.search(r"\(95 % interval 0\.\d+ to 0\.\d+, p = 0\.\d+, 2 pairs\)\.$", page["answer"])
    assert [row["group"] for row in page["comparisons"]["rows"]] == ["riders", "others"]


def test_expectations_say_whether_they_held(tmp_path: Path) -> None:
    expected = "expect: [ratio.mean < 3, ratio.mean < 1, ratio.mean < 3 where distribution = client-server]\n"
    made = reported(tmp_path, SCHEMES + expected, 0.0)
    assert [each["state"] for each in overview(made)["expectations"]] == ["held", "failed", "open"]


def test_doubts_problems_links_and_replays(small: Report) -> None:
    page = overview(small)
    assert [(each["verdict"], each["reasons"]) for each in page["doubts"]] == [
        ("suspect", "programs woke 30.0 ms late")
    ]
    assert any("1 of 6 trials is suspect" in each for each in page["problems"])
    assert page["links"].startswith("48 links of 48 with a limit were busy for 5 s or longer.")
    assert "0.75 % off" in page["links"]
    assert [each["point"] for each in page["replays"]["shown"]] == ["tit-for-tat", "BitThief"]
    assert page["replays"]["left_out"] == ""


def test_same_run_makes_the_same_page(small: Report, small_page: Path) -> None:
    before = small_page.read_bytes()
    report(small.run.path)
    assert small_page.read_bytes() == before


def test_parts_beyond_the_limit_are_left_out_and_named(small: Report) -> None:
    parts = Contents(small, Parts(most=3000)).collect()
    page = unpacked(parts.by_name["overview"])
    left_out = [about["name"] for about in page["tables"] if about["part"] is None]
    assert "timeline" in left_out
    assert page["replays"]["left_out"].startswith("Without a replay: ")
    assert {about["part"] for about in page["tables"] if about["part"]} <= parts.by_name.keys()


def test_damaged_trial_costs_its_replay_and_not_the_page(tmp_path: Path) -> None:
    plan = write_run(tmp_path, EXPERIMENT.replace("repeat: 3", "repeat: 1"))
    for trial in plan.trials:
        write_trial(tmp_path, trial, swarm(trial))
    (tmp_path / "trials" / plan.trials[0].id / "p1.jsonl.gz").unlink()
    made = report(tmp_path)
    assert made.page is not None
    assert len(overview(made)["replays"]["shown"]) == 1


@pytest.mark.parametrize(
    ("text", "sessions"),
    [
        ("no JSON", []),
        ('{"sessions": "<b>"}', []),
        ('{"sessions": [3, {"cpu": NaN}]}', [{"cpu": "NaN"}]),
    ],
)
def test_damaged_provenance_costs_nothing_else(tmp_path: Path, text: str, sessions: list[Any]) -> None:
    plan = write_run(tmp_path, GOLDEN)
    write_trial(tmp_path, plan.trials[0], golden())
    (tmp_path / "provenance.json").write_text(text)
    assert overview(report(tmp_path))["provenance"]["sessions"] == sessions


def test_links_in_the_place_of_figures_are_not_followed(tmp_path: Path) -> None:
    made = small_figures(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (tmp_path / "figures" / "done.svg").unlink()
    (tmp_path / "figures" / "done.svg").symlink_to(secret)
    with pytest.raises(DamageError, match="is a symbolic link"):
        Contents(made).collect()


def small_figures(folder: Path) -> Report:
    return reported(folder, "figures: {done: {kind: cdf}}\n", 0.0)


def test_names_of_a_hostile_folder_are_data(tmp_path: Path) -> None:
    text = hostile_run(tmp_path).read_text()
    assert "<img" not in text
    assert "<script>alert" not in text
    assert text.count("</script>") == text.count("<script ") + 1


def test_large_table_is_cut_and_says_so() -> None:
    made = sheet("big", pd.DataFrame({"a": range(MOST_CELLS), "b": "x"}), {}, "big.csv")
    assert (made.about["rows"], made.about["shown"]) == (MOST_CELLS, MOST_CELLS // 2)
    assert [len(cells) for cells in made.values["columns"]] == [MOST_CELLS // 2] * 2


def test_cells_are_numbers_words_or_nothing() -> None:
    table = pd.DataFrame({"n": [1.0, float("nan"), 1 / 3], "w": ["", '{"class": "bitthief", "connections": 4}', "<b>"]})
    made = sheet("t", table, {"n": Column("s", "of `x`")})
    assert made.values["columns"] == [[1, None, 0.333333], [None, "bitthief, connections 4", "<b>"]]
    assert [(each["numeric"], each["unit"], each["meaning"]) for each in made.about["columns"]] == [
        (True, "s", "of x"),
        (False, "", ""),
    ]


def test_packed_text_has_nothing_that_html_could_misread() -> None:
    text = packed({"title": "</script><!-- \u2028 é"})
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", text)
    assert unpacked(text) == {"title": "</script><!-- \u2028 é"}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "", "0"),
        (12.3456, "s", "12.3 s"),
        (1234.5, "s", "1234 s"),
        (0.000123456, "", "0.000123"),
        (4_000_000.0, "bit/s", "4 Mbit/s"),
        (1_572_864.0, "B", "1.5 MiB"),
        (float("nan"), "s", "unknown"),
    ],
)
def test_numbers_in_words(value: float, unit: str, text: str) -> None:
    assert number(value, unit) == text


def test_lists_in_words() -> None:
    assert (listed(["a"]), listed(["a", "b", "c"])) == ("a", "a, b and c")
