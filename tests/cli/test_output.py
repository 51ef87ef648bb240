"""Tables for people and for programs."""

import csv
import io

import pytest

from testbed.cli.terminal.output import (
    counted,
    print_csv,
    progress,
)


def test_missing_csv_column_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    print_csv([{"link": "a, b", "rate": 8}, {"path": "h1 - h2"}])
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [
        ["link", "rate", "path"],
        ["a, b", "8", ""],
        ["", "", "h1 - h2"],
    ]


def test_progress_goes_to_standard_error_unless_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    progress(quiet=False)("measuring")
    progress(quiet=True)("measuring again")
    assert capsys.readouterr() == ("", "testbed: measuring\n")


def test_one_takes_the_singular() -> None:
    assert (counted(["s1"], "core"), counted(["h1", "h2"], "host")) == ("1 core", "2 hosts")
