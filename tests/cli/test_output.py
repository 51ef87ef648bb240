"""Tables for people and for programs."""

import csv
import io

import pytest

from testbed.cli.terminal.output import (
    decimal,
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


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.18749, "5.187"),
        (15.3749, "15.37"),
        (0.97342, "0.9734"),
        (1.0, "1"),
        (0.99999, "1"),
        (1_234_567.8, "1234568"),
        (6.4e-5, "0.0001"),
        (1e-9, "0"),
        (-1e-9, "0"),
        (0.0, "0"),
        (-0.51234, "-0.5123"),
        (float("nan"), "-"),
    ],
)
def test_decimal_has_four_digits_and_no_exponent(value: float, text: str) -> None:
    assert decimal(value) == text
