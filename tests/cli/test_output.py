"""Tables for people, and for programs."""

import csv
import io

import pytest

from testbed.cli.output import (
    counted,
    format_table,
    print_csv,
    progress,
)


def test_numbers_stand_to_the_right_and_words_to_the_left() -> None:
    assert format_table(("link", "rate"), [["h1", "8"], ["h100", "12.5"]]) == "\n".join(
        [
            "link  rate",
            "h1       8",
            "h100  12.5",
        ]
    )


def test_a_table_without_rows_is_its_header() -> None:
    assert format_table(("link", "rate"), []) == "link  rate"


def test_a_row_of_csv_without_a_column_leaves_it_empty(capsys: pytest.CaptureFixture[str]) -> None:
    print_csv([{"link": "a, b", "rate": 8}, {"path": "h1 - h2"}])
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [
        ["link", "rate", "path"],
        ["a, b", "8", ""],
        ["", "", "h1 - h2"],
    ]


def test_progress_is_told_apart_from_the_result_and_can_be_silenced(capsys: pytest.CaptureFixture[str]) -> None:
    progress(quiet=False)("measuring")
    progress(quiet=True)("measuring again")
    assert capsys.readouterr() == ("", "testbed: measuring\n")


def test_one_is_not_counted_in_the_plural() -> None:
    assert (counted(["s1"], "core"), counted(["h1", "h2"], "host")) == ("1 core", "2 hosts")
